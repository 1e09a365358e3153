"""Replanning: the interviews of an absent assessor, or of a closed office, get other slots at once.

Nobody is asked to come earlier than was agreed, or at short notice. What no slot can be found for by these rules stays
booked, and is listed by urgency with what would solve it: a person decides.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from scheduling.domain.appointments import Appointment
from scheduling.domain.assignment import assign
from scheduling.domain.diary import Stretch
from scheduling.domain.limits import BREAKS
from scheduling.domain.offers import NOT_BY_TELEPHONE
from scheduling.domain.offices import OF_EVERY_OFFICE, OF_THE_BUILDING, Channel, asked_skills
from scheduling.domain.slots import Slot, SlotId
from scheduling.domain.working_time import london_day

NOTICE = timedelta(hours=2)
"""The claimant is told so long before an interview at another time, at another place or in another way."""
LATER_AT_MOST = timedelta(days=7)
"""An interview is put off by no more than this without a person."""
NEIGHBOUR_KM = 15.0
"""The distance between the offices within which a claimant is sent to another one.

Where the claimant lives is not kept, so that it is counted from the office that was to hold the interview."""
AT_ONCE = 40
"""So many interviews are assigned together, the soonest first: the work grows with the square of their number."""
STEP = AT_ONCE
"""At most so many interviews are replanned in one transaction, the soonest first. The rest follow in steps of their own."""
STEP_DAYS = timedelta(days=14)
"""The interviews of a step start within so long of each other: the free slots that must be read grow with it."""
SOLUTIONS = 3
"""At most so many solutions are shown with an interview that was not moved."""


class Disturbance(IntEnum):
    """The difference that a move makes to the claimant, the least first."""

    NONE = 0
    """The same time, place and way: another assessor."""
    SAME_DAY = 1
    BY_TELEPHONE = 2
    """On the same day, or by the target."""
    OTHER_OFFICE = 3
    """On the same day, or by the target."""
    OTHER_DAY = 4


class Urgency(IntEnum):
    """The order in which a person sees to the interviews that were not moved."""

    DUE_TODAY = 0
    """The target ends today: that of an application for a crisis loan, above all."""
    TODAY = 1
    """The claimant comes today."""
    COMING = 2


class SolutionKind(StrEnum):
    """A way out that a person can take: OPEN_SLOT names no slot, FREED breaks no rule, the others break one each."""

    FREED = "FREED"
    """The slot came free after the replanning."""
    EARLIER = "EARLIER"
    SHORT_NOTICE = "SHORT_NOTICE"
    BY_TELEPHONE = "BY_TELEPHONE"
    OTHER_SKILLS = "OTHER_SKILLS"
    FARTHER_OFFICE = "FARTHER_OFFICE"
    LATER = "LATER"
    OPEN_SLOT = "OPEN_SLOT"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A free slot. `meets`: the needs and schemes that its office and assessor meet; `taken`: the rest of the shift."""

    slot: Slot
    meets: frozenset[str]
    taken: tuple[Stretch, ...] = ()
    gap: Stretch | None = None
    """The free time around it, for a home visit, whose ways it must hold too."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """An interview and the slot that it gets."""

    appointment: Appointment
    slot: Slot
    disturbance: Disturbance


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A way out for an interview that was not moved, with the slot that it would take. OPEN_SLOT has none."""

    kind: SolutionKind
    slot: Slot | None = None


@dataclass(frozen=True, kw_only=True)
class NotMoved:
    """An interview that stays booked although nobody is there to hold it; with `still_to_move`, until a later step."""

    appointment: Appointment
    urgency: Urgency
    solutions: tuple[Solution, ...]
    still_to_move: bool = False


@dataclass(frozen=True, kw_only=True)
class Replan:
    """The moves, and the remainder: the most urgent first."""

    moves: tuple[Move, ...]
    not_moved: tuple[NotMoved, ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules by which an opening can take an interview: now, and the kilometres between two offices by their codes.

    `way` gives that of a home visit from an office, by its code; None where it is too long.
    """

    now: datetime
    distance_km: Callable[[str, str], float]
    way: Callable[[Appointment, str], timedelta | None] = lambda appointment, _code: appointment.travel

    def slot_for(self, appointment: Appointment, opening: Opening) -> Slot | None:
        """The slot as it would be for the interview, with the way of a home visit; None where that does not fit."""
        if opening.slot.channel is not Channel.HOME_VISIT or opening.gap is None:
            return opening.slot
        way = self.way(appointment, opening.slot.office_code)
        slot = replace(opening.slot, travel=way) if way is not None else None
        return slot if slot is not None and opening.gap.holds(Stretch.around(slot)) else None

    def broken(self, appointment: Appointment, opening: Opening) -> set[SolutionKind] | None:
        """The rules that a move there would break; None where it cannot be at all."""
        slot = opening.slot
        if slot.channel not in (appointment.channel, Channel.TELEPHONE) or slot.start_time <= self.now:
            return None
        if not appointment.schemes <= opening.meets or self.slot_for(appointment, opening) is None:
            return None
        return {kind for kind, is_broken in self._tests(appointment, opening) if is_broken}

    def disturbance(self, appointment: Appointment, slot: Slot) -> Disturbance:
        """The difference that such a move makes to the claimant."""
        if slot.channel is not appointment.channel:
            return Disturbance.BY_TELEPHONE
        if slot.channel is Channel.OFFICE and slot.office_code != appointment.office_code:
            return Disturbance.OTHER_OFFICE
        if slot.start_time == appointment.start_time:
            return Disturbance.NONE
        same_day = london_day(slot.start_time) == london_day(appointment.start_time)
        return Disturbance.SAME_DAY if same_day else Disturbance.OTHER_DAY

    def urgency(self, appointment: Appointment) -> Urgency:
        """The urgency of an interview that was not moved."""
        today = london_day(self.now)
        if london_day(appointment.target_time - timedelta.resolution) <= today <= london_day(appointment.target_time):
            return Urgency.DUE_TODAY
        return Urgency.TODAY if london_day(appointment.start_time) <= today else Urgency.COMING

    def _tests(self, appointment: Appointment, opening: Opening) -> Iterator[tuple[SolutionKind, bool]]:
        slot, disturbance = opening.slot, self.disturbance(appointment, opening.slot)
        yield SolutionKind.EARLIER, slot.start_time < appointment.start_time
        at_short_notice = slot.start_time < self.now + NOTICE
        yield SolutionKind.SHORT_NOTICE, at_short_notice and disturbance is not Disturbance.NONE
        yield (
            SolutionKind.BY_TELEPHONE,
            disturbance is Disturbance.BY_TELEPHONE and not NOT_BY_TELEPHONE.isdisjoint(appointment.needs),
        )
        yield SolutionKind.OTHER_SKILLS, not _asked(appointment, slot.channel) <= opening.meets
        apart = slot.channel is not Channel.TELEPHONE and slot.office_code != appointment.office_code
        yield (
            SolutionKind.FARTHER_OFFICE,
            apart and self.distance_km(appointment.office_code, slot.office_code) > NEIGHBOUR_KM,
        )
        yield SolutionKind.LATER, self._too_late(appointment, slot, disturbance)

    @staticmethod
    def _too_late(appointment: Appointment, slot: Slot, disturbance: Disturbance) -> bool:
        if disturbance in (Disturbance.BY_TELEPHONE, Disturbance.OTHER_OFFICE):
            # Another place or way is worth it for the target or for the day only.
            same_day = london_day(slot.start_time) == london_day(appointment.start_time)
            return slot.start_time > appointment.target_time and not same_day
        return slot.start_time > appointment.start_time + LATER_AT_MOST


def first_step(displaced: Collection[Appointment]) -> tuple[list[Appointment], list[Appointment]]:
    """The interviews that are replanned first, and those that are left for later steps; the soonest first in both."""
    in_order = sorted(displaced, key=lambda one: (one.start_time, one.appointment_id))
    number = sum(1 for one in in_order[:STEP] if one.start_time <= in_order[0].start_time + STEP_DAYS)
    return in_order[:number], in_order[number:]


def replan(displaced: Collection[Appointment], openings: Sequence[Opening], rules: Rules) -> Replan:
    """Gives the displaced interviews the openings, no opening twice.

    In this order: as many as can be are moved, and the most urgent ones rather than others; as many as can be start by
    their target; as few claimants as can be are disturbed, and these as little as can be. A slot with which a stand-in would
    have no break beside the others is planned without.
    """
    left = {opening.slot.slot_id: opening for opening in openings}
    while True:
        plan = _replan(displaced, list(left.values()), rules)
        without_break = _without_break(plan.moves, left)
        if not without_break:
            return plan
        for slot_id in without_break:
            del left[slot_id]


def _without_break(moves: Iterable[Move], openings: Mapping[SlotId, Opening]) -> list[SlotId]:
    """The slots that are too much beside those before them, on the day of the same assessor."""
    taken: dict[str, list[Stretch]] = {}
    found = []
    for move in sorted(moves, key=lambda move: move.slot.start_time):
        slot = move.slot
        of_assessor = taken.setdefault(slot.assessor_id, [])
        around = Stretch.around(slot)
        apart = not any(around.overlaps(other) for other in of_assessor)
        if apart and BREAKS.allow(around, [*openings[slot.slot_id].taken, *of_assessor]):
            of_assessor.append(around)
        else:
            found.append(slot.slot_id)
    return found


def _replan(displaced: Collection[Appointment], openings: Sequence[Opening], rules: Rules) -> Replan:
    in_order = sorted(displaced, key=lambda one: (one.start_time, one.appointment_id))
    left = {opening.slot.slot_id: opening for opening in openings}
    moves: list[Move] = []
    for first in range(0, len(in_order), AT_ONCE):
        found = _assigned(in_order[first : first + AT_ONCE], list(left.values()), rules)
        for move in found:
            del left[move.slot.slot_id]
        moves += found
    moved = {move.appointment.appointment_id for move in moves}
    rest = [one for one in in_order if one.appointment_id not in moved]
    return Replan(moves=tuple(moves), not_moved=tuple(listed(rest, list(left.values()), rules)))


def listed(displaced: Collection[Appointment], openings: Sequence[Opening], rules: Rules) -> Iterator[NotMoved]:
    """The interviews that a person must see to, the most urgent first, each with what would solve it.

    No slot is named for two of them.
    """
    named: set[SlotId] = set()
    for appointment in sorted(displaced, key=lambda one: (rules.urgency(one), one.start_time, one.appointment_id)):
        found = _solutions(appointment, [one for one in openings if one.slot.slot_id not in named], rules)
        named |= {solution.slot.slot_id for solution in found if solution.slot}
        yield NotMoved(appointment=appointment, urgency=rules.urgency(appointment), solutions=tuple(found))


def _assigned(displaced: Sequence[Appointment], openings: Sequence[Opening], rules: Rules) -> list[Move]:
    ways = [_ways(appointment, openings, rules) for appointment in displaced]
    # Where each has as many of its best as there are interviews, one of them is left for it.
    best = [dict(sorted(of_one.items(), key=lambda way: way[1])[: len(displaced)]) for of_one in ways]
    columns = sorted({number for of_one in best for number in of_one})
    stay = _costs_of_staying(
        displaced, rules, most=max((cost for of_one in best for cost in of_one.values()), default=0)
    )
    never = sum(stay) + 1
    costs = [
        [of_one.get(column, never) for column in columns] + [stay[row]] * len(displaced)
        for row, of_one in enumerate(best)
    ]
    return [
        Move(
            appointment=appointment,
            slot=rules.slot_for(appointment, openings[columns[column]]) or openings[columns[column]].slot,
            disturbance=rules.disturbance(appointment, openings[columns[column]].slot),
        )
        for appointment, column in zip(displaced, assign(costs), strict=True)
        if column < len(columns)
    ]


def _ways(appointment: Appointment, openings: Sequence[Opening], rules: Rules) -> Mapping[int, int]:
    """The openings that can take it, by their numbers, each with its cost."""
    # Of an absence of months most openings are too early or too late: they are passed over before the rules are asked.
    first, last = appointment.start_time, max(appointment.start_time + LATER_AT_MOST, appointment.target_time)
    return {
        number: _cost(appointment, opening.slot, rules)
        for number, opening in enumerate(openings)
        if first <= opening.slot.start_time <= last and rules.broken(appointment, opening) == set()
    }


_MINUTES = 100_000
"""More than there are in LATER_AT_MOST, or until any target."""


def _cost(appointment: Appointment, slot: Slot, rules: Rules) -> int:
    """Late outweighs any number of disturbed claimants, disturbed any degree of it, the degree any length of time."""
    disturbance = rules.disturbance(appointment, slot)
    minutes = min(int(abs(slot.start_time - appointment.start_time).total_seconds()) // 60, _MINUTES - 1)
    disturbed = disturbance is not Disturbance.NONE
    late = slot.start_time > appointment.target_time
    degrees = len(Disturbance) * AT_ONCE
    return ((late * 2 * AT_ONCE + disturbed) * degrees + disturbance) * _MINUTES * AT_ONCE + minutes


def _costs_of_staying(displaced: Sequence[Appointment], rules: Rules, *, most: int) -> list[int]:
    """More than all moves together for each that stays; and the more, the more urgent it is."""
    number = len(displaced)
    by_urgency = sorted(range(number), key=lambda row: (rules.urgency(displaced[row]), row))
    unit = (most + 1) * (number + 1)
    costs = [0] * number
    for rank, row in enumerate(by_urgency):
        costs[row] = unit * (number * number + number - rank)
    return costs


def _solutions(appointment: Appointment, openings: Sequence[Opening], rules: Rules) -> list[Solution]:
    """The best slot for each rule that a person can set aside, alone; where there is none, a slot must be opened."""
    found: dict[SolutionKind, Slot] = {}
    for opening in sorted(openings, key=lambda one: _cost(appointment, one.slot, rules)):
        broken = rules.broken(appointment, opening)
        if broken is not None and len(broken) < 2:
            found.setdefault(broken.pop() if broken else SolutionKind.FREED, opening.slot)
            if len(found) == SOLUTIONS:
                break
    shown = [Solution(kind=kind, slot=slot) for kind, slot in found.items()]
    return shown or [Solution(kind=SolutionKind.OPEN_SLOT)]


def _asked(appointment: Appointment, channel: Channel) -> frozenset[str]:
    asked = appointment.needs - OF_EVERY_OFFICE
    needs = asked if channel is Channel.OFFICE else asked - OF_THE_BUILDING
    return asked_skills(needs, language=appointment.language)
