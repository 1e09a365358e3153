"""The slots of a desk, counted from its working times."""

from datetime import UTC, date, datetime, timedelta

from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.load import DeskKey
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.supply import supplies

DAY = date(2026, 6, 1)
NINE = datetime(2026, 6, 1, 8, tzinfo=UTC)
"""Nine in the morning in London."""
QUARTERS = timedelta(minutes=45)


def _working_time(**more: object) -> WorkingTime:
    shift = Shift(
        assessor_id="ALE02001",
        office_code="600021",
        start_time=NINE,
        end_time=NINE + 4 * QUARTERS,
        channel=Channel.OFFICE,
        **more,  # type: ignore[arg-type]
    )
    return WorkingTime(shift=shift, taken=(Stretch(start_time=NINE, end_time=NINE + QUARTERS),))


def test_slots_are_counted_as_capacity_as_taken_and_as_free_ones_to_come() -> None:
    found = supplies([_working_time()] * 2, now=NINE + QUARTERS)

    supply = found[DeskKey(office_code="600021", channel=Channel.OFFICE)]
    assert (supply.capacity, supply.booked) == ({DAY: 8}, {DAY: 2})
    assert sorted(supply.free) == [NINE + 2 * QUARTERS] * 2 + [NINE + 3 * QUARTERS] * 2


def test_slots_that_are_kept_for_emergencies_are_not_free_to_usual_calls() -> None:
    [supply] = supplies([_working_time(emergency_slots=1)], now=NINE - timedelta(days=1)).values()

    assert supply.capacity == {DAY: 4}
    assert len(supply.free) == 2
