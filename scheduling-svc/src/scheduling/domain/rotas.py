"""A rota: the shifts that an assessor works at an office, published by whole weeks."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from chassis.errors import AlreadyExists, InvalidArgument, NotFound, Violation
from scheduling.domain.diary import Stretch
from scheduling.domain.offices import Assessor, Channel, Office
from scheduling.domain.shifts import LONGEST_SHIFT, Shift
from scheduling.domain.working_time import LONDON, london_day

WEEK = timedelta(weeks=1)
WEEKS_AHEAD = 12
"""Rotas are published for this week and so many after it."""


class AssessorUnknown(NotFound):
    """No assessor has the reference."""

    def __init__(self, *, field: str = "assessor_id") -> None:
        violation = Violation(field=field, description="is not in the list of assessors")
        super().__init__("ASSESSOR_UNKNOWN", "no assessor has this reference", violations=[violation])


class ShiftElsewhere(AlreadyExists):
    """The assessor works at another office at that time."""

    def __init__(self) -> None:
        violation = Violation(field="shifts", description="one overlaps a shift of the assessor at another office")
        super().__init__("SHIFT_ELSEWHERE", "the assessor works at another office at that time", violations=[violation])


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def week_of(monday: date) -> Stretch:
    """The week that begins then, in London, as a stretch in UTC."""
    start, end = (datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC) for day in (monday, monday + WEEK))
    return Stretch(start_time=start, end_time=end)


@dataclass(frozen=True, kw_only=True)
class RotaChange:
    """The difference that a rota makes to the shifts that were published before."""

    added: Sequence[Shift]
    kept: Sequence[Shift]
    removed: Sequence[Shift]


@dataclass(frozen=True, kw_only=True)
class Rota:
    """The shifts of an assessor at an office in these weeks, which are named by their Mondays."""

    assessor_id: str
    office_code: str
    shifts: Sequence[Shift]
    weeks: Collection[date]

    @classmethod
    def of(
        cls,
        assessor: Assessor,
        office: Office,
        *,
        shifts: Sequence[Shift],
        weeks: Sequence[date] = (),
        now: datetime,
    ) -> "Rota":
        """The rota of these shifts, and of these weeks beside those in which a shift starts.

        Shifts at the office are within its opening hours, those elsewhere on its days. Raises InvalidArgument, naming every
        field of the request that is at fault.
        """
        faults = [*_shift_faults(shifts, assessor, office, now), *_week_faults(weeks, now)]
        if not shifts and not weeks:
            faults.append(Violation(field="shifts", description="shifts or weeks must be given"))
        if faults:
            raise InvalidArgument.of(*faults)
        return cls(
            assessor_id=assessor.assessor_id,
            office_code=office.code,
            shifts=sorted(shifts, key=lambda shift: shift.start_time),
            weeks=frozenset(weeks) | {monday_of(london_day(shift.start_time)) for shift in shifts},
        )

    @property
    def stretches(self) -> list[Stretch]:
        """The weeks in order, as stretches in UTC."""
        return [week_of(monday) for monday in sorted(self.weeks)]

    def change(self, before: Iterable[Shift]) -> RotaChange:
        """The difference to the shifts that were published before for these weeks and are not over."""
        published = list(before)
        return RotaChange(
            added=[shift for shift in self.shifts if shift not in published],
            kept=[shift for shift in self.shifts if shift in published],
            removed=[shift for shift in published if shift not in self.shifts],
        )


def _shift_faults(shifts: Sequence[Shift], assessor: Assessor, office: Office, now: datetime) -> Iterator[Violation]:
    for index, shift in enumerate(shifts):
        for part, description in _faults(shift, assessor, office, now):
            yield Violation(field=f"shifts[{index}].{part}", description=description)
    in_order = sorted(range(len(shifts)), key=lambda index: shifts[index].start_time)
    for before, after in pairwise(in_order):
        if shifts[after].start_time < shifts[before].end_time:
            yield Violation(field=f"shifts[{after}].start", description=f"overlaps shifts[{before}]")


def _faults(shift: Shift, assessor: Assessor, office: Office, now: datetime) -> Iterator[tuple[str, str]]:
    for part, moment in (("start", shift.start_time), ("end", shift.end_time)):
        if moment.second or moment.microsecond:
            yield part, "is not on a whole minute"
    if not shift.skills <= assessor.meets:
        yield "skills", "names a skill that the assessor does not have"
    if shift.channel not in office.channels:
        yield "channel", "is one in which the office holds no interviews"
    at_fault = list(_times_faults(shift, office, now))
    yield from at_fault
    # The slots of a shift that is too long, or at the ends of time, are not counted.
    if not at_fault and not 0 <= shift.emergency_slots <= sum(1 for _ in shift.slots()):
        yield "emergency_slots", "is not from none to all of the slots of the shift"


def _times_faults(shift: Shift, office: Office, now: datetime) -> Iterator[tuple[str, str]]:
    # What is far away goes no further: the calendar of London does not reach to the ends of time.
    if shift.end_time <= shift.start_time:
        yield "end", "is not after the start"
    elif shift.end_time - shift.start_time > LONGEST_SHIFT:
        yield "end", "is more than fourteen hours after the start"
    elif shift.end_time <= now:
        yield "end", "is past"
    elif shift.start_time > now + (WEEKS_AHEAD + 1) * WEEK or not _is_near(
        monday_of(london_day(shift.start_time)), now
    ):
        yield "start", "is more than twelve weeks ahead"
    elif london_day(shift.end_time - timedelta.resolution) != london_day(shift.start_time):
        yield "end", "is not on the day of the start, in London"
    else:
        yield from _closed_faults(shift, office)


def _closed_faults(shift: Shift, office: Office) -> Iterator[tuple[str, str]]:
    day = london_day(shift.start_time)
    hours = office.hours_on(day)
    if hours is None:
        yield "start", "is on a day on which the office is closed"
        return
    # A visit may begin before the office opens, and a telephone interview need not be held in it.
    if shift.channel is Channel.OFFICE:
        if shift.start_time.astimezone(LONDON).time() < hours.opens:
            yield "start", "is before the office opens"
        # A shift to midnight ends at the beginning of the next day.
        if (shift.end_time - timedelta.resolution).astimezone(LONDON).time() >= hours.closes:
            yield "end", "is after the office closes"


def _week_faults(weeks: Sequence[date], now: datetime) -> Iterator[Violation]:
    for index, monday in enumerate(weeks):
        if monday.weekday() != 0:
            yield Violation(field=f"weeks[{index}]", description="is not a Monday")
        elif not _is_near(monday, now):
            yield Violation(field=f"weeks[{index}]", description="is past, or more than twelve weeks ahead")


def _is_near(monday: date, now: datetime) -> bool:
    this_week = monday_of(london_day(now))
    return this_week <= monday <= this_week + WEEKS_AHEAD * WEEK
