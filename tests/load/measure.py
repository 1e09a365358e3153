"""The measurements of `make bench`, one after the other on a platform that runs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis import clock
from cms_local.platform import Platform
from tests.load.claims import ClaimsMeasured, measure_claims
from tests.load.doors import DoorsMeasured, measure_doors

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that was measured. `memory` is each process's resident set in MiB after the load."""

    doors: DoorsMeasured
    claims: ClaimsMeasured
    memory: dict[str, float]
    time_scale: float

    def lines(self) -> list[str]:
        """The figures for people."""
        claims = self.claims
        return [
            *self.doors.lines(),
            f"claims         {claims.per_second:7.2f}/s accepted and loaded, {claims.acknowledged} confirmed in all",
            f"transactions   {claims.transactions_per_claim:7.1f} for each claim, in all databases of the services",
        ]

    def summary(self) -> dict[str, Any]:
        """The last line of `make bench`; docs/performance.md explains each figure."""
        saves = self.doors.rates["record_answers_grpc"]
        return {
            "claims_per_second": round(self.claims.per_second, 2),
            "saves_per_second": round(saves.per_second, 1),
            "p99_ms": round(saves.percentile(99), 1),
            "transactions_per_claim": round(self.claims.transactions_per_claim, 1),
            "rss_mb": self.memory,
            "seconds_measured": round(self.claims.seconds, 1),
            "acknowledged": self.claims.acknowledged,
            "lost": self.claims.lost,
            "duplicates": self.claims.duplicates,
            "time_scale": self.time_scale,
            "doors": self.doors.summary(),
        }


def run_bench(platform: Platform, say: Say, *, saves_seconds: float, claims_seconds: float) -> Report:
    """Measures each door with each method, then claims, for so many seconds each.

    Raises AssertionError where the platform does not hold what it acknowledged.
    """
    clock.configure(platform.layout.clock_file)
    say(
        f"RecordAnswers with five answers, GetClaim and nothing, by each door: 16 callers, {saves_seconds:g} seconds each"
    )
    doors = measure_doors(platform.layout, seconds=saves_seconds)
    say(f"claims over the whole way, 16 callers, {claims_seconds:g} seconds")
    claims = measure_claims(platform.layout, seconds=claims_seconds)
    memory = {name: _resident_megabytes(running.pid) for name, running in platform.running.items()}
    return Report(doors=doors, claims=claims, memory=memory, time_scale=platform.time_scale)


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return round(int(kilobytes) / 1024, 1)
