"""Shifts, slots and rotas on the days on which calendars go wrong."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import holidays
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from chassis.errors import InvalidArgument
from scheduling.domain.offices import Assessor, Channel, Contract, Hours, Need, Office
from scheduling.domain.rotas import Rota, monday_of, week_of
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, SlotId
from scheduling.domain.working_time import LONDON, is_working_day, london_day

YEARS = range(2020, 2036)
BANK_HOLIDAYS = {nation: holidays.country_holidays("GB", subdiv=nation.value, years=YEARS) for nation in Nation}
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ALL_DAY = Hours(opens=time(0), closes=time(23, 59))
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)]
"""The days on which summer time begins or ends."""

nations = st.sampled_from(Nation)
around_changes = st.builds(lambda change, days: change + days * DAY, st.sampled_from(CHANGES), st.integers(-3, 3))
days = st.one_of(around_changes, st.dates(date(2021, 1, 1), date(2034, 12, 31)))


def in_london(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC)


def shift(start: datetime, end: datetime, *, channel: Channel = Channel.OFFICE) -> Shift:
    return Shift(assessor_id="ALE02001", office_code="600021", start_time=start, end_time=end, channel=channel)


def rota(*shifts: Shift, nation: Nation = Nation.ENGLAND, now: datetime) -> Rota:
    assessor = Assessor(
        assessor_id="ALE02001",
        office_code="600021",
        sex=Need.FEMALE_ASSESSOR,
        contract=Contract.FULL_TIME,
        skills=frozenset(),
    )
    office = Office(
        code="600021",
        name="Leeds",
        postcode="LS1 3AB",
        easting=429824,
        northing=433862,
        nation=nation,
        features=frozenset(),
        hours=(ALL_DAY,) * 7,
    )
    return Rota.of(assessor, office, shifts=shifts, now=now)


def faults(*shifts: Shift, nation: Nation = Nation.ENGLAND, now: datetime) -> list[str]:
    try:
        rota(*shifts, nation=nation, now=now)
    except InvalidArgument as refused:
        return [violation.field for violation in refused.violations]
    return []


@settings(max_examples=40, deadline=None)
@given(day=days)
def test_a_days_slots_are_at_the_same_times_by_the_clock_on_every_day_of_the_year(day: date) -> None:
    slots = [*shift(in_london(day, time(9)), in_london(day, time(17))).slots()]

    assert [f"{slot.start_time.astimezone(LONDON):%H:%M}" for slot in slots] == [
        "09:00", "09:45", "10:30", "11:15", "12:00", "12:45", "13:30", "14:15", "15:00", "15:45",
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(day=st.sampled_from(CHANGES), begin=st.times(time(0), time(1, 59)), hours=st.integers(1, 6))
@example(day=CHANGES[0], begin=time(0, 30), hours=3)
@example(day=CHANGES[1], begin=time(0, 30), hours=3)
def test_no_slot_is_lost_doubled_or_shortened_while_the_clocks_change(day: date, begin: time, hours: int) -> None:
    start = in_london(day, begin.replace(second=0, microsecond=0))

    slots = [*shift(start, start + timedelta(hours=hours)).slots()]

    assert {slot.end_time - slot.start_time for slot in slots} == {SLOT_LENGTH}
    assert all(before.end_time == after.start_time for before, after in pairwise(slots))
    assert len(slots) == timedelta(hours=hours) // SLOT_LENGTH
    ids = [str(slot.slot_id) for slot in slots]
    assert len({*ids}) == len(ids)
    assert [SlotId.read(text).start_time for text in ids] == [slot.start_time for slot in slots]


@settings(max_examples=40, deadline=None)
@given(day=days, nation=nations)
@example(day=date(2026, 1, 2), nation=Nation.SCOTLAND)
@example(day=date(2026, 1, 2), nation=Nation.ENGLAND)
@example(day=date(2026, 4, 3), nation=Nation.SCOTLAND)  # Good Friday
@example(day=date(2026, 4, 6), nation=Nation.SCOTLAND)  # Easter Monday, on which Scotland works
@example(day=date(2026, 12, 28), nation=Nation.WALES)  # for Boxing Day, which is a Saturday
@example(day=date(2026, 11, 30), nation=Nation.SCOTLAND)  # Saint Andrew's Day
def test_a_shift_is_refused_on_the_days_on_which_its_nations_offices_are_closed(day: date, nation: Nation) -> None:
    is_worked = day.weekday() < 5 and day not in BANK_HOLIDAYS[nation]
    worked = shift(in_london(day, time(9)), in_london(day, time(17)))

    found = faults(worked, nation=nation, now=in_london(day - 5 * DAY, time(12)))

    assert found == ([] if is_worked else ["shifts[0].start"])


@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2026, 7, 6), date(2026, 10, 26)])
def test_a_shift_ends_by_midnight_in_london_whatever_the_day_by_utc(day: date) -> None:
    now, evening, midnight = (
        in_london(day - DAY, time(12)), in_london(day, time(18)), in_london(day + DAY, time())
    )  # fmt: skip

    def by_telephone(end: datetime) -> Shift:
        return shift(evening, end, channel=Channel.TELEPHONE)

    assert faults(by_telephone(midnight), now=now) == []
    assert faults(by_telephone(midnight + MINUTE), now=now) == ["shifts[0].end"]


@settings(max_examples=40, deadline=None)
@given(day=days)
def test_a_week_is_from_monday_to_monday_in_london(day: date) -> None:
    monday = monday_of(day)

    week = week_of(monday)

    length = {date(2026, 3, 23): 167, date(2027, 3, 22): 167, date(2026, 10, 19): 169, date(2027, 10, 25): 169}
    if monday in length:
        assert week.end_time - week.start_time == timedelta(hours=length[monday])
    assert london_day(week.start_time) == monday
    assert london_day(week.end_time - MINUTE) == monday + 6 * DAY
    assert week.end_time == week_of(monday + 7 * DAY).start_time


@settings(max_examples=40, deadline=None)
@given(day=around_changes, minutes=st.integers(0, 59))
def test_a_shift_of_the_first_hour_belongs_to_the_week_of_londons_monday(day: date, minutes: int) -> None:
    monday = monday_of(day) + 7 * DAY
    assume(is_working_day(monday, Nation.WALES))
    start = in_london(monday, time(0, minutes))

    found = rota(shift(start, start + timedelta(hours=2)), nation=Nation.WALES, now=start - DAY)

    assert found.weeks == {monday}
