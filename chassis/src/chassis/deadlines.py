"""Every state that is not an end has a deadline and an owner; what is overdue is counted at scrape and listed by reference.

docs/states.md is the table of all of them; a test holds it against what the services say.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg

from chassis import clock
from chassis.database import Connection, Row
from chassis.state_gauges import Samples, StateGauge

CutOff = Callable[[datetime], datetime]
"""Of the platform's time: what is in a state since before that moment is overdue."""

_MOST_LISTED = 1000


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """How long something may be in a state, and who sees to it when it is longer.

    `query` gives `reference`, never a claimant's value, and `since`, a moment with a time zone.
    """

    state: str
    owner: str
    cut_off: CutOff
    query: LiteralString


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """One thing that has been in a state for too long."""

    state: str
    owner: str
    reference: str
    since: datetime


def within(length: timedelta) -> CutOff:
    """So long by the platform's clock."""
    return lambda now: now - length


def within_real(length: timedelta) -> CutOff:
    """So long by the real time, for moments that the database dates."""
    return lambda _now: datetime.now(UTC) - length


OF_EVERY_SERVICE = (
    Deadline(
        state="EVENT_UNFINISHED",
        owner="SUPPORT",
        cut_off=within_real(timedelta(hours=1)),
        query="SELECT claim_ref AS reference, created AS since FROM outbox WHERE finished_time IS NULL",
    ),
    Deadline(
        state="DEAD_LETTER",
        owner="SUPPORT",
        cut_off=within_real(timedelta(days=1)),
        query="SELECT claim_ref AS reference, died_time AS since FROM dead_letters WHERE replayed_time IS NULL",
    ),
)


def gauge(name: str, deadlines: Sequence[Deadline]) -> StateGauge:
    """The gauge of what is overdue in each state of a service, those of every service among them.

    A state whose deadline is not the same for all that is in it has several, and one sample.
    """
    every = (*OF_EVERY_SERVICE, *deadlines)

    def read(conn: Connection) -> Samples:
        counts: Counter[str] = Counter()
        for deadline in every:
            counts[deadline.state] += _count(conn, deadline)
        return [((state,), float(count)) for state, count in counts.items()]

    help_text = "What has been in a state for longer than its deadline."
    return StateGauge(name=name, help=help_text, labels=("state",), read=read)


def _count(conn: Connection, deadline: Deadline) -> int:
    query: LiteralString = f"SELECT count(*) AS count FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608
    row = conn.execute(query, [deadline.cut_off(clock.now())]).fetchone()
    return int(row["count"]) if row else 0


def overdue(conn: Connection | psycopg.Connection[Row], deadlines: Sequence[Deadline]) -> list[Overdue]:
    """What is overdue, those of every service among them: state by state, the oldest first, a thousand of each at most."""
    return [found for deadline in (*OF_EVERY_SERVICE, *deadlines) for found in _list(conn, deadline)]


def _list(conn: Connection | psycopg.Connection[Row], deadline: Deadline) -> list[Overdue]:
    query: LiteralString = f"SELECT reference, since FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608
    rows = conn.execute(query + " ORDER BY since LIMIT %s", [deadline.cut_off(clock.now()), _MOST_LISTED])
    return [Overdue(state=deadline.state, owner=deadline.owner, **row) for row in rows]
