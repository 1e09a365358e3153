"""Interim payments: a claim that is late is shown to a person, so that the claimant does not have to ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from chassis.errors import FailedPrecondition, NotFound, StaleVersion

BENEFITS = ("INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT")
"""The schemes of which something can be paid on account."""


class DelayCause(StrEnum):
    """The kind of a delay."""

    TARGET_BREACH = "TARGET_BREACH"
    STALLED_TRANSFER = "STALLED_TRANSFER"
    LATE_NOTICE = "LATE_NOTICE"


class InterimOutcome(StrEnum):
    """The outcome of a recommendation."""

    PAID = "PAID"
    NOT_NEEDED = "NOT_NEEDED"


class NotRecommended(NotFound):
    """No interim payment was recommended for the claim."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__(
            "NOT_RECOMMENDED", "no interim payment is recommended for this claim", metadata={"claim_ref": claim_ref}
        )


class AlreadyConsidered(FailedPrecondition):
    """Somebody has considered the interim payment."""

    def __init__(self) -> None:
        super().__init__("ALREADY_CONSIDERED", "somebody has considered the interim payment already")


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Something of a claim that is late. `subject`: the appointment, the transfer and its state, or the notice."""

    cause: DelayCause
    subject: str
    since_time: datetime
    system: str | None = None


@dataclass(frozen=True, kw_only=True)
class InterimPayment:
    """A claim for which an interim payment should be considered. `outcome`: None while it waits."""

    claim_ref: str
    schemes: Sequence[str]
    office_code: str | None
    since_time: datetime
    version: int
    outcome: InterimOutcome | None = None
    delays: Sequence[Delay] = ()

    def considered(self, outcome: InterimOutcome, *, version: int) -> Self:
        """Somebody has considered it. Raises StaleVersion, AlreadyConsidered."""
        if version != self.version:
            raise StaleVersion(given=version, current=self.version)
        if self.outcome is not None:
            raise AlreadyConsidered
        return replace(self, outcome=outcome, version=self.version + 1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The end of a page of the list."""

    since_time: datetime
    claim_ref: str
