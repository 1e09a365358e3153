"""An assessor who is back ends the absence of that time, and not the leave that is planned for later."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scheduling.domain.absences import Away, unbroken

MONDAY = datetime(2026, 11, 30, 8, tzinfo=UTC)


def away(first: int, last: int) -> Away:
    """An absence from one day to another, counted from the Monday."""
    return Away(
        identity=UUID(int=first + 1),
        of="ALE02001",
        start_time=MONDAY + timedelta(days=first),
        end_time=MONDAY + timedelta(days=last),
        recorded_by="SM000001",
        recorded_time=MONDAY,
    )


ILL, LONGER, LEAVE = away(0, 3), away(2, 5), away(20, 30)


@pytest.mark.parametrize("or_next", [False, True])
def test_an_illness_ends_with_what_prolongs_it_and_a_later_leave_stays(*, or_next: bool) -> None:
    assert unbroken([ILL, LONGER, LEAVE], MONDAY + timedelta(days=1), or_next=or_next) == [ILL, LONGER]


def test_an_absence_that_prolongs_another_from_its_end_is_a_part_of_it() -> None:
    assert unbroken([ILL, away(3, 4), LEAVE], MONDAY, or_next=False) == [ILL, away(3, 4)]


def test_a_longer_absence_hides_the_end_of_one_within_it() -> None:
    assert unbroken([away(0, 9), away(1, 2), away(5, 6), LEAVE], MONDAY, or_next=False) == [
        away(0, 9),
        away(1, 2),
        away(5, 6),
    ]


def test_who_is_not_absent_takes_back_the_next_absence_alone_and_only_where_no_time_is_given() -> None:
    before = MONDAY - timedelta(days=1)

    assert unbroken([ILL, LEAVE], before, or_next=True) == [ILL]
    assert unbroken([ILL, LEAVE], before, or_next=False) == []
