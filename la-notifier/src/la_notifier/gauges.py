"""The state of the notices, read from the database at scrape."""

from datetime import timedelta

from chassis import clock, deadlines
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from la_notifier.deadlines import DEADLINES
from la_notifier.store import counts

ENDED_FOR = timedelta(hours=1)
"""So long a version that was loaded or superseded is counted: what is read at a scrape must not grow for ever."""


def _notices(conn: Connection) -> Samples:
    rows = counts.count_notices(conn, ended_since=clock.now() - ENDED_FOR)
    return [((row["channel"], row["state"]), float(row["count"])) for row in rows]


def _not_told(conn: Connection) -> Samples:
    return [((row["reason"],), float(row["count"])) for row in counts.count_not_told(conn)]


def _looks(conn: Connection) -> Samples:
    return [((), float(counts.count_looks(conn)))]


GAUGES = (
    deadlines.gauge("notifier_overdue", DEADLINES),
    StateGauge(
        name="notifier_notices",
        help="Versions of notices by their authority's channel and their state; of those at their end, the last hour's.",
        labels=("channel", "state"),
        read=_notices,
    ),
    StateGauge(
        name="notifier_not_told",
        help="Claims and authorities for which a processing officer has to see that the right authority knows.",
        labels=("reason",),
        read=_not_told,
    ),
    StateGauge(
        name="notifier_claims_to_look_at",
        help="Claims whose notices are to be looked at: something was heard of them, or the last look was put off.",
        labels=(),
        read=_looks,
    ),
)
