"""The report of a week: a table beside the figures of 2005, and a line of JSON."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from cms_local.replay.week import Week

_OF_2005 = {"claims": "4,333", "attempts": "4,333", "failed attempts": "3,030"}
"""The transfers of one week of July 2005, and those of them that failed (docs/interfaces/legacy.md gives no more)."""


def summary(week: Week) -> dict[str, Any]:
    """The figures of a week. Counts of claims are by the outside ledgers, scales as factors and real seconds."""
    outcome = week.outcome
    return {
        "seed": week.seed,
        "claims": outcome.claims,
        "attempts": week.attempts,
        "failed_attempts": week.failed,
        "accepted": outcome.accepted,
        "rejected": outcome.rejected,
        "reasons": dict(sorted(outcome.reasons.items())),
        "clerical": outcome.clerical,
        "waiting": outcome.waiting,
        "lost": outcome.lost,
        "duplicates": outcome.duplicates,
        "half_transfers": outcome.half_transfers,
        "unexplained": outcome.unexplained,
        "seconds": round(week.seconds, 1),
        "systems": dict(sorted(outcome.accepted_by.items())),
        "time_scale": week.scale.time_scale,
        "reply_seconds": week.scale.reply_seconds,
        "day_seconds": week.scale.day_seconds,
    }


def table(week: Week) -> Table:
    """The figures as a table, beside those of 2005."""
    found = Table("", "this week", "July 2005", box=None, padding=(0, 2, 0, 0))
    for name, value in _rows(week):
        found.add_row(name, value, _OF_2005.get(name, ""))
    return found


def _rows(week: Week) -> Iterator[tuple[str, str]]:
    outcome = week.outcome
    yield "claims", f"{outcome.claims:,}"
    yield "attempts", f"{week.attempts:,}"
    yield "failed attempts", f"{week.failed:,} ({week.failed / max(1, week.attempts):.1%})"
    yield "accepted", f"{outcome.accepted:,}"
    yield "rejected", f"{outcome.rejected:,}"
    for code, count in sorted(outcome.reasons.items()):
        yield f"  by {code}", f"{count:,}"
    yield "clerical", f"{outcome.clerical:,}"
    yield "waiting", f"{outcome.waiting:,}"
    yield "lost", f"{outcome.lost:,}"
    yield "duplicates", f"{outcome.duplicates:,}"
    yield "half transfers", f"{outcome.half_transfers:,}"
    yield "unexplained", f"{outcome.unexplained:,}"
    yield "seconds", f"{week.seconds:.0f}"
