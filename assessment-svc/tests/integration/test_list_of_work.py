"""The list of work and its counts, on a table with work of every kind. tests/growth measures what the statements read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from assessment.domain.states import AssessmentState
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.store import work as store
from chassis.database import Connection, Database

OFFICE = "600021"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)

# Sixty claims in turn of every state, of three assessors, on three days, every fifth of another office and every seventh
# without an interview; three at a time were submitted in the same moment.
WORK = """
    INSERT INTO assessments (claim_ref, state, submit_time, appointment_id, office_code, assessor_id, start_time, channel,
        booked_time, schemes, begun, confirmed_schemes)
    SELECT 'C' || lpad((n * 37 % 100)::text, 3, '0'), (ARRAY['READY', 'IN_PROGRESS', 'CONFIRMED'])[1 + n % 3],
        START + n / 3 * interval '1 minute', CASE WHEN booked THEN 'A' END,
        CASE WHEN booked THEN CASE WHEN n % 5 = 0 THEN '600031' ELSE '600021' END END,
        CASE WHEN booked THEN 'AS' || n % 4 END, CASE WHEN booked THEN START + n % 3 * interval '1 day' END,
        CASE WHEN booked THEN 'OFFICE' END, CASE WHEN booked THEN START END, '{JOBSEEKERS_ALLOWANCE}',
        CASE WHEN n % 3 > 0 THEN '{ASSESSOR}'::text[] ELSE '{}' END,
        CASE WHEN n % 3 = 2 THEN '{JOBSEEKERS_ALLOWANCE}'::text[] ELSE '{}' END
    FROM (SELECT n, n % 7 <> 0 AS booked FROM generate_series(1, 60) AS n) AS claims
""".replace("START", f"'{START.isoformat()}'::timestamptz")


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.transaction() as conn:
        conn.execute(WORK)
        yield conn


def in_order(work: list[WorkItem], wanted: WorkFilter) -> list[WorkItem]:
    if wanted.by_interview:
        return sorted(
            work, key=lambda item: (item.appointment.start_time if item.appointment else START, item.claim_ref)
        )
    return sorted(work, key=lambda item: (item.state == "CONFIRMED", item.submit_time, item.claim_ref))


def is_wanted(item: WorkItem, wanted: WorkFilter) -> bool:
    if wanted.state not in (None, item.state):
        return False
    if item.appointment is None:
        return wanted.with_unbooked and wanted.assessor is None and wanted.starts_from is None
    start = item.appointment.start_time
    return (
        item.appointment.office_code == wanted.office
        and wanted.assessor in (None, item.appointment.assessor_id)
        and (wanted.starts_from or start) <= start < (wanted.starts_before or start + timedelta(days=1))
    )


def pages(conn: Connection, wanted: WorkFilter, *, size: int) -> list[WorkItem]:
    found, page = [], store.list_work(conn, wanted, after=None, limit=size)
    while page:
        found += page
        page = store.list_work(conn, wanted, after=Place.of(page[-1], by_interview=wanted.by_interview), limit=size)
    return found


def every_filter() -> Iterator[WorkFilter]:
    days: list[dict[str, Any]] = [{}] + [
        {"starts_from": day, "starts_before": day + timedelta(days=1)} for day in (START, START + timedelta(days=9))
    ]
    states, assessors = [None, *AssessmentState], [None, "AS1", "NOBODY"]
    for state, assessor, day, with_unbooked in product(states, assessors, days, [True, False]):
        yield WorkFilter(office=OFFICE, with_unbooked=with_unbooked, assessor=assessor, state=state, **day)


def test_pages_of_every_filter_give_each_work_item_once_and_in_order(conn: Connection) -> None:
    every = [
        *pages(conn, WorkFilter(office=OFFICE, with_unbooked=True), size=100),
        *pages(conn, WorkFilter(office="600031", with_unbooked=False), size=100),
    ]
    assert len(every) == 60

    for wanted in every_filter():
        assert pages(conn, wanted, size=4) == in_order([item for item in every if is_wanted(item, wanted)], wanted), (
            wanted
        )


def test_open_work_is_counted_by_state_and_unbooked_work_by_its_age(conn: Connection) -> None:
    assert store.count_by_state(conn) == {"READY": 20, "IN_PROGRESS": 20}
    assert store.count_unbooked(conn, submitted_before=START + timedelta(hours=1)) == 5
    assert store.count_unbooked(conn, submitted_before=START) == 0
