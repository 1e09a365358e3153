"""The assignment at least total cost: each row gets a column of its own."""

from collections.abc import Sequence

_NOWHERE = -1


def assign(costs: Sequence[Sequence[int]]) -> list[int]:
    """The column of each row, such that the sum of their costs is least. There are at least as many columns as rows.

    The Hungarian method by shortest augmenting paths: rows are taken in turn, and each takes its column by the cheapest
    chain of changes among those that have one. Costs are whole numbers, so that ranks can be put into them exactly.
    """
    columns = len(costs[0]) if costs else 0
    row_of = [_NOWHERE] * columns
    of_row, of_column = [0] * len(costs), [0] * columns
    for row in range(len(costs)):
        _take(row, costs, row_of, of_row, of_column)
    column_of = [_NOWHERE] * len(costs)
    for column, row in enumerate(row_of):
        if row != _NOWHERE:
            column_of[row] = column
    return column_of


def _take(
    first: int, costs: Sequence[Sequence[int]], row_of: list[int], of_row: list[int], of_column: list[int]
) -> None:
    """Gives this row a column, by the cheapest chain; `of_row` and `of_column` are the potentials, kept between rows."""
    # The columns that are not reached yet, each with the column before it on the cheapest way to it.
    left = dict.fromkeys(range(len(row_of)), _NOWHERE)
    least: dict[int, int] = {}
    reached: list[tuple[int, int, int]] = []
    row, column, distance = first, _NOWHERE, 0
    before: dict[int, int] = {}
    while row != _NOWHERE:
        line, offset = costs[row], distance - of_row[row]
        for other in left:
            way = line[other] - of_column[other] + offset
            if other not in least or way < least[other]:
                least[other], left[other] = way, column
        reached.append((row, column, distance))
        column = min(left, key=least.__getitem__)
        before[column], distance = left.pop(column), least[column]
        row = row_of[column]
    for row, reached_column, at in reached:
        of_row[row] += distance - at
        if reached_column != _NOWHERE:
            of_column[reached_column] -= distance - at
    while column != _NOWHERE:
        previous = before[column]
        row_of[column] = first if previous == _NOWHERE else row_of[previous]
        column = previous
