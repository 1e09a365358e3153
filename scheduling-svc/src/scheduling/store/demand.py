"""The history of demand by office and day, and what was learnt of it."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from chassis.database import Connection, Row
from scheduling.domain.demand import Learnt
from scheduling.domain.load import DeskKey
from scheduling.domain.offices import Channel

_LOCK = 0x64656D61  # "dema"

# Counts the interviews that were booked on a day, for the office nearest to each claimant and the channel that was wanted.
COUNT_DAY = """
    INSERT INTO demand_days (day, office_code, channel, booked, within_target, elapsed_seconds, working_seconds)
    SELECT %(day)s, coalesce(home_office_code, office_code), coalesce(wanted_channel, channel), count(*),
        count(*) FILTER (WHERE within_target), sum(extract(epoch FROM start_time - first_contact_time)),
        sum(extract(epoch FROM working_lead_time))
    FROM appointments WHERE booked_time >= %(since)s AND booked_time < %(until)s
    GROUP BY coalesce(home_office_code, office_code), coalesce(wanted_channel, channel)
    ON CONFLICT DO NOTHING
"""

MARK_COUNTED = "INSERT INTO counted_days (day) VALUES (%s) ON CONFLICT DO NOTHING"

# The latest day that was counted, and the first booking.
COUNTED = "SELECT (SELECT max(day) FROM counted_days) AS last, (SELECT min(booked_time) FROM appointments) AS first"

# Demand by desk and day since a day.
SINCE = "SELECT office_code, channel, day, booked FROM demand_days WHERE day >= %s ORDER BY office_code, channel"

SAVE_PATTERN = """
    INSERT INTO demand_pattern (until_day, factors, dispersion, weeks)
    VALUES (%(until_day)s, %(factors)s, %(dispersion)s, %(weeks)s)
    ON CONFLICT (one) DO UPDATE
    SET until_day = excluded.until_day, factors = excluded.factors, dispersion = excluded.dispersion, weeks = excluded.weeks
"""

SAVE_LEVELS = """
    INSERT INTO demand_levels (office_code, channel, level) SELECT * FROM unnest(%s::text[], %s::text[], %s::float8[])
"""

# Days that nobody needs any more.
PRUNE = (
    "DELETE FROM demand_days WHERE day IN (SELECT DISTINCT day FROM demand_days WHERE day < %s ORDER BY day LIMIT 1)"
)


def try_lock(conn: Connection) -> bool:
    """Locks the counting until the end of the transaction; False if another replica counts."""
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS locked", [_LOCK]).fetchone()
    return row is not None and bool(row["locked"])


def counted(conn: Connection) -> tuple[date | None, datetime | None]:
    """The latest day that was counted, and when the first of the appointments was booked; None where there is none."""
    row = conn.execute(COUNTED).fetchone()
    return (row["last"], row["first"]) if row else (None, None)


def first_day(conn: Connection) -> date | None:
    """The first day on which an interview was booked; None before the first."""
    row = conn.execute("SELECT min(day) AS day FROM demand_days").fetchone()
    return row["day"] if row else None


def count_day(conn: Connection, day: date, *, since: datetime, until: datetime) -> None:
    """Counts the day, which was from `since` to `until`."""
    conn.execute(COUNT_DAY, {"day": day, "since": since, "until": until})
    conn.execute(MARK_COUNTED, [day])


def counts(conn: Connection, *, since: date) -> dict[DeskKey, dict[date, int]]:
    """The interviews booked by desk and day, since a day."""
    found: dict[DeskKey, dict[date, int]] = {}
    for row in conn.execute(SINCE, [since]):
        found.setdefault(_key(row), {})[row["day"]] = row["booked"]
    return found


def save(conn: Connection, learnt: Learnt, levels: Mapping[DeskKey, float], *, until_day: date) -> None:
    """Keeps what was learnt of the history to a day."""
    pattern = {
        "until_day": until_day,
        "factors": list(learnt.factors),
        "dispersion": learnt.dispersion,
        "weeks": learnt.weeks,
    }
    conn.execute(SAVE_PATTERN, pattern)
    conn.execute("DELETE FROM demand_levels")
    rows = [(key.office_code, key.channel.value, level) for key, level in levels.items()]
    conn.execute(SAVE_LEVELS, [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []])


def learnt_until(conn: Connection) -> date | None:
    """The day to which the history was learnt of; None before the first time."""
    row = conn.execute("SELECT until_day FROM demand_pattern").fetchone()
    return row["until_day"] if row else None


def learnt(conn: Connection) -> Learnt:
    """The pattern that was learnt; an even one before the first time."""
    row = conn.execute("SELECT factors, dispersion, weeks FROM demand_pattern").fetchone()
    if row is None:
        return Learnt()
    return Learnt(factors=tuple(row["factors"]), dispersion=row["dispersion"], weeks=row["weeks"])


def levels(conn: Connection, offices: Collection[str]) -> dict[DeskKey, float]:
    """The level of each desk of these offices that has one."""
    query = "SELECT office_code, channel, level FROM demand_levels WHERE office_code = ANY(%s)"
    return {_key(row): row["level"] for row in conn.execute(query, [list(offices)])}


def prune(conn: Connection, *, before: date) -> bool:
    """Deletes the oldest day before then; gives whether there was one."""
    return conn.execute(PRUNE, [before]).rowcount > 0


def _key(row: Row) -> DeskKey:
    return DeskKey(office_code=row["office_code"], channel=Channel(row["channel"]))
