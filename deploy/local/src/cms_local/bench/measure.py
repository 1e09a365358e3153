"""`cms bench`: what the guarantees cost, the platform and the bare parts that it stands on side by side, in one go."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis import clock
from cms_local.bench.claims import ClaimsMeasured, measure_claims
from cms_local.bench.events import EventsMeasured, measure_events
from cms_local.bench.saves import SavesMeasured, measure_side_by_side
from cms_local.platform import Platform

Say = Callable[[str], None]
_CLAIMS_LONGER = 6
_EVENTS_FOR_A_SECOND = 400


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that was measured. Memory is each process' resident set in MB after the load."""

    side_by_side: SavesMeasured
    claims: ClaimsMeasured
    events: EventsMeasured
    memory: dict[str, float]
    time_scale: float

    def told(self) -> list[str]:
        """For people."""
        return [
            f"bare handler    {self.side_by_side.bare.told()}",
            f"on a processor  {self.side_by_side.kept.told()}",
            f"RecordAnswers   {self.side_by_side.saves.told()}",
            f"claims          {self.claims.per_second:7.2f}/s accepted and loaded, of {self.claims.acknowledged}",
            f"events          {self.events.ours:7.1f}/s receipted, {self.events.bare:.1f}/s on the bare bus",
        ]

    def summary(self) -> dict[str, Any]:
        """The last line of `cms bench`.

        `ratio` is to the bare handler as it is, `ratio_on_one_processor` to the same where it is kept to one, as
        intake-svc is; `p99_ms` is that of RecordAnswers; `acknowledged` are claims told as confirmed.
        """
        saves, bare, kept = self.side_by_side.saves, self.side_by_side.bare, self.side_by_side.kept
        return {
            "ratio": round(saves.per_second / bare.per_second, 3),
            "ratio_on_one_processor": round(saves.per_second / kept.per_second, 3),
            "claims_per_second": round(self.claims.per_second, 2),
            "events_ratio": round(self.events.ours / self.events.bare, 3),
            "p99_ms": round(saves.percentile(99), 1),
            "rss_mb": self.memory,
            "seconds_measured": round(self.claims.seconds, 1),
            "acknowledged": self.claims.acknowledged,
            "lost": self.claims.lost,
            "duplicates": self.claims.duplicates,
            "time_scale": self.time_scale,
        }


def run_bench(platform: Platform, say: Say, *, seconds: float) -> Report:
    """Measures one thing after the other on a platform that runs: calls for `seconds`, claims for six times as long.

    AssertionError where what was acknowledged is not held.
    """
    clock.configure(platform.layout.clock_file)
    say(
        f"RecordAnswers with five answers, and a bare gRPC handler that commits one INSERT, in turns, {seconds:g} seconds each"
    )
    side_by_side = measure_side_by_side(platform.layout, seconds=seconds)
    say(f"claims over the whole way, {seconds * _CLAIMS_LONGER:g} seconds")
    claims = measure_claims(platform.layout, seconds=seconds * _CLAIMS_LONGER)
    count = int(seconds * _EVENTS_FOR_A_SECOND)
    say(f"{count} events from outbox to receipt, and as many on the bare bus")
    measured = measure_events(platform.layout, count=count)
    return Report(
        side_by_side=side_by_side,
        claims=claims,
        events=measured,
        memory={name: _resident_megabytes(running.pid) for name, running in platform.running.items()},
        time_scale=platform.time_scale,
    )


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return round(int(kilobytes) / 1024, 1)
