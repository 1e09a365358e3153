"""What is listed and counted often reads what is open, or a page, however much was confirmed: counted by PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from assessment import store
from assessment.deadlines import DEADLINES
from assessment.domain.work import Place, WorkFilter
from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import rows_read

OFFICE = "600021"

# Four thousand claims confirmed in ten offices, each refused once and then accepted; and of every open state two.
HISTORY = """
    INSERT INTO assessments (claim_ref, state, submit_time, appointment_id, office_code, assessor_id, start_time, channel,
        booked_time)
    SELECT 'CDONE' || number, 'CONFIRMED', %(long_ago)s, 'A' || number, '60002' || number %% 10, 'AS1', %(long_ago)s,
        'OFFICE', %(long_ago)s
    FROM generate_series(1, 4000) AS number;
    INSERT INTO outcomes (claim_ref, system, accepted_time, rejected_time)
    SELECT claim_ref, 'JSAPS', %(long_ago)s + interval '1 hour', %(long_ago)s FROM assessments;
    INSERT INTO assessments (claim_ref, state, submit_time, appointment_id, office_code, assessor_id, start_time, channel,
        booked_time)
    SELECT 'COPEN' || number, (ARRAY['READY', 'IN_PROGRESS'])[number], %(long_ago)s, 'A', %(office)s, 'AS1',
        %(long_ago)s + number * interval '1 hour', 'OFFICE', %(long_ago)s
    FROM generate_series(1, 2) AS number;
    INSERT INTO assessments (claim_ref, appointment_id, office_code, assessor_id, start_time, channel, booked_time)
    SELECT 'CUNSUBMITTED', 'A', %(office)s, 'AS1', %(long_ago)s, 'OFFICE', %(long_ago)s;
    INSERT INTO assessments (claim_ref, submit_time) VALUES ('CUNBOOKED', %(long_ago)s);
    INSERT INTO outcomes (claim_ref, system, rejected_time) VALUES ('CDONE1', 'ISCS', %(long_ago)s);
    ANALYZE;
"""


@pytest.fixture
def owner(database: Database, database_urls: Any) -> Iterator[Connection]:
    """A connection of the owner, who may ANALYZE, to a database with much behind it."""
    opened = Database(database_urls.owner)
    opened.open()
    with opened.transaction() as conn:
        for statement in HISTORY.split(";")[:-1]:
            conn.execute(statement.encode(), {"office": OFFICE, "long_ago": clock.now() - timedelta(days=30)})
        yield conn
    opened.close()


@pytest.mark.parametrize("deadline", DEADLINES, ids=lambda deadline: deadline.state)
def test_what_is_overdue_is_found_among_what_is_open(owner: Connection, deadline: Any) -> None:
    overdue = f"SELECT count(*) FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608 - as the chassis asks

    assert 1 <= rows_read(owner, overdue, [clock.now()]) < 10


def test_open_work_is_counted_without_what_was_confirmed(owner: Connection) -> None:
    assert store.count_by_state(owner) == {"READY": 2, "IN_PROGRESS": 1}
    assert rows_read(owner, store._COUNT_BY_STATE, []) < 10
    assert rows_read(owner, store._COUNT_UNBOOKED, [clock.now()]) < 10


def test_a_page_of_work_reads_little_more_than_it_shows(owner: Connection) -> None:
    wanted = WorkFilter(office=OFFICE, with_unbooked=True)

    page = store.list_work(owner, wanted, after=None, limit=5)
    later = store.list_work(owner, wanted, after=Place.of(page[-1]), limit=5)

    assert [work.claim_ref for work in page[:3]] == ["COPEN1", "COPEN2", "CUNBOOKED"]
    assert page[-1].claim_ref < later[0].claim_ref
    for place in (None, Place.of(later[-1])):
        assert rows_read(owner, store._WORK, store._parameters(wanted, after=place, limit=5)) < 60
