"""The counts of the telephone switch, and the time for which calls keep an operator."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.database import Connection
from intake.domain.lines import HandlingTime, LineCounts

# Saves counts. A report that says the same again changes nothing.
SAVE_COUNTS = """
    INSERT INTO quarter_hours (start, offered, answered, abandoned, answered_within_target, reported_time)
    SELECT start, offered, answered, abandoned, answered_within_target, %(now)s
    FROM unnest(%(starts)s::timestamptz[], %(offered)s::integer[], %(answered)s::integer[], %(abandoned)s::integer[],
        %(within)s::integer[]) AS given (start, offered, answered, abandoned, answered_within_target)
    ON CONFLICT (start) DO UPDATE SET offered = excluded.offered, answered = excluded.answered,
        abandoned = excluded.abandoned, answered_within_target = excluded.answered_within_target,
        reported_time = excluded.reported_time
    WHERE (quarter_hours.offered, quarter_hours.answered, quarter_hours.abandoned, quarter_hours.answered_within_target)
        IS DISTINCT FROM (excluded.offered, excluded.answered, excluded.abandoned, excluded.answered_within_target)
"""

COUNTS = """
    SELECT start, offered, answered, abandoned, answered_within_target FROM quarter_hours
    WHERE start >= %s AND start < %s ORDER BY start
"""

# Averages the times of calls that ended in a period. Calls that the sweeper ended, after hours, tell nothing.
HANDLING_TIME = """
    SELECT count(*) AS calls,
        coalesce(avg(extract(epoch FROM ended - started - gap - hold)), 0)::float8 AS talk,
        coalesce(avg(extract(epoch FROM hold)), 0)::float8 AS hold,
        coalesce(avg(extract(epoch FROM wrap_up + (wrap_up_ended - ended))), 0)::float8 AS wrap_up
    FROM calls
    WHERE ended >= %(since)s AND ended < %(until)s AND wrap_up_ended IS NOT NULL AND ended - started < %(longest)s
"""


def save_counts(conn: Connection, counts: Sequence[LineCounts], *, at: datetime) -> int:
    """Saves counts in the place of earlier ones of the same quarters. Returns how many were new or changed."""
    parameters = {
        "now": at,
        "starts": [found.start for found in counts],
        "offered": [found.offered for found in counts],
        "answered": [found.answered for found in counts],
        "abandoned": [found.abandoned for found in counts],
        "within": [found.answered_within_target for found in counts],
    }
    return conn.execute(SAVE_COUNTS, parameters).rowcount


def load_counts(conn: Connection, *, since: datetime, until: datetime) -> list[LineCounts]:
    """The counts of quarters that began in a period, the oldest first."""
    return [LineCounts(**row) for row in conn.execute(COUNTS, [since, until])]


def load_handling_time(conn: Connection, *, since: datetime, until: datetime, longest: timedelta) -> HandlingTime:
    """The mean times of calls that ended in a period and lasted less than `longest`."""
    [row] = conn.execute(HANDLING_TIME, {"since": since, "until": until, "longest": longest})
    return HandlingTime(**row)
