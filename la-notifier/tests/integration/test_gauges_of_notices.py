"""Gauges count open versions and those that ended within the hour. What they read is measured in tests/growth."""

from datetime import timedelta

from chassis import clock
from chassis.database import Database
from la_notifier import gauges
from la_notifier.gauges import ENDED_FOR

OPEN = ("WAITING", "SENT", "RECEIVED", "REFUSED")

# Of each channel: a version in each open state, one that was refused and followed, and one loaded and one superseded, both
# within the hour and before.
VERSIONS = """
    WITH notice AS (
        INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
        SELECT gen_random_uuid(), 'C' || channel, 'E1', '', channel, '2026-01-01'
        FROM unnest(ARRAY['API', 'SFTP', 'POST']) AS channel
        RETURNING notice_id, channel
    )
    INSERT INTO notice_versions (notice_id, version, channel, kind, state, body, first_contact_time, first_contact_on,
        proof_due_on, loaded, superseded, followed)
    SELECT notice_id, version, channel, 'CLAIM', state, '', %(lately)s, '2026-01-01', '2026-02-01',
        CASE WHEN state = 'LOADED' THEN moment END, CASE WHEN state = 'SUPERSEDED' THEN moment END, followed
    FROM notice, (VALUES
        (1, 'WAITING', %(lately)s, false), (2, 'SENT', %(lately)s, false), (3, 'RECEIVED', %(lately)s, false),
        (4, 'REFUSED', %(lately)s, false), (5, 'REFUSED', %(lately)s, true),
        (6, 'LOADED', %(lately)s, true), (7, 'LOADED', %(before)s, true),
        (8, 'SUPERSEDED', %(lately)s, true), (9, 'SUPERSEDED', %(before)s, true)
    ) AS part (version, state, moment, followed)
"""


def test_the_gauge_counts_open_versions_and_those_of_the_last_hour(database: Database) -> None:
    now = clock.now()
    moments = {"lately": now - ENDED_FOR + timedelta(minutes=1), "before": now - ENDED_FOR - timedelta(minutes=1)}
    [gauge] = [gauge for gauge in gauges.GAUGES if gauge.name == "notifier_notices"]

    with database.transaction() as conn:
        conn.execute(VERSIONS, moments)
        counted = dict(gauge.read(conn))

    counted_states = (*OPEN, "LOADED", "SUPERSEDED")
    assert counted == {(channel, state): 1.0 for channel in ("API", "SFTP", "POST") for state in counted_states}


def test_gauges_stop_counting_at_ten_thousand(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO looks (claim_ref) SELECT 'C' || n FROM generate_series(1, 10001) AS n")
        [gauge] = [gauge for gauge in gauges.GAUGES if gauge.name == "notifier_reviews_due"]

        assert gauge.read(conn) == [((), 10_000.0)]
