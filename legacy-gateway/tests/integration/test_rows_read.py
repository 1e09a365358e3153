"""A scrape reads open transfers and those of the last hour, whatever the length of the history."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import rows_read
from legacy_gateway import metrics
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.store import transfers

# Two thousand claims carried long ago, each refused once, corrected and then held, and one an hour ago less a minute;
# of every open state two, one of them that of a second phase.
HISTORY = """
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, attempts,
        payload, legacy_ref, confirmed_time, office_code, assessor_id, traceparent, created, updated, corrected)
    SELECT lpad((number * 10 + row)::text, 26, '0'), 'CDONE' || number, 1, 'NEW', generation, 'JSAPS', phase, state,
        attempts, CASE WHEN attempts > 0 THEN ''::bytea END, legacy_ref, moment, '', '', '', moment, moment,
        state = 'REJECTED'
    FROM generate_series(1, 2001) AS number,
        (VALUES (1, 1, 1, 'REJECTED', 1, ''), (2, 1, 2, 'CANCELLED', 0, ''),
            (3, 2, 1, 'ACCEPTED', 1, 'JS1'), (4, 2, 2, 'ACCEPTED', 1, 'JS2'))
            AS part (row, generation, phase, state, attempts, legacy_ref),
        LATERAL (SELECT CASE WHEN number = 1 THEN %(lately)s ELSE %(long_ago)s END AS moment) AS done;
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, attempts,
        next_attempt_time, lease_token, lease_until, connection_closed_time, payload, legacy_ref, confirmed_time,
        office_code, assessor_id, traceparent, created, updated)
    SELECT lpad((phase * 10 + row)::text, 26, 'X'), 'COPEN' || row || phase, 1, 'NEW', 1, 'JSAPS', phase, state, attempts,
        CASE WHEN state IN ('WAITING', 'UNKNOWN') THEN clock_timestamp() END,
        CASE WHEN state = 'SENDING' THEN gen_random_uuid() END, CASE WHEN state = 'SENDING' THEN clock_timestamp() END,
        CASE WHEN state = 'UNKNOWN' THEN clock_timestamp() END, CASE WHEN attempts > 0 THEN ''::bytea END, '',
        %(long_ago)s, '', '', '', %(long_ago)s, %(long_ago)s
    FROM generate_series(1, 2) AS phase,
        (VALUES (1, 'WAITING', 0), (2, 'SENDING', 1), (3, 'UNKNOWN', 1), (4, 'HELD', 0), (5, 'CLERICAL', 1),
            (6, 'REJECTED', 1)) AS part (row, state, attempts);
    ANALYZE;
"""
OPEN = ("WAITING", "SENDING", "UNKNOWN", "HELD", "CLERICAL", "REJECTED")


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def owner(database: Database, database_urls: Any, now: datetime) -> Iterator[Connection]:
    """A connection of the owner, who may ANALYZE, to a ledger with much behind it."""
    moments = {"lately": now - metrics.DONE_FOR + timedelta(minutes=1), "long_ago": now - timedelta(days=30)}
    opened = Database(database_urls.owner)
    opened.open()
    with opened.transaction() as conn:
        for statement in HISTORY.split(";")[:-1]:
            conn.execute(statement.encode(), moments)
        yield conn
    opened.close()


def test_the_gauge_reads_only_open_and_recent_transfers(owner: Connection, now: datetime) -> None:
    gauge, _ = metrics.GAUGES

    assert dict(gauge.read(owner)) == {("JSAPS", state): 2.0 for state in (*OPEN, "ACCEPTED")} | {
        ("JSAPS", "CANCELLED"): 1.0
    }
    assert rows_read(owner, transfers.COUNT_BY_STATE, [now - metrics.DONE_FOR]) < 20


def test_the_oldest_transfer_is_found_among_open_ones(owner: Connection) -> None:
    assert rows_read(owner, transfers.OLDEST_UNDER_WAY, []) < 10


@pytest.mark.parametrize("deadline", DEADLINES, ids=lambda deadline: deadline.state)
def test_overdue_transfers_are_found_among_open_ones(owner: Connection, deadline: Any) -> None:
    overdue = f"SELECT count(*) FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608 - as the chassis asks

    assert 1 <= rows_read(owner, overdue, [clock.now() + timedelta(minutes=1)]) < 10
