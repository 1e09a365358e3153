from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from simulators.clock import LONDON
from simulators.rotas.planning import Rota, monday_of, rotas_of_offices, weeks_from
from simulators.rotas.publishing import message

ROTAS = rotas_of_offices()
MONDAY = date(2026, 11, 30)
EVERYBODY = [rota for of_office in ROTAS.values() for rota in of_office]


def rota(assessor_id: str) -> Rota:
    return next(one for one in EVERYBODY if one.assessor_id == assessor_id)


def test_every_assessor_of_the_country_has_a_rota() -> None:
    assert len(ROTAS) == 750
    assert len({one.assessor_id for one in EVERYBODY}) == len(EVERYBODY) == 6_000


def test_shifts_of_an_assessor_do_not_overlap() -> None:
    for one in {one.pattern: one for one in EVERYBODY}.values():
        shifts = list(one.shifts(MONDAY))
        assert shifts
        assert all(before.end <= after.start for before, after in pairwise(shifts))


def test_shifts_are_worked_by_the_clock_of_london() -> None:
    for monday in (date(2026, 3, 23), date(2026, 3, 30), date(2026, 10, 19), date(2026, 10, 26)):
        first = next(rota("ALE02001").shifts(monday))
        assert first.start.astimezone(LONDON).isoformat()[:16] == f"{monday}T09:00"


@pytest.mark.parametrize(
    ("assessor_id", "day", "works"),
    [
        ("ALE02001", date(2026, 12, 25), False),
        ("ALE02001", date(2026, 12, 28), False),  # Boxing Day, kept on Monday
        ("ALE02001", date(2027, 4, 6), True),
        ("ALE02001", date(2027, 3, 29), False),  # Easter Monday
        ("AGL14001", date(2027, 3, 29), True),  # no holiday in Scotland
        ("AGL14001", date(2026, 11, 30), False),  # Saint Andrew's Day
        ("AGL14001", date(2026, 6, 15), False),
        ("AGL14001", date(2029, 1, 2), False),
        ("ALE02001", date(2029, 1, 2), True),
    ],
)
def test_nobody_works_on_a_bank_holiday_of_the_nation(assessor_id: str, day: date, *, works: bool) -> None:
    shifts = rota(assessor_id).shifts(monday_of(day))

    assert any(shift.start.astimezone(LONDON).date() == day for shift in shifts) is works


def test_the_weeks_ahead_begin_with_the_one_that_is_now() -> None:
    assert weeks_from(date(2026, 12, 3), ahead=2) == [MONDAY, MONDAY + timedelta(days=7), MONDAY + timedelta(days=14)]


def test_shifts_that_are_over_are_left_out_of_a_message() -> None:
    now = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)

    sent = message(rota("ALE02001"), [MONDAY], now=now)

    assert len(sent["shifts"]) == 7  # Tuesday's afternoon and three whole days
    assert sent["shifts"][0] == {
        "start": "2026-12-01T13:00:00Z",
        "end": "2026-12-01T17:30:00Z",
        "channel": "CHANNEL_OFFICE",
        "emergencySlots": 0,
    }


def test_a_week_without_work_is_published_as_one() -> None:
    sent = message(rota("ALE02001"), [date(2026, 11, 23)], now=datetime(2026, 12, 1, 12, 0, tzinfo=UTC))

    assert sent["shifts"] == []
    assert sent["weeks"] == [{"year": 2026, "month": 11, "day": 23}]
