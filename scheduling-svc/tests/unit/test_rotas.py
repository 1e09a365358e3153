from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.bank_holidays import Nation
from chassis.errors import InvalidArgument
from scheduling.domain.offices import Assessor, Channel, Contract, Need, Office
from scheduling.domain.rotas import WEEK, Rota, monday_of, week_of
from scheduling.domain.shifts import Shift

NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)
"""A Wednesday."""
MONDAY = date(2026, 11, 30)
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASSESSOR = Assessor(
    assessor_id="A1",
    office_code="600021",
    sex=Need.FEMALE_ASSESSOR,
    contract=Contract.FULL_TIME,
    skills=frozenset({Need.WELSH}),
)
OFFICE = Office(
    code="600021",
    name="Leeds",
    postcode="LS1 3AB",
    easting=429824,
    northing=433862,
    nation=Nation.ENGLAND,
    features=frozenset(),
    channels=frozenset({Channel.OFFICE, Channel.TELEPHONE}),
)


def shift(start: datetime = NINE, *, hours: float = 3, **more: Any) -> Shift:
    usual = Shift(
        assessor_id="A1", office_code="600021", start_time=start, end_time=start + hours * HOUR, channel=Channel.OFFICE
    )
    return replace(usual, **more)


def rota(*shifts: Shift, weeks: tuple[date, ...] = ()) -> Rota:
    return Rota.of(ASSESSOR, OFFICE, shifts=shifts, weeks=weeks, now=NOW)


def faults(*shifts: Shift, weeks: tuple[date, ...] = ()) -> list[tuple[str, str]]:
    with pytest.raises(InvalidArgument) as refused:
        rota(*shifts, weeks=weeks)
    return [(fault.field, fault.description) for fault in refused.value.violations]


def test_a_rota_covers_the_weeks_of_its_shifts_and_those_that_are_named() -> None:
    published = rota(shift(NINE + 2 * WEEK + 3 * timedelta(days=1)), shift(), weeks=(MONDAY + WEEK,))

    assert published.weeks == {MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK}
    assert [one.start_time for one in published.shifts] == sorted(one.start_time for one in published.shifts)


def test_a_week_begins_at_midnight_in_london_in_summer_too() -> None:
    assert week_of(date(2026, 3, 23)).start_time == datetime(2026, 3, 23, tzinfo=UTC)
    assert week_of(date(2026, 3, 23)).end_time == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_a_change_keeps_what_is_as_it_was() -> None:
    morning, afternoon, tuesday = shift(), shift(NINE + 4 * HOUR), shift(NINE + 24 * HOUR)
    shorter = replace(afternoon, end_time=afternoon.end_time - HOUR)

    change = rota(morning, shorter).change([morning, afternoon, tuesday])

    assert (change.kept, change.added, change.removed) == ([morning], [shorter], [afternoon, tuesday])


def test_a_shift_that_has_begun_can_be_published() -> None:
    assert rota(shift(NOW.replace(second=0) - HOUR)).weeks == {monday_of(NOW.date())}


@pytest.mark.parametrize(
    ("wrong", "field", "description"),
    [
        (shift(hours=0), "end", "is not after the start"),
        (shift(hours=-1), "end", "is not after the start"),
        (shift(hours=14.5), "end", "is more than fourteen hours after the start"),
        (shift(NINE + 9 * HOUR, hours=7), "end", "is not on the day of the start, in London"),
        (shift(NOW.replace(second=0) - 3 * HOUR), "end", "is past"),
        (shift(datetime(1, 1, 1, tzinfo=UTC)), "end", "is past"),
        (shift(NINE + 12 * WEEK), "start", "is more than twelve weeks ahead"),
        (shift(datetime(9999, 12, 31, 20, tzinfo=UTC)), "start", "is more than twelve weeks ahead"),
        (shift(NINE + 5 * timedelta(days=1)), "start", "is on a day on which the office is closed"),
        (shift(datetime(2026, 12, 25, 9, tzinfo=UTC)), "start", "is on a day on which the office is closed"),
        (shift(NINE - 2 * HOUR), "start", "is before the office opens"),
        (shift(NINE + 7 * HOUR), "end", "is after the office closes"),
        (shift(NINE + HOUR, hours=14), "end", "is after the office closes"),
        (shift(channel=Channel.HOME_VISIT), "channel", "is one in which the office holds no interviews"),
        (shift(NINE + timedelta(seconds=30)), "start", "is not on a whole minute"),
        (shift(skills=frozenset({"WELSH", "JUGGLING"})), "skills", "names a skill that the assessor does not have"),
        (shift(emergency_slots=5), "emergency_slots", "is not from none to all of the slots of the shift"),
        (shift(emergency_slots=-1), "emergency_slots", "is not from none to all of the slots of the shift"),
        (
            shift(datetime(9999, 12, 31, 23, 30, tzinfo=UTC), hours=0.4, emergency_slots=1),
            "start",
            "is more than twelve weeks ahead",
        ),
    ],
)
def test_a_bad_shift_is_named_with_its_fault(wrong: Shift, field: str, description: str) -> None:
    assert (f"shifts[1].{field}", description) in faults(shift(NINE + 24 * HOUR), wrong)


def test_only_work_in_the_office_ends_with_its_hours() -> None:
    assert rota(shift(NINE + 7 * HOUR, channel=Channel.TELEPHONE)).shifts


def test_an_office_that_is_closed_on_mondays_has_no_shift_on_one() -> None:
    office = replace(OFFICE, hours=(None, *OFFICE.hours[1:]))

    with pytest.raises(InvalidArgument) as refused:
        Rota.of(ASSESSOR, office, shifts=[shift(), shift(NINE + 24 * HOUR)], now=NOW)

    assert [fault.field for fault in refused.value.violations] == ["shifts[0].start"]


def test_shifts_that_overlap_are_named() -> None:
    assert faults(shift(NINE + 2 * HOUR), shift()) == [("shifts[0].start", "overlaps shifts[1]")]


@pytest.mark.parametrize(
    "monday", [MONDAY + timedelta(days=1), MONDAY - 2 * WEEK, MONDAY + 12 * WEEK, date(9999, 12, 27)]
)
def test_weeks_are_mondays_of_now_and_twelve_weeks_ahead(monday: date) -> None:
    assert [field for field, _ in faults(weeks=(MONDAY, monday))] == ["weeks[1]"]


def test_a_week_without_work_can_be_published() -> None:
    assert rota(weeks=(MONDAY,)).change([shift()]).removed == [shift()]


def test_a_rota_of_nothing_is_refused() -> None:
    assert faults() == [("shifts", "shifts or weeks must be given")]
