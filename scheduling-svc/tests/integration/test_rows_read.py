"""Frequent statements read only open or future rows, however long the history. PostgreSQL counts the rows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import rows_read
from scheduling import store
from scheduling.deadlines import DEADLINES
from scheduling.domain.offices import Channel
from scheduling.domain.search import Search

PAST = 4000

# Interviews that have been, two claims that wait for one, and ten slots of tomorrow, of which the first two are taken.
HISTORY = """
    INSERT INTO slots
    SELECT gen_random_uuid(), 'S' || number, 'O1', start, start + interval '45 minutes', 'OFFICE'
    FROM generate_series(1, %(past)s + 10) AS number,
        LATERAL (
            SELECT CASE WHEN number <= %(past)s THEN %(now)s - interval '30 days' - number * interval '1 minute'
                ELSE %(now)s + interval '1 day' + number * interval '1 minute' END AS start
        ) AS of_slot;
    INSERT INTO appointments
    SELECT gen_random_uuid(), 'C' || assessor_id, slot_id, 'BOOKED', %(now)s, %(now)s, interval '1 hour', 1, %(now)s
    FROM slots WHERE start_time < %(now)s OR assessor_id IN ('S4001', 'S4002');
    INSERT INTO first_contacts (claim_ref, first_contact_time, booked)
    SELECT claim_ref, %(now)s - interval '31 days', true FROM appointments;
    INSERT INTO first_contacts VALUES ('COPEN1', %(now)s - interval '3 hours'), ('COPEN2', %(now)s);
    ANALYZE;
"""


@pytest.fixture
def owner(database: Database, database_urls: Any) -> Iterator[Connection]:
    """A connection of the owner, who may ANALYZE, to a database with much behind it."""
    opened = Database(database_urls.owner)
    opened.open()
    with opened.transaction() as conn:
        for statement in HISTORY.split(";")[:-1]:
            conn.execute(statement.encode(), {"past": PAST, "now": clock.now()})
        yield conn
    opened.close()


@pytest.mark.parametrize("deadline", DEADLINES, ids=lambda deadline: deadline.state)
def test_overdue_queries_read_only_open_rows(owner: Connection, deadline: Any) -> None:
    overdue = f"SELECT count(*) FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608 - as the chassis asks

    assert 1 <= rows_read(owner, overdue, [clock.now() - timedelta(hours=2)]) < 5


def test_counting_unbooked_claims_reads_no_booked_ones(owner: Connection) -> None:
    assert store.count_unbooked(owner) == 2
    assert rows_read(owner, store.COUNT_UNBOOKED, []) < 5


def test_a_search_reads_only_the_slots_that_it_shows(owner: Connection) -> None:
    assessors = [f"S{number}" for number in range(1, PAST + 11)]
    search = Search(offices=["O1"], assessors=assessors, channel=Channel.OFFICE, since=clock.now())

    found = store.free_slots(owner, search, number=3)

    assert [slot.assessor_id for slot in found] == ["S4003", "S4004", "S4005"]
    assert rows_read(owner, store.FREE, store.search_parameters(search, number=3)) < 15
