"""A scrape reads open versions and those of the last hour, however many were sent: counted by PostgreSQL itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, LiteralString

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import rows_read
from la_notifier import gauges
from la_notifier.deadlines import DEADLINES
from la_notifier.store import counts

OPEN = ("WAITING", "SENT", "RECEIVED", "REFUSED")

# Three thousand claims of long ago, each with three versions that have ended, the first of them refused, and one claim
# within the hour; then two of each channel, one of them in Scotland, in each of the open states.
HISTORY = """
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    SELECT gen_random_uuid(), 'CDONE' || number, CASE number %% 2 WHEN 0 THEN 'E1' ELSE 'S1' END, '', 'API', '2026-01-01'
    FROM generate_series(1, 3001) AS number;
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on,
        proof_due_on, sent, loaded, superseded, created, followed)
    SELECT notice_id, version, 'CLAIM', state, '', moment, '2026-01-01', '2026-02-01', moment,
        CASE WHEN state = 'LOADED' THEN moment END, CASE WHEN state = 'SUPERSEDED' THEN moment END, moment, version < 3
    FROM notices, (VALUES (1, 'REFUSED'), (2, 'SUPERSEDED'), (3, 'LOADED')) AS part (version, state),
        LATERAL (SELECT CASE WHEN claim_ref = 'CDONE1' THEN %(lately)s ELSE %(long_ago)s END AS moment) AS done;
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    SELECT gen_random_uuid(), 'COPEN' || state, code, '', channel, '2026-01-01'
    FROM unnest(%(open)s::text[]) AS state, unnest(ARRAY['API', 'SFTP', 'POST']) AS channel,
        LATERAL (SELECT nation || channel AS code FROM unnest(ARRAY['E', 'S']) AS nation) AS of_nation;
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on,
        proof_due_on, sent, created)
    SELECT notice_id, 1, 'CLAIM', substr(claim_ref, 6), '', %(long_ago)s, '2026-01-01', '2026-02-01',
        CASE WHEN claim_ref <> 'COPENWAITING' THEN %(long_ago)s END, %(long_ago)s
    FROM notices WHERE claim_ref LIKE 'COPEN%%';
    ANALYZE;
"""


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def owner(database: Database, database_urls: Any, now: datetime) -> Iterator[Connection]:
    """A connection of the owner, who may ANALYZE, to a database with much behind it."""
    values = {
        "lately": now - gauges.ENDED_FOR + timedelta(minutes=1),
        "long_ago": now - timedelta(days=30),
        "open": list(OPEN),
    }
    opened = Database(database_urls.owner)
    opened.open()
    with opened.transaction() as conn:
        for statement in HISTORY.split(";")[:-1]:
            conn.execute(statement.encode(), values)
        yield conn
    opened.close()


def test_the_gauge_counts_open_versions_and_those_of_the_last_hour(owner: Connection) -> None:
    [gauge] = [gauge for gauge in gauges.GAUGES if gauge.name == "notifier_notices"]
    still_open = {(channel, state): 2.0 for channel in ("API", "SFTP", "POST") for state in OPEN}

    assert dict(gauge.read(owner)) == still_open | {("API", "LOADED"): 1.0, ("API", "SUPERSEDED"): 1.0}


@pytest.mark.parametrize("query", [counts.COUNT_OPEN, counts.COUNT_LOADED, counts.COUNT_SUPERSEDED])
def test_counting_reads_no_history(owner: Connection, now: datetime, query: LiteralString) -> None:
    asked = {"channels": counts._CHANNELS, "states": counts._OPEN_STATES, "since": now - gauges.ENDED_FOR, "most": 100}

    assert rows_read(owner, query, asked) < 60


@pytest.mark.parametrize(
    "deadline",
    [one for one in DEADLINES if one.state not in ("REVIEW_DUE", "DISPUTED", "REFERRED")],
    ids=lambda deadline: deadline.state,
)
def test_overdue_versions_are_found_among_the_open_ones(owner: Connection, deadline: Any) -> None:
    overdue = f"SELECT count(*) FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608 - as the chassis asks

    assert 1 <= rows_read(owner, overdue, [clock.now()]) < 40
