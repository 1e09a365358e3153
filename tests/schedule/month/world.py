"""The month that passes: who calls when and from where, who works, and who is away. Drawn once, the same for every policy.

Numbers are synthetic where nothing else is said. How full a normal week is was reckoned before the month was played: 55,000
claims in a normal week, 6,000 assessors, three interviews a day of each who is at work, and the share of them who are.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from math import exp, hypot

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Channel, Office
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import LONDON, is_working_day, same_day_due, target_due

ASSESSORS = 8
"""Assessors of an office: 6,000 for 750 offices."""
CLAIMS_A_WEEK, ALL_ASSESSORS = 55_000, 6_000
"""The platform's size in a normal week, and the assessors for it."""
INTERVIEWS = 3
"""Interviews that an assessor holds a day; the rest of the day goes to what the interviews leave to do."""
SHIFTS = ((time(9), time(11, 15)), (time(10), time(12, 15)), (time(13), time(15, 15)), (time(14, 30), time(16, 45)))
"""The interviewing hours of assessors, in turn."""
LATE_SHIFT = (time(16), time(18, 15))
"""The interviewing hours of a late duty, by telephone: as long as those of others."""
WEEKDAYS = (1.25, 1.05, 1.0, 0.9, 0.8)
"""Calls by weekday, Monday first: shares of an ordinary day's."""
OFFICE_SPREAD, AREA_SPREAD, AREA_KM = 0.25, 0.25, 40
"""Pressure differs from office to office, and from area to area of so many kilometres: standard deviations of its logarithm."""
WANT_TELEPHONE = 1 / 8
"""The share of claimants who want to be interviewed by telephone."""
BY_TELEPHONE = 0.6
"""The share of the others who take a telephone interview where the office cannot keep the target."""
CRISES = 0.03
CANCELLED = 0.06
MISSED = 0.1
SOONER = 0.7
"""The share of claimants with an appointment after their target who would come to an earlier one at a day's notice."""
SCATTER_KM = 5.0
"""The distance of claimants from their office: the standard deviation in each direction."""
AWAY = 0.04
"""The share of assessors who are away on an ordinary day, and call in at 08:50.

Jobcentre Plus lost 9.8 to 12 working days a staff year to sickness in 2001 to 2004 (House of Commons, 16 June 2006), which is
four to five in 100.
"""
CALLS_IN = time(8, 50)
LINES_OPEN = (time(8), time(18))


@dataclass(frozen=True, kw_only=True)
class Staffing:
    """The assessors at work: the share of their days on which they are on the rota, and how many of an office's telephone.

    `late_duty`: one of an office telephones until the lines have closed, an hour and a half later than otherwise.
    """

    name: str
    on_rota: float
    on_telephone: int
    late_duty: bool = False

    @property
    def filled(self) -> float:
        """The share of the rotas' slots that a normal week's calls fill."""
        return CLAIMS_A_WEEK / (ALL_ASSESSORS * INTERVIEWS * len(WEEKDAYS) * self.on_rota)


RECKONED = Staffing(name="as reckoned", on_rota=0.74, on_telephone=1)
"""As was reckoned before the month was played.

Planners of contact centres reckon with 26 to 35 in 100 away for leave, part-time work, training and sickness (survey of the
Society of Workforce Planning Professionals, spring 2024). Here it is 30, of which sickness (AWAY) is 4. As many assessors
telephone as claimants want it.
"""
SPARE = Staffing(name="with spare time", on_rota=1.0, on_telephone=2)
"""Everybody is at work every day, and twice as many telephone as claimants want it."""
LATE_DUTY = Staffing(name="with a late duty", on_rota=0.74, on_telephone=1, late_duty=True)
"""As reckoned, but for the hours of the assessor who telephones: until the lines close. Nobody works longer."""
STAFFINGS = (RECKONED, LATE_DUTY, SPARE)


@dataclass(frozen=True, kw_only=True)
class Week:
    """A week of the month: its demand beside a normal one's, and the share of assessors who are away for all of it."""

    name: str
    monday: date
    demand: float = 1.0
    away: float = 0.0


MONTH = (
    Week(name="a normal week", monday=date(2026, 4, 13)),
    Week(name="twice the demand", monday=date(2026, 4, 20), demand=2.0),
    Week(name="flu: a fifth of assessors away", monday=date(2026, 4, 27), away=0.2),
    Week(name="a bank holiday on Monday", monday=date(2026, 5, 4)),
)
"""Four weeks in a row: what one leaves undone the next begins with. 4 May 2026 is the Early May bank holiday."""
AFTERWARDS = timedelta(weeks=8)
"""Rotas are published for so long after the month."""


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """A claimant who calls: when, the office whose area it is, and the offices within reach with their kilometres.

    `cancels` is the share of the time to the interview after which it is cancelled; None for one who does not.
    """

    number: int
    first_contact: datetime
    office: Office
    near: Sequence[tuple[float, str]]
    wanted: Channel
    by_telephone: bool
    is_crisis: bool
    cancels: float | None
    stays_away: bool
    would_come_sooner: bool
    week: Week = field(repr=False)
    missed: datetime | None = None
    """When the first interview was missed: the target counts anew from then, as in the service."""

    @cached_property
    def due(self) -> datetime:
        """By when the interview should start: 48 hours of working days, a crisis on the same day."""
        since = self.missed or self.first_contact
        if self.is_crisis:
            return same_day_due(since, self.office.nation)
        return target_due(since, self.office.nation)


@dataclass(frozen=True, kw_only=True)
class Absence:
    """An assessor who calls in at `told` and is away from that day to the last one."""

    told: datetime
    assessor_id: str
    last: date


@dataclass(frozen=True, kw_only=True)
class World:
    """A month as it was drawn."""

    offices: Sequence[Office]
    shifts: Sequence[Shift]
    claimants: Sequence[Claimant]
    absences: Sequence[Absence]
    usual: dict[str, float]
    """The calls of an ordinary day by office."""


def region(offices: Sequence[Office], *, around: tuple[int, int], number: int) -> list[Office]:
    """The offices nearest to a point, in metres on the British National Grid."""
    return sorted(offices, key=lambda one: hypot(one.easting - around[0], one.northing - around[1]))[:number]


def draw(
    offices: Sequence[Office], *, seed: int, weeks: Sequence[Week] = MONTH, staffing: Staffing = RECKONED
) -> World:
    """A month of these offices. The calls do not depend on the staffing."""
    chance, of_rotas = random.Random(seed), random.Random(f"rotas {seed}")
    usual = _usual_calls(offices, chance)
    return World(
        offices=offices,
        shifts=list(_shifts(offices, weeks, staffing, of_rotas)),
        claimants=list(_claimants(offices, usual, weeks, chance)),
        absences=list(_absences(offices, weeks, chance)),
        usual=usual,
    )


def assessors_of(office: Office) -> list[str]:
    """The references of an office's assessors."""
    return [f"M{office.code}{number}" for number in range(ASSESSORS)]


def working_days_of(weeks: Sequence[Week]) -> Iterator[tuple[Week, date]]:
    """The days of these weeks on which somebody works."""
    for week in weeks:
        for offset in range(5):
            yield week, week.monday + timedelta(days=offset)


def _usual_calls(offices: Sequence[Office], chance: random.Random) -> dict[str, float]:
    areas: dict[tuple[int, int], float] = {}
    weights = {}
    for office in offices:
        area = (office.easting // (1000 * AREA_KM), office.northing // (1000 * AREA_KM))
        pressure = areas.setdefault(area, chance.gauss(0, AREA_SPREAD)) + chance.gauss(0, OFFICE_SPREAD)
        weights[office.code] = exp(pressure)
    a_day = CLAIMS_A_WEEK / len(WEEKDAYS) * ASSESSORS / ALL_ASSESSORS
    whole = a_day * len(offices) / sum(weights.values())
    return {code: weight * whole for code, weight in weights.items()}


def _shifts(
    offices: Sequence[Office], weeks: Sequence[Week], staffing: Staffing, chance: random.Random
) -> Iterator[Shift]:
    """The last ones of an office telephone, the others see claimants there. The day's last slot there is kept for emergencies.

    None of a late duty is: that would be a third of the time in which an office telephones.
    """
    first, last = weeks[0].monday, weeks[-1].monday + AFTERWARDS
    days = [first + timedelta(days=offset) for offset in range((last - first).days)]
    for office in offices:
        for day in days:
            if not is_working_day(day, office.nation):
                continue
            at_work = [number for number in range(ASSESSORS) if chance.random() < staffing.on_rota]
            at_office = [number for number in at_work if number < ASSESSORS - staffing.on_telephone]
            on_call = max(at_office, key=lambda number: SHIFTS[number % len(SHIFTS)], default=None)
            for number in at_work:
                is_late = staffing.late_duty and number == ASSESSORS - 1
                start, end = LATE_SHIFT if is_late else SHIFTS[number % len(SHIFTS)]
                yield Shift(
                    assessor_id=assessors_of(office)[number],
                    office_code=office.code,
                    start_time=moment(day, start),
                    end_time=moment(day, end),
                    channel=Channel.OFFICE if number in at_office else Channel.TELEPHONE,
                    emergency_slots=1 if number == on_call else 0,
                )


def _claimants(
    offices: Sequence[Office], usual: dict[str, float], weeks: Sequence[Week], chance: random.Random
) -> Iterator[Claimant]:
    number = 0
    for week, day in working_days_of(weeks):
        for office in offices:
            if not is_working_day(day, office.nation):
                continue
            for _ in range(_poisson(_calls(usual[office.code], week, day, office.nation), chance)):
                number += 1
                yield _claimant(number, office, offices=offices, day=day, week=week, chance=chance)


def _calls(usual: float, week: Week, day: date, nation: Nation) -> float:
    """The calls to expect on a day; those of a bank holiday come on the next day."""
    calls = usual * week.demand * WEEKDAYS[day.weekday()]
    before = day - timedelta(days=1)
    if before.weekday() < len(WEEKDAYS) and not is_working_day(before, nation):
        calls += usual * week.demand * WEEKDAYS[before.weekday()]
    return calls


def _claimant(
    number: int, office: Office, *, offices: Sequence[Office], day: date, week: Week, chance: random.Random
) -> Claimant:
    east, north = (at + chance.gauss(0, 1000 * SCATTER_KM) for at in (office.easting, office.northing))
    near = sorted((hypot(one.easting - east, one.northing - north) / 1000, one.code) for one in offices)
    wanted = Channel.TELEPHONE if chance.random() < WANT_TELEPHONE else Channel.OFFICE
    opens, closes = (moment(day, at) for at in LINES_OPEN)
    cancels = chance.random() if chance.random() < CANCELLED else None
    return Claimant(
        number=number,
        first_contact=opens + chance.random() * (closes - opens),
        office=office,
        near=near,
        wanted=wanted,
        by_telephone=chance.random() < BY_TELEPHONE or wanted is Channel.TELEPHONE,
        is_crisis=chance.random() < CRISES,
        cancels=cancels,
        stays_away=chance.random() < MISSED,
        would_come_sooner=chance.random() < SOONER,
        week=week,
    )


def _absences(offices: Sequence[Office], weeks: Sequence[Week], chance: random.Random) -> Iterator[Absence]:
    for week in weeks:
        for office in offices:
            for assessor_id in assessors_of(office):
                whole_week = chance.random() < week.away
                for offset in range(5):
                    day = week.monday + timedelta(days=offset)
                    is_away = chance.random() < AWAY
                    if whole_week and offset == 0:
                        yield Absence(told=moment(day, CALLS_IN), assessor_id=assessor_id, last=day + timedelta(days=4))
                    elif is_away and not whole_week:
                        yield Absence(told=moment(day, CALLS_IN), assessor_id=assessor_id, last=day)


def _poisson(mean: float, chance: random.Random) -> int:
    """A number of calls, by the intervals between them."""
    number, left = 0, mean - chance.expovariate(1)
    while left > 0:
        number, left = number + 1, left - chance.expovariate(1)
    return number


def moment(day: date, local: time) -> datetime:
    """The moment in UTC of a time in London, on a whole minute."""
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)
