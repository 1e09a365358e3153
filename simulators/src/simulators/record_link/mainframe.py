"""The differences between the mainframes on the record link, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ENQUIRY, BALANCE = "ENQ01", "REC01"
"""The dialogues that every mainframe has: what became of a transfer, and what is held of a day's receipts."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One record of a claim. A claim is held when each phase is."""

    dialogue: str
    record: str
    """The record's name in its copybook."""
    copybook: str
    counted_as: str
    """The field of a claim in the ledger's summary that counts these records."""
    reference_field: str = ""
    """The field that bears the reference of the phase before; empty in the first."""

    def code(self, number: str) -> str:
        """The code of a message: the dialogue's part of the system, and the rule's number."""
        return self.dialogue[:2] + number


@dataclass(frozen=True, kw_only=True)
class Mainframe:
    """One outside system on the record link."""

    name: str
    reference_prefix: str
    """Two letters with which its references begin."""
    phases: tuple[Phase, ...]
    rules: Path
    """The edit rules that it has besides those of every record."""
    recognises_repeat: bool = True
    """Whether a transfer id that is held is answered `D` or `C`; else what is sent twice is held twice."""
    enquiry_lag_seconds: float = 0.0
    """How far the enquiry may be behind what was received."""
    withdrawal: str = ""
    """The dialogue that withdraws a first phase; empty where there is none."""

    @cached_property
    def by_dialogue(self) -> Mapping[str, Phase]:
        """The phases by the dialogue that carries them."""
        return {phase.dialogue: phase for phase in self.phases}

    @cached_property
    def records(self) -> Mapping[str, str]:
        """The name of the record that each dialogue carries."""
        withdrawal = {self.withdrawal: "ENQUIRY"} if self.withdrawal else {}
        carried = {phase.dialogue: phase.record for phase in self.phases}
        return {**carried, ENQUIRY: "ENQUIRY", **withdrawal, BALANCE: "RECON-REQUEST"}
