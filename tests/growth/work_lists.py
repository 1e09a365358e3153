"""`python -m tests.growth.work_lists`: how long ListWork takes for an office of sixty assessors with a million assessments.

The assessors of one office list their work at once, each as a page does: their day, their own work, the office's work. The last
line is JSON: the wall's p99, and the processor's time of a call with the client's part of it, which says what it would be on an
idle machine. It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from assessment.__main__ import MIGRATIONS, service
from assessment.config import Settings
from chassis import clock, embedded
from chassis.migrations import migrate
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, settings_for
from chassis.testing.doors import Client
from tests.growth.__main__ import servers_in

_NAME, _OFFICE, _ASSESSORS, _OFFICES = "work_lists", "100100", 60, 750

# An office has 1,333 claims of the million: the newest twelve for each assessor are still to be done, six of them today's.
_ASSESSMENTS = """
    INSERT INTO assessments (claim_ref, state, version, claim_version, begun, submit_time, first_contact_time, schemes,
        confirmed_schemes, confirmed_by, confirmed_time, appointment_id, office_code, assessor_id, start_time, channel,
        booked_time)
    SELECT 'C' || lpad(n::text, 11, '0'),
        CASE WHEN round < 6 THEN 'READY' WHEN round < 12 THEN 'IN_PROGRESS' ELSE 'CONFIRMED' END,
        3, 7, CASE WHEN round < 6 THEN '{}'::text[] ELSE '{ASSESSOR}' END, past, past, '{INCOME_SUPPORT,CRISIS_LOAN}',
        CASE WHEN round < 12 THEN '{}'::text[] ELSE '{INCOME_SUPPORT,CRISIS_LOAN}' END,
        CASE WHEN round >= 12 THEN 'AS000000' END, CASE WHEN round >= 12 THEN past END,
        'A' || n, (100100 + n %% %(offices)s)::text, 'AS' || lpad((n / %(offices)s %% %(assessors)s)::text, 6, '0'),
        CASE WHEN round < 6 THEN %(today)s + round * interval '1 hour' ELSE past + interval '2 days' END, 'OFFICE', past
    FROM generate_series(0, %(last)s) AS n,
        LATERAL (SELECT n / (%(offices)s * %(assessors)s) AS round,
            %(today)s - interval '1 day' - n * interval '20 seconds' AS past) AS made
"""
_OUTCOMES = """
    INSERT INTO outcomes (claim_ref, system, accepted_time)
    SELECT claim_ref, 'ISCS', confirmed_time FROM assessments WHERE state = 'CONFIRMED'
"""
_DECISIONS = """
    INSERT INTO decisions (claim_ref, scheme, decided_time)
    SELECT claim_ref, 'INCOME_SUPPORT', confirmed_time FROM assessments WHERE state = 'CONFIRMED'
"""


def _fill(url: str, claims: int) -> None:
    today = clock.now().replace(hour=9, minute=0, second=0, microsecond=0)
    values = {"last": claims - 1, "offices": _OFFICES, "assessors": _ASSESSORS, "today": today}
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        conn.execute(_ASSESSMENTS, values)
        conn.execute(_OUTCOMES)
        conn.execute(_DECISIONS)
        conn.execute("VACUUM (ANALYZE)")


@contextmanager
def _serving(servers: Servers, tokens: Tokens, claims: int) -> Iterator[Process]:
    embedded.create_database(servers.postgres_url, _NAME)
    host = servers.postgres_url.rpartition("@")[2]
    urls = DatabaseUrls.of(_NAME, host=host)
    migrate(owner_url=urls.owner, folder=MIGRATIONS)
    _fill(f"{servers.postgres_url}/{_NAME}", claims)
    settings = settings_for(Settings, "assessment-svc", urls=urls, servers=servers, bus_prefix=_NAME, tokens=tokens)
    process = Process(replace(service(settings), handlers={}))
    process.database.open()
    process.http.start()
    try:
        yield process
    finally:
        process.http.stop(1.0)
        process.runtime.closing.close()
        process.database.close()


def _pages(assessor: str) -> dict[str, dict[str, Any]]:
    day = clock.today()
    today = {"day": {"year": day.year, "month": day.month, "day": day.day}}
    return {
        "own day": {"assessor": assessor, **today},
        "office's day": today,
        "own work": {"assessor": assessor},
        "office's work": {},
        "office's open work": {"state": "ASSESSMENT_STATE_IN_PROGRESS"},
    }


def _turn(process: Process, tokens: Tokens, number: int) -> dict[str, float]:
    """The milliseconds of each page of one assessor, by its name."""
    assessor = f"AS{number % _ASSESSORS:06}"
    client = Client(
        process=process,
        service="cms.assessment.v1.AssessmentService",
        token=tokens.issue("ASSESSOR", subject=assessor, office=_OFFICE),
    )
    return {name: _timed(partial(client.get, "ListWork", **body)) for name, body in _pages(assessor).items()}


def _timed(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _p99(values: Sequence[float]) -> float:
    return round(statistics.quantiles(values, n=100)[98], 1)


def main() -> int:
    """Prints the median and the 99th percentile of each page, and last a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.growth.work_lists", description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=600)
    parser.add_argument("--at-once", type=int, default=1, help="assessors who list at the same moment")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cms3-work-", dir="/var/tmp") as folder,
        servers_in(Path(folder)) as servers,
    ):
        tokens = Tokens(Path(folder))
        with _serving(servers, tokens, given.claims) as process:
            [_turn(process, tokens, number) for number in range(_ASSESSORS)]
            began = time.process_time()
            with ThreadPoolExecutor(given.at_once) as crowd:
                turns = list(crowd.map(lambda number: _turn(process, tokens, number), range(given.turns)))
            processor = time.process_time() - began
    by_page = {name: [turn[name] for turn in turns] for name in turns[0]}
    for name, values in by_page.items():
        print(f"{name}: median {statistics.median(values):.1f} ms, p99 {_p99(values)} ms", file=sys.stderr)
    every = [value for values in by_page.values() for value in values]
    figures = {"claims": given.claims, "assessors": _ASSESSORS, "calls": len(every), "p99_ms": _p99(every)}
    print(json.dumps(figures | {"processor_ms_a_call": round(processor * 1000 / len(every), 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
