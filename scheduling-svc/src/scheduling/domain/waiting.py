"""The waiting list: claimants with an appointment who would come sooner, and the freed slots that they take."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import FailedPrecondition, NotFound
from scheduling.domain.appointments import Appointment
from scheduling.domain.offices import Channel
from scheduling.domain.slots import Slot

USUAL_NOTICE = timedelta(hours=24)
LONGEST_NOTICE = timedelta(days=14)


class NotWaiting(NotFound):
    """The appointment is not on the waiting list."""

    def __init__(self) -> None:
        super().__init__("NOT_WAITING", "the appointment is not on the waiting list")


class TooSoonToWait(FailedPrecondition):
    """The interview is so near that no earlier slot would leave the notice that the claimant needs."""

    def __init__(self) -> None:
        super().__init__(
            "TOO_SOON_TO_WAIT", "the interview begins within the notice that the claimant needs for an earlier one"
        )


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place on the waiting list: the appointment that would be moved, and the slots that the claimant would take.

    They are at one of the offices (codes), in the appointment's own channel, or by telephone where `by_telephone`, and
    start no sooner than `notice` from when they are taken.
    """

    appointment: Appointment
    offices: frozenset[str]
    by_telephone: bool
    notice: timedelta
    joined_time: datetime

    def takes(self, slot: Slot, *, now: datetime) -> bool:
        """Whether the claimant would come to this slot in the place of the appointment."""
        channels = {self.appointment.channel} | ({Channel.TELEPHONE} if self.by_telephone else set())
        return (
            slot.office_code in self.offices
            and slot.channel in channels
            and now + self.notice <= slot.start_time < self.appointment.start_time
        )

    @property
    def order(self) -> tuple[object, ...]:
        """Those whose appointment is after its target come first, the oldest target before others; then who joined first."""
        late = not self.appointment.within_target
        by_target = self.appointment.target_time if late else self.joined_time
        return not late, by_target, self.joined_time, self.appointment.claim_ref


def assign(
    free: Iterable[Slot], waiting: Iterable[Place], *, can_hold: Callable[[Place, Slot], bool], now: datetime
) -> Iterator[tuple[Place, Slot]]:
    """Gives each claimant in turn the soonest of the free slots that they would take; a slot goes to one of them.

    `can_hold` tells whether the slot's assessor and office meet the needs of the appointment.
    """
    left = sorted(free, key=lambda slot: (slot.start_time, slot.assessor_id))
    for place in sorted(waiting, key=lambda one: one.order):
        found = next((slot for slot in left if place.takes(slot, now=now) and can_hold(place, slot)), None)
        if found is not None:
            left.remove(found)
            yield place, found
