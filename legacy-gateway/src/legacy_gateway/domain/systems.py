"""The systems that pay, and the rules by which each is fed: what differs between them, by docs/interfaces/legacy.md."""

from dataclasses import dataclass
from enum import StrEnum


class System(StrEnum):
    """A system that pays, by the contract's name."""

    ISCS = "ISCS"
    JSAPS = "JSAPS"
    SFCS = "SFCS"
    PSCS = "PSCS"
    CMS_COTS = "CMS_COTS"


class Exchange(StrEnum):
    """How records go: each by itself with an answer of its own, or many in a file that is answered by a file."""

    RECORDS = "RECORDS"
    FILES = "FILES"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of a system that the ledger needs. `schemes` are those whose claims it pays.

    `phases`: a claim is held whole when the last of its phases is accepted. `recognises_repeat`: what is sent twice is held
    once, so an answer "not known" is final at once; otherwise it is final when asked `final_after_closing_seconds` after the
    record's connection was closed. `in_flight`: how many records may be on one connection without their replies.
    `most_connections`: from all processes together. `withdraws_first_phase`: a first phase can be taken back, and an enquiry
    about one that was answers with the message `withdrawn_code`. `pays_decided_amount`: its records carry the amount of an
    assessor's decision, which may be younger than the facts.
    """

    system: System
    schemes: tuple[str, ...]
    phases: int = 1
    exchange: Exchange = Exchange.RECORDS
    recognises_repeat: bool
    final_after_closing_seconds: float = 0.0
    in_flight: int = 1
    most_connections: int = 16
    withdraws_first_phase: bool = False
    withdrawn_code: str = ""
    pays_decided_amount: bool = False


@dataclass(frozen=True, kw_only=True)
class HeldRecord:
    """A record that a system lists as held: its transfer id, and the system's own reference."""

    transfer_id: str
    legacy_ref: str
