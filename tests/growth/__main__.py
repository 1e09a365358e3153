"""`make bench-growth`: what each statement reads, and how long it takes, as the history grows to a million claims.

It starts a PostgreSQL and a bus of its own in a folder that it removes, and takes some minutes and about 6 GB of disk.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from chassis import embedded
from chassis.testing import Servers, free_port
from tests.growth.measuring import Cost, Report, measure
from tests.growth.subject import make_place
from tests.growth.subjects import SUBJECTS

_SIZES = (10_000, 100_000, 1_000_000)
_LONGEST_SCRAPE_MS = 30.0
FOR_FILLING = {
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "maintenance_work_mem": "512MB",
}
"""A million rows a table are written within minutes; how many pages a statement reads does not depend on these."""


@contextmanager
def servers_in(folder: Path) -> Iterator[Servers]:
    """A PostgreSQL made for filling, and a bus, in the folder."""
    folder.chmod(0o755)
    postgres = _postgres(folder)
    with psycopg.connect(f"{postgres.url}/postgres", autocommit=True) as conn:
        for name, value in FOR_FILLING.items():
            conn.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    postgres.stop()
    postgres = _postgres(folder)
    valkey = embedded.start_valkey(folder / "bus", port=free_port(), durable=False)
    try:
        yield Servers(folder=folder, postgres_url=postgres.url, bus_url=valkey.url)
    finally:
        postgres.stop()
        valkey.stop()


def _postgres(folder: Path) -> embedded.Postgres:
    return embedded.start_postgres(folder / "postgres", port=free_port(), open_folder=folder / "open", durable=False)


def _measure(servers: Servers, folder: Path, name: str, sizes: Sequence[int]) -> Report:
    kind, migrations = SUBJECTS[name]
    own = folder / name
    own.mkdir()
    started = time.monotonic()
    report = measure(kind, make_place(servers, own, name=f"growth_{name}", migrations=migrations), sizes)
    print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return report


def _print(report: Report, sizes: Sequence[int]) -> None:
    """A table of the dearest statement of each case."""
    heads = " | ".join(f"{size:,}: buffers | ms" for size in sizes)
    print(f"\n### {report.subject.name}\n\n| case | statement of | {heads} |")
    print("| --- | --- |" + " ---: |" * (2 * len(sizes)))
    for cost in _dearest_of_each_case(report, sizes):
        cells = " | ".join(_cell(cost, size) for size in sizes)
        mark = " **grows**" if cost.grows(sizes[0], sizes[-1]) else ""
        print(f"| {cost.case}{mark} | {cost.caller.partition('.')[2] or cost.caller} | {cells} |")
    scrapes = ", ".join(f"{report.scrapes[size]:.1f} ms at {size:,}" for size in sizes)
    print(f"\nA whole scrape: {scrapes}.")


def _dearest_of_each_case(report: Report, sizes: Sequence[int]) -> list[Cost]:
    dearest: dict[str, Cost] = {}
    for cost in report.costs:
        known = dearest.get(cost.case)
        if known is None or (cost.buffers(sizes[-1]) or 0) > (known.buffers(sizes[-1]) or 0):
            dearest[cost.case] = cost
    return list(dearest.values())


def _cell(cost: Cost, size: int) -> str:
    found = cost.executions.get(size)
    return f"{found.buffers} | {found.milliseconds:.2f}" if found else "- | -"


def _faults(report: Report, sizes: Sequence[int]) -> list[str]:
    grown = [
        f"{report.subject.name}, {cost.case}: {cost.buffers(sizes[0])} → {cost.buffers(sizes[-1])} buffers: {cost.text}"
        for cost in report.costs
        if cost.grows(sizes[0], sizes[-1])
    ]
    slow = report.scrapes[sizes[-1]]
    return grown + ([f"{report.subject.name}: a scrape takes {slow:.0f} ms"] if slow > _LONGEST_SCRAPE_MS else [])


def main() -> int:
    """Prints a table for each service, then what grows, and last a line of JSON; 1 where something grows."""
    parser = argparse.ArgumentParser(prog="make bench-growth")
    parser.add_argument("--sizes", default=",".join(map(str, _SIZES)), help="numbers of claims")
    parser.add_argument("--services", default=",".join(SUBJECTS), help="the services to measure")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    faults: list[str] = []
    scrapes: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="cms3-growth-", dir="/var/tmp") as folder,
        servers_in(Path(folder)) as servers,
    ):
        for name in given.services.split(","):
            report = _measure(servers, Path(folder), name, sizes)
            _print(report, sizes)
            faults += _faults(report, sizes)
            scrapes[name] = round(report.scrapes[sizes[-1]], 1)
    print("\n" + "\n".join(faults or ["Nothing grows."]))
    print(json.dumps({"claims": sizes, "grows": len(faults), "scrape_ms": scrapes}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
