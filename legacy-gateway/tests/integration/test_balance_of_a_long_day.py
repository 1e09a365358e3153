"""A day of 300,000 transfers is balanced in little memory, by indexes, without a statement that reads the whole ledger."""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import pytest

from chassis import clock
from legacy_gateway.domain import HeldRecord, System
from legacy_gateway.service.reconciling import reconcile_next
from legacy_gateway.store import balances, listings
from tests.support.books import Books

NUMBER = 300_000
PAGE = 100
MOST_MEGABYTES = 20
FILL = """
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, attempts, payload,
        legacy_ref, confirmed_time, office_code, assessor_id, traceparent, created, updated)
    SELECT upper(lpad(to_hex(n), 26, '0')), 'C' || lpad(n::text, 11, '0'), 7, 'NEW', 1, 'ISCS', 1, 'ACCEPTED', 1, ''::bytea,
        'L' || n, %(at)s, '100101', 'AS000001', '', at, at
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n,
        LATERAL (SELECT %(at)s + make_interval(secs => n * 0.1) AS at) AS moment
"""


class LongList:
    """A system that lists as many records as it is given, on one day, and loses every 100,000th."""

    def __init__(self, day: date) -> None:
        self.day = day

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        for first in range(1, NUMBER + 1, PAGE) if day == self.day else ():
            yield [
                HeldRecord(transfer_id=f"{n:026X}", legacy_ref=f"L{n}")
                for n in range(first, first + PAGE)
                if n % 100_000 != 0
            ]


def plan_of(gateway: Any, query: str, values: Any) -> str:
    with gateway.database.transaction() as conn:
        rows = conn.execute(f"EXPLAIN (FORMAT TEXT) {query}", values).fetchall()
    return "\n".join(row["QUERY PLAN"] for row in rows)


@pytest.mark.long
def test_a_long_day_takes_little_memory_and_reads_by_index(
    gateway: Any, books_of: Callable[[System, Any, int], Books]
) -> None:
    day = clock.today() - timedelta(days=1)
    start = datetime.combine(day, time_of_day(1), tzinfo=clock.LONDON)
    for first in range(1, NUMBER, 10_000):
        values = {"first": first, "last": first + 9_999, "at": start}
        with gateway.database.transaction() as conn:
            conn.execute(FILL, values)
    gateway.change("ANALYZE transfers")
    books = books_of(System.ISCS, LongList(day), 0)
    books.ask_for(day)

    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert reconcile_next(books.work) is True
    seconds = time.monotonic() - begun
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    print(f"{NUMBER} transfers balanced in {seconds:.1f} s, {grown:.1f} MB more at most")  # noqa: T201
    assert [row[:2] for row in books.found()] == [("MISSING_THERE", "ASKING")] * 3
    assert books.columns(day) == (NUMBER, NUMBER - 3, 0, 0, 0, 3)
    assert grown < MOST_MEGABYTES
    assert_read_by_index(gateway, day)


def assert_read_by_index(gateway: Any, day: date) -> None:
    with gateway.database.transaction() as conn:
        [row] = conn.execute("SELECT listing_id FROM listings WHERE day = %s", [day]).fetchall()
    listing = row["listing_id"]
    noon = datetime.combine(day, time_of_day(12), tzinfo=clock.LONDON)
    walked = {"system": "ISCS", "listing_id": listing, "lists": [listing], "place": 100_000, "end": 102_000}
    accepted = {
        "system": "ISCS",
        "listings": [listing],
        "until": noon + timedelta(hours=12),
        "after": noon,
        "after_id": "",
        "portion": 2000,
    }
    for query, values in (
        (listings.LISTED, walked),
        (listings.ACCEPTED, accepted),
        (balances.CAPTURED, ["ISCS", noon, noon + timedelta(minutes=5)]),
    ):
        assert "Seq Scan" not in plan_of(gateway, query, values), plan_of(gateway, query, values)
