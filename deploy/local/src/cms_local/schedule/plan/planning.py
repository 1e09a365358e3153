"""A plan: the solver proposes moves, scheduling's domain reckons them, round by round, until none helps or time ends.

What is kept after a round has fewer expected breaches than what was kept before it: a plan is never worse than no move.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cms_local.schedule.plan.moves import Kind, Move, Rotas, applied
from cms_local.schedule.plan.region import Region
from cms_local.schedule.plan.solving import COST, Limits, choose
from scheduling.domain.load import Desk, Load, load_of
from scheduling.domain.remedies import Scene

ROUNDS = 5
"""A round's tables are of the plan before it. After a few rounds there is next to nothing left to find."""
_THOUSANDTH = 0.001


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The moves, and the expected late claimants of the region without them and with them."""

    moves: Sequence[Move]
    late_before: float
    late_after: float
    ended_by_time: bool


@dataclass(frozen=True, kw_only=True)
class Planner:
    """The region and its rotas, and how they are reckoned."""

    region: Region
    rotas: Rotas
    desks: Sequence[Desk]
    now: datetime
    target: timedelta

    def load(self, moves: Iterable[Move]) -> Load:
        """The region's load with these moves made."""
        return load_of(applied(self.desks, moves), self.region.near, now=self.now, target=self.target)

    def plan(self, *, seconds: float, opened: int, clock: Callable[[], float] = time.monotonic) -> Plan:
        """The best plan that is found in so many seconds, with at most `opened` days more."""
        until = clock() + seconds

        def left() -> float:
            return until - clock()

        load = self.load(())
        plan: list[Move] = []
        before = late = late_of(load)
        for _ in range(ROUNDS):
            scene = Scene(load=load, now=self.now, target=self.target)
            choice = choose(scene, self._open_to(plan), self._limits(plan, opened), left)
            kept = self._kept([*plan, *choice.moves], left)
            found = self.load(kept)
            if late_of(found) + _cost(kept) >= late + _cost(plan):
                return Plan(moves=plan, late_before=before, late_after=late, ended_by_time=choice.ended_by_time)
            plan, load, late = kept, found, late_of(found)
            if left() <= 0:
                return Plan(moves=plan, late_before=before, late_after=late, ended_by_time=True)
        return Plan(moves=plan, late_before=before, late_after=late, ended_by_time=False)

    def _open_to(self, plan: Sequence[Move]) -> list[Move]:
        """The moves of those who are not moved yet."""
        moved = {move.who for move in plan}
        return [move for move in self.rotas.moves(self.region) if move.who not in moved]

    def _limits(self, plan: Sequence[Move], opened: int) -> Limits:
        return Limits(
            region=self.region,
            rotas=self.rotas,
            opened=opened - sum(move.kind is Kind.OPEN for move in plan),
            made=plan,
        )

    def _kept(self, moves: Sequence[Move], left: Callable[[], float]) -> list[Move]:
        """The moves without those that are not worth their cost beside the others."""
        kept = list(moves)
        late = late_of(self.load(kept))
        for move in moves:
            if left() <= 0:
                break
            without = [one for one in kept if one is not move]
            if (late_without := late_of(self.load(without))) <= late + COST[move.kind] * _THOUSANDTH:
                kept, late = without, late_without
        return kept


def late_of(load: Load) -> float:
    """The claimants of all desks who are not seen in time, expected."""
    return sum(outcome.breaches for outcomes in load.outcomes.values() for outcome in outcomes)


def _cost(moves: Iterable[Move]) -> float:
    return sum(COST[move.kind] for move in moves) * _THOUSANDTH
