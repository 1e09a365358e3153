"""Searches for claims, by HMACs of facts that are stored encrypted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class LookUps:
    """HMACs of the NINO, of surname with date of birth, and of the postcode; None where the fact is not known."""

    nino: bytes | None = None
    person: bytes | None = None
    postcode: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Search:
    """Criteria for a list, newest first; None does not narrow it. `after` is the place where the last page ended."""

    look_ups: LookUps
    state: str | None
    office: str | None
    after: tuple[datetime, str] | None
    limit: int
    surname: bytes | None = None
    """The HMAC of the surname that was typed."""

    @property
    def is_for_a_person(self) -> bool:
        """Whether it names a person or where they live, and not only a state or an office."""
        return self.look_ups != LookUps()


@dataclass(frozen=True, kw_only=True)
class CallBackSearch:
    """Criteria for a list of call-backs, the one that is due first at the top.

    `state` is one of `OPEN`, or DUE_NOW for call-backs and letters that are due and that nobody has taken.
    """

    OPEN = frozenset({"WAITING", "DUE", "TAKEN", "LETTER_DUE"})

    state: str = "DUE_NOW"
    language: str | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int
