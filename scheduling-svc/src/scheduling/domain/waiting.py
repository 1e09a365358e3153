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
WORTH_A_MOVE = timedelta(days=1)
"""A claimant who is late all the same is moved for so much at least: every move is another message, another time to be free."""


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
            and self._is_worth(slot)
        )

    def keeps_target(self, slot: Slot) -> bool:
        """Whether the claimant, who is late now, would be in time with this slot."""
        return not self.appointment.within_target and slot.start_time <= self.appointment.target_time

    def _is_worth(self, slot: Slot) -> bool:
        late = slot.start_time > self.appointment.target_time
        return not late or self.appointment.start_time - slot.start_time >= WORTH_A_MOVE

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

    Those whom a slot brings back within the target come first; what these leave goes to the others. `can_hold` tells
    whether the slot's assessor and office meet the needs of the appointment.
    """
    left = sorted(free, key=lambda slot: (slot.start_time, slot.assessor_id))
    in_turn = sorted(waiting, key=lambda one: one.order)

    def soonest(place: Place, *, in_time: bool) -> Slot | None:
        wanted = (slot for slot in left if place.takes(slot, now=now) and (not in_time or place.keeps_target(slot)))
        return next((slot for slot in wanted if can_hold(place, slot)), None)

    for in_time in (True, False):
        for place in list(in_turn):
            if (slot := soonest(place, in_time=in_time)) is not None:
                in_turn.remove(place)
                left.remove(slot)
                yield place, slot
