"""Decisions on claims that systems hold. There is one for a claim and scheme; a correction is a new version."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.errors import AlreadyExists, InvalidArgument, StaleVersion, Text, Violation
from legacy_gateway.domain.systems import System

_BY_BASIS = "JOBSEEKERS_ALLOWANCE"
"""The scheme whose awards rest on income, on contributions or on both; each of the others rests on one thing alone."""
_BASIS_MISSING = Text(
    en="is required for an award of Jobseeker's Allowance", cy="mae'n ofynnol ar gyfer dyfarniad Lwfans Ceisio Gwaith"
)
_NO_BASIS = Text(
    en="is only for an award of Jobseeker's Allowance", cy="dim ond ar gyfer dyfarniad Lwfans Ceisio Gwaith y mae"
)
_BEFORE_FROM = Text(en="must not be before the first day", cy="ni chaiff fod cyn y diwrnod cyntaf")


class DecisionOutcome(StrEnum):
    """The outcome of a decision."""

    AWARDED = "AWARDED"
    DISALLOWED = "DISALLOWED"


class DecisionBasis(StrEnum):
    """On what an award of Jobseeker's Allowance is based."""

    INCOME = "INCOME"
    CONTRIBUTION = "CONTRIBUTION"
    BOTH = "BOTH"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision for a scheme, from its first day to its last; without a last day it has no end.

    Raises InvalidArgument naming `basis` or `to` where it is not sound.
    """

    claim_ref: str
    scheme: str
    version: int
    outcome: DecisionOutcome
    basis: DecisionBasis | None
    from_day: date
    to_day: date | None
    decided_by: str
    decided_time: datetime

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidArgument.of(*faults)

    def _faults(self) -> Iterator[Violation]:
        needs_basis = self.scheme == _BY_BASIS and self.outcome is DecisionOutcome.AWARDED
        if needs_basis and self.basis is None:
            yield Violation.of("basis", _BASIS_MISSING)
        if not needs_basis and self.basis is not None:
            yield Violation.of("basis", _NO_BASIS)
        if self.to_day is not None and self.to_day < self.from_day:
            yield Violation.of("to", _BEFORE_FROM)

    def follow(self, newest: int) -> None:
        """Checks that it follows the newest version that is recorded; 0 for none.

        Raises AlreadyExists for a first decision where there is one, and StaleVersion for the correction of another version.
        """
        if self.version == 1 and newest:
            raise AlreadyExists(
                "DECIDED",
                f"the claim is decided for this scheme: correct version {newest}",
                metadata={"claim_ref": self.claim_ref, "version": str(newest)},
            )
        if self.version != newest + 1:
            raise StaleVersion(given=self.version - 1, current=newest)


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """A claim that its system holds whole and on which nobody has decided."""

    claim_ref: str
    scheme: str
    system: System
    legacy_ref: str
    confirmed_time: datetime
    accepted_time: datetime
    deadline_time: datetime


@dataclass(frozen=True, kw_only=True)
class UndecidedPlace:
    """A place in the list of undecided claims."""

    accepted_time: datetime
    claim_ref: str
    scheme: str


@dataclass(frozen=True, kw_only=True)
class AcceptedRecord:
    """A phase that a system holds: its bytes, and what its transfer was."""

    transfer_id: str
    phase: int
    legacy_ref: str
    claim_version: int
    payload: bytes


@dataclass(frozen=True, kw_only=True)
class ComparedField:
    """A field of an accepted record beside what it would hold today, both as text. One that is withheld is shown to nobody."""

    phase: int
    field: str
    question_id: str
    accepted: str
    today: str
    withheld: bool = False

    @property
    def differs(self) -> bool:
        """Whether today's facts would give another value."""
        return self.accepted != self.today
