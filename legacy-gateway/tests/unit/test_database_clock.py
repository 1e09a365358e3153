"""The database's clock is trusted from when it last jumped: pure, by readings."""

from datetime import UTC, datetime, timedelta

import pytest

from legacy_gateway.domain import ClockWatch

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST = ClockWatch.read(BEGAN, asked=500.0, answered=500.001, before=None)


def read(seconds: float, before: ClockWatch, *, jump: float = 0.0, takes: float = 0.001) -> ClockWatch:
    """A reading so long after the first one, when the database's clock had been set by `jump`."""
    now = BEGAN + timedelta(seconds=seconds + jump)
    return ClockWatch.read(now, asked=500.0 + seconds, answered=500.0 + seconds + takes, before=before)


def test_a_clock_that_nobody_sets_is_steady_since_the_first_reading() -> None:
    watch = FIRST

    for number, takes in enumerate((0.001, 3.0, 0.001, 0.5), start=1):
        watch = read(60.0 * number, watch, takes=takes, jump=0.02 * number)

    assert watch.steady_since == BEGAN


@pytest.mark.parametrize("jump", [3600.0, 0.5, -0.5, -3600.0])
def test_a_clock_that_was_set_is_steady_from_the_next_reading_on(jump: float) -> None:
    after = read(60.0, FIRST, jump=jump)
    later = read(120.0, after, jump=jump)

    assert later.steady_since == after.steady_since == BEGAN + timedelta(seconds=60.0 + jump)
