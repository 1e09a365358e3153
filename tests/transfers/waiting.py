"""The cost of taking work, and the size of the gateway, with many claims waiting."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from psycopg import sql

from chassis.database import Database
from chassis.testing import eventually
from legacy_gateway.domain import System
from legacy_gateway.store import leases
from tests.transfers.contenders import WAITING
from tests.transfers.place import Place, fresh_database

_FIRST_SECONDS = 120.0
_WORKS_SECONDS = 8.0
_PAUSE_SECONDS = 0.02
_TAKEN = 1000
_LEASE_SECONDS = 60.0
_ACCEPTED = sql.SQL("SELECT count(*) FROM transfers WHERE state = 'ACCEPTED'")
_HAND_BACK = "UPDATE transfers SET lease_token = NULL, lease_until = NULL WHERE lease_token = %s"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of so many waiting claims. `busy` is while the gateway works, the rest at rest afterwards; milliseconds."""

    waiting: int
    each_second: float
    p50: float
    p99: float
    busy_p50: float
    busy_p99: float
    peak_mb: float
    """The most that the gateway's process had in memory, in MiB."""


def cost(found: Place, waiting: int) -> Cost:
    """The gateway works for some seconds on so many; meanwhile and afterwards another process takes leases as it does."""
    with fresh_database(found), found.connected() as conn:
        conn.execute(WAITING, [waiting])
        conn.execute("VACUUM (ANALYZE)")
        database = Database(found.url("app"))
        database.open()
        try:
            with found.process("legacy_gateway", **found.gateway()) as process:
                eventually(lambda: _accepted(found), seconds=_FIRST_SECONDS, what="the first accepted record")
                before, started = _accepted(found), time.monotonic()
                busy = _take(database, found, seconds=_WORKS_SECONDS, pause=_PAUSE_SECONDS)
                each_second = (_accepted(found) - before) / (time.monotonic() - started)
                peak = _peak_mb(process.pid)
            quiet = _take(database, found, seconds=_LEASE_SECONDS, pause=0)
        finally:
            database.close()
    return Cost(
        waiting=waiting,
        each_second=round(each_second, 1),
        p50=_percentile(quiet, 50),
        p99=_percentile(quiet, 99),
        busy_p50=_percentile(busy, 50),
        busy_p99=_percentile(busy, 99),
        peak_mb=round(peak, 1),
    )


def _take(database: Database, found: Place, *, seconds: float, pause: float) -> list[float]:
    """Milliseconds of each take, with its commit. What was taken is handed back at once."""
    taken: list[float] = []
    with found.connected() as conn:
        end = time.monotonic() + seconds
        while len(taken) < _TAKEN and time.monotonic() < end:
            started = time.perf_counter()
            with database.transaction() as other:
                leased = leases.take(other, System.ISCS, seconds=_LEASE_SECONDS)
            if leased is None:
                break
            taken.append((time.perf_counter() - started) * 1000)
            token: UUID = leased.token
            conn.execute(_HAND_BACK, [token])
            time.sleep(pause)
    return taken


def _percentile(found: list[float], number: int) -> float:
    return round(statistics.quantiles(found, n=100)[number - 1], 2) if len(found) > 1 else 0.0


def _accepted(found: Place) -> int:
    with found.connected() as conn:
        [(count,)] = conn.execute(_ACCEPTED).fetchall()
    return int(count)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kilobytes) / 1024
