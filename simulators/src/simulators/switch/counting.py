"""The counts that the switch reports: simulated traffic, or counts given at the control door, which stay."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from simulators.ledger import Ledger
from simulators.switch.traffic import Counts, counted, quarters


class Counting:
    """The counts of every quarter of an hour. What was given at the control door is in the ledger."""

    def __init__(self, ledger: Ledger, *, calls_per_day: int, seed: int) -> None:
        self._ledger = ledger
        self._calls_per_day = calls_per_day
        self._seed = seed
        self._lock = threading.Lock()
        self._given: dict[datetime, Counts] = {}
        for entry in ledger.entries():
            counts = Counts.model_validate(entry["counts"])
            self._given[counts.start] = counts

    def give(self, counts: Sequence[Counts]) -> None:
        """Put these in the place of what was counted, on disk when this returns."""
        with self._lock:
            for given in counts:
                self._ledger.append({"counts": given.model_dump(mode="json")})
                self._given[given.start] = given
        self._ledger.settle()

    def between(self, since: datetime, until: datetime) -> list[Counts]:
        """The quarters of an hour that are over by `until`, the oldest first."""
        with self._lock:
            given = dict(self._given)
        return [given.get(start) or self._counted(start) for start in quarters(since, until)]

    def summary(self, _claim_ref: str | None) -> dict[str, Any]:
        """The counts that were given, for the control door: the switch knows no claims."""
        with self._lock:
            given = sorted(self._given.values(), key=lambda counts: counts.start)
        return {"given": [counts.model_dump(mode="json") for counts in given]}

    def _counted(self, start: datetime) -> Counts:
        return counted(start, calls_per_day=self._calls_per_day, seed=self._seed)
