"""Taking work costs the same however much waits, for this system or for others, also before statistics know of it."""

import uuid

from chassis.database import Database
from legacy_gateway.domain import System
from legacy_gateway.store import leases

MANY = 6_000
FILL = """
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state,
        next_attempt_time, confirmed_time, office_code, assessor_id, traceparent, created, updated)
    SELECT upper(lpad(n || 'P1', 26, '0')), 'C' || lpad(n::text, 11, '0'), 7, 'NEW', 1,
        CASE WHEN n % 3 = 0 THEN 'ISCS' ELSE 'JSAPS' END, 1, 'WAITING',
        statement_timestamp() - interval '1 day' + n * interval '1 second', now(), '100101', 'AS000001', '', now(), now()
    FROM generate_series({first}::int, {last}::int) AS n
"""
A_FEW_PAGES = 100


def pages_read(database: Database, system: System) -> int:
    """The pages that the statement reads; what it takes is given back."""
    values = {
        "system": system,
        "let_go": False,
        "token": uuid.uuid4(),
        "seconds": 60,
    }
    with database.transaction() as conn, conn.transaction(force_rollback=True):
        conn.execute(leases.IN_ORDER_OF_THE_INDEX)
        [row] = conn.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + leases.TAKE, values)
    plan = row["QUERY PLAN"][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_taking_work_reads_a_few_pages_however_much_waits(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute(FILL.format(first=1, last=MANY).encode())

    read = [pages_read(database, system) for system in (System.ISCS, System.JSAPS, System.SFCS)]

    assert max(read) < A_FEW_PAGES, read
