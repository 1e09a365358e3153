"""Rows are assigned to columns at least cost."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.assignment import assign

HUGE = 10**30


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    rows = draw(st.integers(0, 4))
    columns = draw(st.integers(rows, 5))
    cost = st.integers(0, 9) | st.just(HUGE)
    return draw(st.lists(st.lists(cost, min_size=columns, max_size=columns), min_size=rows, max_size=rows))


@given(tables())
@settings(max_examples=150)
def test_no_other_assignment_costs_less(costs: list[list[int]]) -> None:
    columns = assign(costs)

    columns_there = range(len(costs[0]) if costs else 0)
    others = permutations(columns_there, len(costs))
    least = min(sum(costs[row][column] for row, column in enumerate(other)) for other in others)
    assert len(set(columns)) == len(costs)
    assert sum(costs[row][column] for row, column in enumerate(columns)) == least


def test_a_row_gives_way_to_one_that_has_no_other_column() -> None:
    assert assign([[1, 2], [1, HUGE]]) == [1, 0]
