"""A claim as far as a booking needs it: whether it is open, its schemes, and the first contact."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.bank_holidays import Nation
from chassis.errors import FailedPrecondition
from scheduling.domain.events import TargetBreachExpected
from scheduling.domain.offices import Need
from scheduling.domain.working_time import same_day_due, target_due

_CHILD_MAINTENANCE, _CRISIS_LOAN = "CHILD_MAINTENANCE", "CRISIS_LOAN"


class ClaimNotOpen(FailedPrecondition):
    """The claim was withdrawn or is closed, so it needs no interview."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__("CLAIM_NOT_OPEN", "the claim was withdrawn or is closed", metadata={"claim_ref": claim_ref})


class NoInterviewNeeded(FailedPrecondition):
    """The claim is for child maintenance alone, which has no interview."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__(
            "NO_INTERVIEW_NEEDED",
            "child maintenance has no interview at an office: a caseworker takes the claim up once it is submitted",
            metadata={"claim_ref": claim_ref},
        )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim as intake has it now. It is open while it is a draft or submitted."""

    claim_ref: str
    schemes: tuple[str, ...]
    is_open: bool
    first_contact_time: datetime
    needs: frozenset[Need] = frozenset()
    """The needs that were stated in the calls about it, or in the interview."""

    @property
    def interviewed(self) -> frozenset[str]:
        """Its schemes that have an interview: the assessor must know them."""
        return _interviewed(self.schemes)

    def check_bookable(self) -> None:
        """Raises ClaimNotOpen, NoInterviewNeeded."""
        if not self.is_open:
            raise ClaimNotOpen(self.claim_ref)
        if set(self.schemes) == {_CHILD_MAINTENANCE}:
            raise NoInterviewNeeded(self.claim_ref)

    @property
    def is_emergency(self) -> bool:
        """Whether the claimant must be seen on the day: who applies for a crisis loan, alone or beside other schemes."""
        return _CRISIS_LOAN in self.schemes

    def due(self, nation: Nation, *, target: timedelta) -> datetime:
        """By when the interview should start, at an office of this nation: that about a crisis loan alone on the same day."""
        if _CRISIS_LOAN in self.schemes and set(self.schemes) <= {_CHILD_MAINTENANCE, _CRISIS_LOAN}:
            return same_day_due(self.first_contact_time, nation)
        return target_due(self.first_contact_time, nation, target=target)

    def due_again(self, nation: Nation, waits_since: datetime | None, *, target: timedelta) -> datetime:
        """By when the interview should start where an earlier one fell through: the target counts anew from then.

        That decides where to look. The measures of the target count from first contact all the same.
        """
        begun = max(self.first_contact_time, waits_since or self.first_contact_time)
        return replace(self, first_contact_time=begun).due(nation, target=target)


@dataclass(frozen=True, kw_only=True)
class FirstContact:
    """The first contact of a claim, as intake announced it at a version of the claim."""

    claim_ref: str
    claim_version: int
    first_contact_time: datetime
    schemes: tuple[str, ...]

    @property
    def interviewed(self) -> frozenset[str]:
        """Its schemes that have an interview: the assessor must know them."""
        return _interviewed(self.schemes)

    @property
    def needs_interview(self) -> bool:
        """Whether somebody must book: child maintenance has no interview, and a crisis loan does not wait for one."""
        return not self.schemes or not set(self.schemes) <= {_CHILD_MAINTENANCE, _CRISIS_LOAN}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A claim that waits for an interview, none of which is booked."""

    claim_ref: str
    claim_version: int
    first_contact_time: datetime

    def breach(self, now: datetime, *, nations: Collection[Nation], target: timedelta) -> TargetBreachExpected | None:
        """The event that tells that the target has passed; None while it has not in each of these nations."""
        due = max(target_due(self.first_contact_time, nation, target=target) for nation in nations)
        if due > now:
            return None
        return TargetBreachExpected(
            claim_ref=self.claim_ref, version=self.claim_version, occurred_time=now, target_time=due
        )


def _interviewed(schemes: Collection[str]) -> frozenset[str]:
    return frozenset(schemes) - {_CHILD_MAINTENANCE}
