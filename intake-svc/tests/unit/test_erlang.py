"""Erlang C, held against figures that were published."""

import pytest

from intake.domain.erlang import operators_needed, service_level, waiting_probability


def test_the_worked_example_of_the_trade_comes_out() -> None:
    """100 calls in half an hour of three minutes each, 80 per cent within 20 seconds (documentation of pyworkforce)."""
    level = service_level(load=10, operators=14, handling_seconds=180, within_seconds=20)
    needed = operators_needed(calls=100, in_seconds=1800, handling_seconds=180, share=0.8, within_seconds=20)

    assert needed == 14
    assert level == pytest.approx(0.888350, abs=1e-6)
    assert waiting_probability(load=10, operators=14) == pytest.approx(0.174132, abs=1e-6)
    assert service_level(load=10, operators=13, handling_seconds=180, within_seconds=20) < 0.8


@pytest.mark.parametrize(
    ("operators", "load", "lost"),
    [(1, 0.0101, 0.01), (5, 1.361, 0.01), (10, 4.461, 0.01), (20, 12.03, 0.01), (50, 37.90, 0.01), (100, 84.06, 0.01)],
)
def test_waiting_agrees_with_the_tables_of_lost_calls(operators: int, load: float, lost: float) -> None:
    """Erlang B at one per cent, from the usual traffic tables (ITU-T E.520); Erlang C follows from it."""
    waiting = lost / (1 - load / operators * (1 - lost))

    assert waiting_probability(load=load, operators=operators) == pytest.approx(waiting, rel=0.01)


def test_one_operator_is_an_ordinary_queue() -> None:
    """With one operator Erlang C is M/M/1: the share that waits is the share of time in which the operator is busy."""
    assert waiting_probability(load=0.6, operators=1) == pytest.approx(0.6)


@pytest.mark.parametrize(("load", "operators"), [(10, 10), (10, 9), (0.5, 0)])
def test_everybody_waits_where_the_load_is_no_less_than_the_operators(load: float, operators: int) -> None:
    assert waiting_probability(load=load, operators=operators) == 1.0
    assert service_level(load=load, operators=operators, handling_seconds=60, within_seconds=20) == 0.0


def test_no_calls_need_nobody() -> None:
    assert operators_needed(calls=0, in_seconds=900, handling_seconds=720, share=0.8, within_seconds=20) == 0


def test_longer_calls_need_more_operators() -> None:
    needed = [
        operators_needed(calls=120, in_seconds=900, handling_seconds=minutes * 60, share=0.8, within_seconds=20)
        for minutes in (12, 18, 20, 60)
    ]

    assert needed == sorted(needed)
    assert needed[3] > 4 * needed[0]
    assert all(fits > load for fits, load in zip(needed, (96, 144, 160, 480), strict=True))
