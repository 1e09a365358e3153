"""The choice of moves by CP-SAT: which of them together lower the expected breaches most.

The breaches of a desk depend on all its days. The solver is given, for each desk and day, what more or fewer slots on that day
alone would make of them, and adds these up. What it chooses is a proposal: `planning` reckons it anew as a whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from ortools.sat.python import cp_model

from cms_local.schedule.plan.moves import Kind, Move, Rotas
from cms_local.schedule.plan.region import Region, spread
from scheduling.domain.load import DeskKey
from scheduling.domain.offices import Channel
from scheduling.domain.remedies import Scene
from scheduling.domain.working_time import london_day

Cell = tuple[DeskKey, date]
"""A desk on a day."""
_STEP = 3
"""Breaches are reckoned for every so many slots more or fewer; between them they count as going in a straight line."""
_MOST = 24
"""So many slots more or fewer at one desk on one day at most: three assessors."""
_SCALE = 1000
"""The solver reckons in whole numbers: thousandths of a claimant."""
COST = {Kind.CHANNEL: 100, Kind.LEND: 200, Kind.OPEN: 300}
"""A move must save more than so many thousandths of a claimant: a day at another office more than one on the telephone, and a
day more of work most."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The moves chosen, and whether the time ended the search for better ones."""

    moves: Sequence[Move]
    ended_by_time: bool


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The moves that may be made together: days that may be opened, and how many assessors an office has room for on a day."""

    region: Region
    rotas: Rotas
    opened: int
    made: Sequence[Move] = ()
    """Moves that are made already."""

    def room(self, office_code: str, day: date) -> int:
        """How many assessors more can see claimants at the office on the day: it has rooms, or has the assessors already."""
        cell = (DeskKey(office_code=office_code, channel=Channel.OFFICE), day)
        usual = self.rotas.at_office(office_code, day)
        there = usual + sum(_persons(move).get(cell, 0) for move in self.made)
        return max(usual, self.region.offices[office_code].rooms) - there


def choose(scene: Scene, moves: Sequence[Move], limits: Limits, left: Callable[[], float]) -> Choice:
    """The best of these moves as far as the tables tell, within the seconds that are left."""
    tables = _tables(scene, moves, left)
    if tables is None:
        return Choice(moves=(), ended_by_time=True)
    able = [move for move in moves if all(cell in tables for cell in _changes(move))]
    model = cp_model.CpModel()
    chosen = [model.new_bool_var(f"move {number}") for number in range(len(able))]
    _limit(model, able, chosen, limits)
    terms = [
        _late(model, cell, tables[cell], able, chosen, most=min(_MOST, len(_free(scene, *cell))))
        for cell in sorted({cell for move in able for cell in _changes(move)})
    ]
    costs = [COST[move.kind] * taken for move, taken in zip(able, chosen, strict=True)]
    model.minimize(sum(terms) + sum(costs))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, left())
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    status = solver.status_name(solver.solve(model))
    if status not in ("OPTIMAL", "FEASIBLE"):
        return Choice(moves=(), ended_by_time=True)
    taken = [move for move, variable in zip(able, chosen, strict=True) if solver.boolean_value(variable)]
    return Choice(moves=taken, ended_by_time=status == "FEASIBLE")


def _changes(move: Move) -> dict[Cell, int]:
    """The slots more or fewer at the desks that a move is of."""
    found = {(move.after.desk, move.after.day): len(move.after.starts)}
    if move.before is not None:
        found[move.before.desk, move.before.day] = -len(move.before.starts)
    return found


def _persons(move: Move) -> dict[Cell, int]:
    """The assessors more or fewer at the desks that a move is of."""
    return {cell: 1 if slots > 0 else -1 for cell, slots in _changes(move).items()}


def _tables(scene: Scene, moves: Sequence[Move], left: Callable[[], float]) -> dict[Cell, list[int]] | None:
    """For each desk and day that a move changes: the late claimants with _MOST slots fewer to _MOST more, in thousandths.

    None where there is no time for it.
    """
    found: dict[Cell, list[int]] = {}
    for cell in sorted({cell for move in moves for cell in _changes(move) if cell[0] in scene.load.desks}):
        if left() <= 0:
            return None
        found[cell] = _table(scene, *cell)
    return found


def _table(scene: Scene, key: DeskKey, day: date) -> list[int]:
    free = _free(scene, key, day)
    known = {}
    for number in range(-_MOST, _MOST + 1, _STEP):
        if number < 0:
            known[number] = scene.late(key, closed=free[number:])
        else:
            known[number] = scene.late(key, opened=spread(day, number))
    return [round(_SCALE * late) for late in _between(known)]


def _free(scene: Scene, key: DeskKey, day: date) -> list[datetime]:
    return [start for start in scene.load.desks[key].free if london_day(start) == day]


def _between(known: Mapping[int, float]) -> Iterator[float]:
    for (low, at_low), (high, at_high) in pairwise(sorted(known.items())):
        yield from (at_low + (at_high - at_low) * part / (high - low) for part in range(high - low))
    yield known[max(known)]


def _late(
    model: cp_model.CpModel,
    cell: Cell,
    table: list[int],
    moves: Sequence[Move],
    chosen: Sequence[cp_model.IntVar],
    *,
    most: int,
) -> cp_model.IntVar:
    """The late claimants of a desk by what is chosen for one of its days, on which no more than `most` slots can be closed."""
    change = sum(
        _changes(move)[cell] * taken for move, taken in zip(moves, chosen, strict=True) if cell in _changes(move)
    )
    place = model.new_int_var(_MOST - most, len(table) - 1, f"slots {cell}")
    model.add(place == change + _MOST)
    late = model.new_int_var(0, max(table), f"late {cell}")
    model.add_element(place, table, late)
    return late


def _limit(model: cp_model.CpModel, moves: Sequence[Move], chosen: Sequence[cp_model.IntVar], limits: Limits) -> None:
    """One move for an assessor and day, and no more days opened or assessors at an office than can be."""
    by_who: dict[object, list[cp_model.IntVar]] = {}
    arrivals: dict[Cell, list[tuple[cp_model.IntVar, int]]] = {}
    for move, taken in zip(moves, chosen, strict=True):
        by_who.setdefault(move.who, []).append(taken)
        for cell, persons in _persons(move).items():
            if cell[0].channel is Channel.OFFICE:
                arrivals.setdefault(cell, []).append((taken, persons))
    for of_one in by_who.values():
        model.add_at_most_one(of_one)
    opened = [taken for move, taken in zip(moves, chosen, strict=True) if move.kind is Kind.OPEN]
    model.add(sum(opened) <= limits.opened)
    for (key, day), of_cell in arrivals.items():
        variables, signs = zip(*of_cell, strict=True)
        model.add(cp_model.LinearExpr.weighted_sum(variables, signs) <= limits.room(key.office_code, day))
