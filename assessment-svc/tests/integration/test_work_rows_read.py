"""Lists and counts read only open rows or a page, however much was confirmed. PostgreSQL counts the rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assessment.deadlines import DEADLINES
from assessment.domain.assessments import AssessmentState
from assessment.domain.work import Place, WorkFilter
from assessment.store import work as store
from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import rows_read

OFFICE = "600021"
TODAY = datetime(2026, 3, 2, tzinfo=UTC)

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
def test_overdue_queries_read_only_open_rows(owner: Connection, deadline: Any) -> None:
    overdue = f"SELECT count(*) FROM ({deadline.query}) AS found WHERE since < %s"  # noqa: S608 - as the chassis asks

    assert 1 <= rows_read(owner, overdue, [clock.now()]) < 10


def test_counting_open_work_reads_no_confirmed_work(owner: Connection) -> None:
    assert store.count_by_state(owner) == {"READY": 2, "IN_PROGRESS": 1}
    assert rows_read(owner, store.COUNT_BY_STATE, []) < 10
    assert rows_read(owner, store.COUNT_UNBOOKED, [clock.now()]) < 10


@pytest.mark.parametrize(
    ("narrowed", "first"),
    [
        ({}, ["COPEN1", "COPEN2", "CUNBOOKED"]),
        ({"state": AssessmentState.READY}, ["COPEN1", "CUNBOOKED"]),
        ({"state": AssessmentState.CONFIRMED}, []),
        ({"assessor": "AS1"}, ["COPEN1", "COPEN2"]),
        ({"assessor": "AS1", "state": AssessmentState.IN_PROGRESS}, ["COPEN2"]),
        ({"assessor": "NOBODY"}, []),
        ({"starts_from": TODAY, "starts_before": TODAY + timedelta(days=1)}, []),
    ],
    ids=str,
)
def test_a_page_of_work_reads_little_more_than_it_shows(owner: Connection, narrowed: Any, first: list[str]) -> None:
    wanted = WorkFilter(office=OFFICE, with_unbooked=True, **narrowed)
    statement = store.statement_of(wanted)

    page = store.list_work(owner, wanted, after=None, limit=5)
    last = Place.of(page[-1]) if page else None
    following = store.list_work(owner, wanted, after=last, limit=5)

    open_work = [work.claim_ref for work in page if work.state is not AssessmentState.CONFIRMED]
    assert open_work == first
    assert not {work.claim_ref for work in page} & {work.claim_ref for work in following}
    for place in (None, last):
        assert rows_read(owner, statement, store.parameters_of(wanted, after=place, limit=5)) < 40
