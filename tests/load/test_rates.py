"""The bench counts calls and computes their latencies."""

import threading

import pytest

from tests.load.driving import CALLERS, Rate, drive


def test_a_percentile_is_read_from_the_sorted_latencies() -> None:
    rate = Rate(seconds=2.0, latencies=[number / 1000 for number in range(100, 0, -1)], client_share=0.1)

    assert rate.per_second == 50
    assert rate.percentile(50) == pytest.approx(51)
    assert rate.percentile(99) == pytest.approx(100)


def test_every_call_of_every_caller_is_counted() -> None:
    made: list[int] = []
    everybody = threading.Barrier(CALLERS)

    def count(number: int) -> None:
        if number not in made:
            everybody.wait(10)
        made.append(number)

    rate = drive(lambda number: lambda: count(number), seconds=1.0)

    assert len(rate.latencies) == len(made) > CALLERS
    assert set(made) == set(range(CALLERS))


def test_a_refused_call_ends_the_measurement() -> None:
    def refuse() -> None:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError):
        drive(lambda _number: refuse, seconds=0.05)
