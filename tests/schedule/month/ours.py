"""The platform's own way: its search with spill-over, its waiting list, its replanning, its share for emergencies."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from math import hypot
from uuid import UUID

from scheduling.domain.appointments import Appointment
from scheduling.domain.lateness import Span, later, next_callers
from scheduling.domain.limits import Limits
from scheduling.domain.offers import Choice
from scheduling.domain.offices import Channel, NearOffice, Office
from scheduling.domain.reasons import FreeSlot
from scheduling.domain.replanning import LATER_AT_MOST, NEIGHBOUR_KM, Opening, Replan, Rules, replan
from scheduling.domain.slots import REACH_KM, Slot
from scheduling.domain.waiting import USUAL_NOTICE, Place, assign
from scheduling.domain.working_time import TARGET
from tests.schedule.month.demand import MeasuredDemand, desk_of
from tests.schedule.month.diaries import Diaries
from tests.schedule.month.passing import Month
from tests.schedule.month.simple import NOTICE
from tests.schedule.month.world import Claimant, World


class Platform:
    """Decides as scheduling-svc does, by the functions of its domain; only what its store would read is read from lists."""

    name = "the platform"

    def __init__(self, world: World, diaries: Diaries) -> None:
        self._diaries = diaries
        self._demand = MeasuredDemand()
        self._offices = {office.code: office for office in world.offices}
        self._appointments: dict[int, Appointment] = {}
        self._reaches: dict[int, frozenset[str]] = {}

    def choose(self, claimant: Claimant, *, since: datetime) -> Slot | None:
        """The first offer."""
        self._demand.count(claimant, now=since)
        free = list(self._free(claimant, since))
        home = claimant.near[0][1]
        first = Choice(free=free, channel=claimant.wanted, nearest=home, home=home).first()
        return first.free.slot if first else None

    def _free(self, claimant: Claimant, since: datetime) -> list[FreeSlot]:
        """The earliest of the nearest office that keeps the target, by the channel that is wanted or else by telephone.

        Where none does, the earliest of each office within reach, at the times that are tried for late claimants.
        """
        limits = Limits(now=since, is_emergency=claimant.is_crisis)

        def at(code: str, distance: float, channel: Channel, first: datetime, until: datetime | None) -> list[FreeSlot]:
            office = NearOffice(office=self._offices[code], distance_km=distance)
            slots = self._diaries.free(code, channel, since=max(since, first), until=until, limits=limits)
            return [FreeSlot(slot=slot, office=office, due=claimant.due) for slot in islice(slots, 1)]

        reach = self._within_reach(claimant)
        channels = dict.fromkeys([claimant.wanted, *([Channel.TELEPHONE] if claimant.by_telephone else [])])
        for channel in channels:
            for distance, code in reach:
                if found := at(code, distance, channel, since, claimant.due):
                    return found
        for span in self._later(claimant, limits):
            late = [at(code, km, channel, span.first, span.until) for channel in channels for km, code in reach]
            if any(late):
                return [one for found in late for one in found]
        return []

    def _later(self, claimant: Claimant, limits: Limits) -> Sequence[Span]:
        """As scheduling-svc decides it (`service/lateness.py`), by the nearest office's free slots and measured demand."""
        nation, desk = claimant.office.nation, desk_of(claimant)
        callers = next_callers(claimant.due, nation, now=limits.now, target=TARGET)
        expected = self._demand.expected(desk, callers.days, now=limits.now)
        if claimant.is_crisis or claimant.missed or expected is None:
            return later(claimant.due, nation, target=TARGET, is_deferred=False)
        span = callers.span
        free = self._diaries.free(desk.office_code, desk.channel, since=span.first, until=span.until, limits=limits)
        is_deferred = callers.need(sum(1 for _ in free), expected)
        return later(claimant.due, nation, target=TARGET, is_deferred=is_deferred)

    @staticmethod
    def _within_reach(claimant: Claimant) -> Sequence[tuple[float, str]]:
        """The nearest office, and those within reach, nearest first: by telephone too, as in the service."""
        return [claimant.near[0], *(one for one in claimant.near[1:] if one[0] <= REACH_KM)]

    def displaced(self, month: Month, numbers: Sequence[int], *, now: datetime) -> None:
        """Replans at once. Then a person rings those whom the plan leaves without a slot, or with one after the target.

        Each is offered what a call would be offered, if that keeps the target; else the plan's slot, or of those that the
        list names as a solution the first.
        """
        appointments = [self._appointment(month, number, now) for number in numbers]
        if not appointments:
            return
        found = self._replan(appointments, now)
        for move in found.moves:
            month.move(_number(move.appointment), move.slot, now=now)
        solutions = {_number(left.appointment): left.solutions[0].slot for left in found.not_moved}
        late = [
            _number(move.appointment) for move in found.moves if move.slot.start_time > move.appointment.target_time
        ]
        for number in [*solutions, *late]:
            claimant, solution = month.claimants[number], solutions.get(number)
            offer = self.choose(claimant, since=now + NOTICE)
            if offer is not None and offer.start_time <= claimant.due:
                month.move(number, offer, now=now)
            elif number in solutions:
                is_free = solution is not None and self._diaries.is_free(solution)
                month.move(number, solution if is_free else offer, now=now)

    def freed(self, month: Month, slot: Slot, *, now: datetime) -> None:
        """The waiting list takes the slot, if somebody on it would come to it."""
        if slot.start_time < now + USUAL_NOTICE:
            return
        later = (number for number in month.late() if month.booked[number].start_time > slot.start_time)
        near = (number for number in later if slot.office_code in self._reach(month.claimants[number]))
        places = [self._place(month, number, now) for number in near]
        taken = next(assign([slot], places, can_hold=_anybody, now=now), None)
        if taken is not None:
            place, sooner = taken
            month.move(_number(place.appointment), sooner, now=now)

    def _reach(self, claimant: Claimant) -> frozenset[str]:
        """The offices to which the claimant would come."""
        if claimant.number not in self._reaches:
            self._reaches[claimant.number] = frozenset(code for _, code in self._within_reach(claimant))
        return self._reaches[claimant.number]

    def _place(self, month: Month, number: int, now: datetime) -> Place:
        claimant = month.claimants[number]
        return Place(
            appointment=self._appointment(month, number, now),
            offices=self._reach(claimant),
            by_telephone=claimant.by_telephone,
            notice=USUAL_NOTICE,
            joined_time=claimant.first_contact,
        )

    def _appointment(self, month: Month, number: int, now: datetime) -> Appointment:
        claimant, slot = month.claimants[number], month.booked[number]
        known = self._appointments.get(number)
        if known is not None and known.slot == slot:
            return known
        booked, _ = Appointment.book(
            appointment_id=UUID(int=number),
            claim_ref=f"C{number:011}",
            slot=slot,
            nation=claimant.office.nation,
            first_contact_time=claimant.first_contact,
            target_time=claimant.due,
            now=now,
        )
        self._appointments[number] = booked
        return booked

    def _replan(self, displaced: list[Appointment], now: datetime) -> Replan:
        office = self._offices[displaced[0].office_code]
        openings = [
            Opening(slot=slot, meets=frozenset())
            for code, channel in self._around(office)
            for slot in self._diaries.free(code, channel, since=now, until=now + LATER_AT_MOST)
        ]
        return replan(displaced, openings, Rules(now=now, distance_km=self._distance))

    def _around(self, office: Office) -> Iterator[tuple[str, Channel]]:
        for code in sorted(self._offices, key=lambda one: self._distance(office.code, one)):
            if self._distance(office.code, code) <= NEIGHBOUR_KM:
                yield code, Channel.OFFICE
            if self._distance(office.code, code) <= REACH_KM:
                yield code, Channel.TELEPHONE

    def _distance(self, one: str, other: str) -> float:
        first, second = self._offices[one], self._offices[other]
        return hypot(first.easting - second.easting, first.northing - second.northing) / 1000


def _number(appointment: Appointment) -> int:
    """The claimant's."""
    return appointment.appointment_id.int


def _anybody(place: Place, slot: Slot) -> bool:
    """Nobody of this month needs more than an assessor."""
    return True
