"""A rise of crisis loans shows beside the delays that explain it, in a simulated region as in 2005."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

import pytest

from assessment.domain.emergencies import Emergencies, OfficeDay, measure

MONDAY = date(2005, 7, 11)
OFFICES = [f"6000{number:02}" for number in range(12)]
LOANS_A_DAY, INTERVIEWS_A_DAY = 1.5, 6
TWO_DAYS, WEEK_AND_MORE = 2 * 86400, 8 * 86400


def poisson(source: Random, mean: float) -> int:
    """How many of what comes one by one came in a time in which `mean` usually do."""
    elapsed, number = source.expovariate(1.0), 0
    while elapsed < mean:
        elapsed += source.expovariate(1.0)
        number += 1
    return number


def region(source: Random, *, first: date, last: date, troubled_from: date | None) -> Iterator[OfficeDay]:
    """The working days of twelve offices; from a day on interviews are late, transfers stall, and loans double."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day.weekday() >= 5:
            continue
        troubled = troubled_from is not None and day >= troubled_from
        for office in OFFICES:
            interviews = poisson(source, INTERVIEWS_A_DAY)
            yield OfficeDay(
                office_code=office,
                day=day,
                crisis_loans=poisson(source, LOANS_A_DAY * (2 if troubled else 1)),
                stalled_transfers=poisson(source, 4.0 if troubled else 0.5),
                interviews=interviews,
                lead_seconds=interviews * (WEEK_AND_MORE if troubled else TWO_DAYS),
            )


def together(days: list[OfficeDay], until: date) -> Emergencies:
    return measure("", [one for one in days if one.day <= until], until=until, begun=days[0].day)


@pytest.mark.parametrize("seed", range(20))
def test_the_doubling_of_a_region_shows_within_a_week_beside_its_delays(seed: int) -> None:
    days = list(
        region(Random(seed), first=MONDAY - timedelta(days=35), last=MONDAY + timedelta(days=6), troubled_from=MONDAY)
    )

    shown = [together(days, MONDAY + timedelta(days=number)) for number in range(7)]

    first = next(number for number, found in enumerate(shown) if found.risen)
    assert first < 7
    assert shown[-1].risen
    assert shown[-1].later_interviews
    assert shown[-1].more_stalled
    assert not together(days, MONDAY - timedelta(days=3)).later_interviews


def test_chance_seldom_shows_as_a_rise() -> None:
    weeks = [
        together(days, until)
        for seed in range(100)
        for days in [list(region(Random(seed), first=MONDAY - timedelta(days=35), last=MONDAY, troubled_from=None))]
        for until in [MONDAY - timedelta(days=3)]
    ]

    assert sum(found.risen for found in weeks) <= 1
    assert not any(found.later_interviews for found in weeks)
    assert sum(found.more_stalled for found in weeks) <= 1


def test_nothing_shows_before_there_is_a_week_to_compare_with() -> None:
    days = [OfficeDay(office_code="600001", day=MONDAY, crisis_loans=40)]

    found = measure("600001", days, until=MONDAY, begun=MONDAY)

    assert (found.week.crisis_loans, found.usual, found.risen) == (40, None, False)


def test_the_usual_week_is_the_mean_of_the_whole_weeks_before() -> None:
    begun = MONDAY - timedelta(days=20)
    days = [
        OfficeDay(
            office_code="600001", day=begun + timedelta(days=number), crisis_loans=2, interviews=1, lead_seconds=60
        )
        for number in range(21)
    ]

    found = measure("600001", days, until=MONDAY, begun=begun)

    assert found.usual is not None
    assert (found.week.crisis_loans, found.usual.crisis_loans) == (14, 14)
    assert (found.usual.interviews, found.usual.lead_seconds) == (7, 60)
    assert not found.risen
