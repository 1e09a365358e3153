"""`python -m tests.growth.due_lists`: how long the lists of officers take with a million notices stored.

What is due this week, for all authorities and for one; what is open and what is late; what was loaded. The last line is JSON.
It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from chassis import clock, embedded
from chassis.migrations import migrate
from chassis.postcodes import build_extract
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, settings_for
from chassis.testing.doors import Client
from la_notifier.__main__ import MIGRATIONS, service
from la_notifier.config import Settings
from tests.growth.__main__ import servers_in
from tests.growth.work_lists import _p99, _timed

_FILES_OF_WORKERS = ("council_secrets_file", "councils_sftp_key_file", "councils_sftp_host_key_file")
"""None of the workers runs, so nobody reads them."""
_NAME, _LEEDS, _AUTHORITIES = "due_lists", "E08000035", 360

# Each authority has some 2,800 of the million. One in ten still awaits its claim: its clock runs out within the month. One in a
# hundred is open, and half of those are late.
_NOTICES = """
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    SELECT lpad(n::text, 32, '0')::uuid, 'C' || lpad(n::text, 11, '0'),
        CASE WHEN n %% %(authorities)s = 0 THEN %(leeds)s ELSE 'E' || lpad((n %% %(authorities)s)::text, 8, '0') END,
        'Council', 'API', %(today)s
    FROM generate_series(1, %(last)s) AS n
"""
_VERSIONS = """
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on, proof_due_on,
        attempts, next_attempt_time, sent, received, loaded, created, channel, authority, late_states)
    SELECT notice_id, 1, CASE WHEN n % 10 = 0 THEN 'INTENTION' ELSE 'CLAIM' END, state, ''::bytea, past, past::date,
        past::date, 1, CASE WHEN state = 'WAITING' THEN past END, CASE WHEN state = 'LOADED' THEN past END,
        CASE WHEN state = 'LOADED' THEN past END, CASE WHEN state = 'LOADED' THEN past END, past, 'API', authority_code,
        CASE WHEN state = 'WAITING' AND n % 200 = 0 THEN '{WAITING}'::text[] ELSE '{}' END
    FROM (SELECT *, right(claim_ref, 11)::bigint AS n FROM notices) AS notice,
        LATERAL (SELECT CASE WHEN n % 100 = 0 THEN 'WAITING' ELSE 'LOADED' END AS state,
            clock_timestamp() - n * interval '5 seconds' AS past) AS made
"""
_CLOCKS = """
    INSERT INTO notice_clocks (notice_id, clock, authority_code, due_on)
    SELECT notice_id, 'CLAIM', authority_code, intention_on + (right(claim_ref, 11)::bigint / 10 % 31)::int
    FROM notices WHERE right(claim_ref, 1) = '0'
"""


def _fill(url: str, last: int) -> None:
    values = {"last": last, "authorities": _AUTHORITIES, "leeds": _LEEDS, "today": clock.today()}
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(_NOTICES, values)
        conn.execute(_VERSIONS)
        conn.execute(_CLOCKS)
        conn.execute("VACUUM (ANALYZE)")


@contextmanager
def _serving(servers: Servers, folder: Path, tokens: Tokens, last: int) -> Iterator[Process]:
    embedded.create_database(servers.postgres_url, _NAME)
    host = servers.postgres_url.rpartition("@")[2]
    urls = DatabaseUrls.of(_NAME, host=host)
    migrate(owner_url=urls.owner, folder=MIGRATIONS)
    _fill(f"{servers.postgres_url}/{_NAME}", last)
    build_extract(folder / "postcodes.sqlite")
    settings = settings_for(
        Settings,
        "la-notifier",
        urls=urls,
        servers=servers,
        bus_prefix=_NAME,
        tokens=tokens,
        postcodes_file=folder / "postcodes.sqlite",
        **dict.fromkeys(_FILES_OF_WORKERS, folder / "postcodes.sqlite"),
    )
    process = Process(replace(service(settings), handlers={}, workers=lambda _runtime: []))
    process.database.open()
    process.http.start()
    try:
        yield process
    finally:
        process.http.stop(1.0)
        process.runtime.closing.close()
        process.database.close()


def _pages() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Each list: who asks, by which method, for what."""
    return {
        "due this week": ("PROCESSING_OFFICER", "ListNoticesDue", {}),
        "due this week of one authority": ("COUNCIL_OFFICER", "ListNoticesDue", {}),
        "open": ("PROCESSING_OFFICER", "ListNotices", {}),
        "open of one authority": ("COUNCIL_OFFICER", "ListNotices", {}),
        "late": ("SUPPORT", "ListNotices", {"late": True}),
        "late of one authority": ("COUNCIL_OFFICER", "ListNotices", {"late": True}),
        "loaded of one authority": ("COUNCIL_OFFICER", "ListNotices", {"state": "NOTICE_STATE_LOADED"}),
    }


def _turn(process: Process, tokens: Tokens) -> dict[str, float]:
    """The milliseconds of each list, by its name."""
    times = {}
    for name, (role, method, body) in _pages().items():
        claims: dict[str, Any] = {"authority": _LEEDS} if role == "COUNCIL_OFFICER" else {}
        token = tokens.issue(role, subject="OF000001", **claims)
        client = Client(process=process, service="cms.notifier.v1.LaNotifierService", token=token)
        times[name] = _timed(partial(client.get, method, **body))
    return times


def main() -> int:
    """Prints the median and the 99th percentile of each list, and last a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.growth.due_lists", description=__doc__)
    parser.add_argument("--notices", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=300)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cms3-due-", dir="/var/tmp") as name,
        servers_in(Path(name)) as servers,
    ):
        folder = Path(name)
        tokens = Tokens(folder)
        with _serving(servers, folder, tokens, given.notices) as process:
            [_turn(process, tokens) for _ in range(20)]
            turns = [_turn(process, tokens) for _ in range(given.turns)]
    by_page = {page: [turn[page] for turn in turns] for page in turns[0]}
    for page, values in by_page.items():
        print(f"{page}: median {statistics.median(values):.1f} ms, p99 {_p99(values)} ms", file=sys.stderr)
    worst = {page: _p99(values) for page, values in by_page.items()}
    print(json.dumps({"notices": given.notices, "p99_ms": worst}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
