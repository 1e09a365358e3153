"""`make bench-schedule`: the diary at national size, and how each figure grows from a tenth and a half of it.

It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes and about 3 GB of disk. The last line
is JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from chassis import clock
from chassis.database import Database
from chassis.postcodes import build_extract
from chassis.testing import Servers
from chassis.vault import Keyring, Vault
from scheduling.__main__ import MIGRATIONS
from scheduling.data import load_assessors, load_offices
from scheduling.domain.rotas import monday_of
from tests.growth.__main__ import servers_in
from tests.growth.subject import make_place
from tests.schedule.bench import Bench
from tests.schedule.filling import fill, fill_history
from tests.schedule.national import Country
from tests.schedule.starting import seconds_until_doors_open
from tests.schedule.timing import Times

_FIND, _BOOK = "FindSlots by postcode: p99 in the database, ms", "BookAppointment earliest: p99, ms"
_WEEK, _DOORS = "a week's rota for all, s", "doors open after, s"
_ABSENCE, _FORECAST = "an absence replanned: p99, ms", "the forecast for all, s"
LIMITS = {_FIND: 15, _BOOK: 20, _WEEK: 60, _DOORS: 15, _ABSENCE: 500, _FORECAST: 30}
"""The most that a figure may be at national size."""


def measured(servers: Servers, folder: Path, country: Country, *, part: int, number: int) -> dict[str, float]:
    """The figures of a part of the country, by name."""
    own = folder / str(part)
    own.mkdir()
    place = make_place(servers, own, name=f"schedule_{part}", migrations=MIGRATIONS)
    # Plans are not told here: that takes time itself.
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as admin:
        admin.execute(f'ALTER ROLE "{place.urls.name}_app" IN DATABASE "{place.urls.name}" RESET ALL'.encode())
    found: dict[str, float] = {"offices": len(country.offices), "assessors": len(country.assessors)}
    with psycopg.connect(f"{servers.postgres_url}/{place.urls.name}", autocommit=True) as conn:
        found["shifts"], found["appointments to come"] = fill(conn, country, monday_of(clock.today()))
        fill_history(conn, country, clock.today())
    postcodes = own / "postcodes.sqlite"
    build_extract(postcodes)
    found[_DOORS] = seconds_until_doors_open(place, postcodes=postcodes)
    database = Database(place.urls.app)
    database.open()
    try:
        vault = Vault("scheduling-svc", Keyring.load(place.tokens.keyring_file))
        found |= figures(Bench(country, database, vault), number)
    finally:
        database.close()
    return found


def figures(bench: Bench, number: int) -> dict[str, float]:
    """Milliseconds and seconds by name."""
    finding, booking = bench.find_slots(number), bench.book_earliest(number)
    away = Times.of(bench.record_absences(min(number, 50)).whole)
    in_database, booked = Times.of(finding.in_database), Times.of(booking.whole)
    learning, forecast = bench.forecast()
    return {
        "FindSlots by postcode: median in the database, ms": in_database.median,
        _FIND: in_database.p99,
        "FindSlots by postcode: p99 with Python's part, ms": Times.of(finding.whole).p99,
        "BookAppointment earliest: median, ms": booked.median,
        _BOOK: booked.p99,
        "an absence replanned: median, ms": away.median,
        _ABSENCE: away.p99,
        "learning from a year's demand, s": learning,
        _FORECAST: forecast,
        _WEEK: bench.publish_week(),
    }


def main() -> int:
    """Prints a table of all figures at each size, and last a line of JSON; 1 where a limit is passed at national size."""
    parser = argparse.ArgumentParser(prog="make bench-schedule")
    parser.add_argument("--parts", default="10,2,1", help="a tenth of the country, a half, all of it")
    parser.add_argument("--number", type=int, default=500, help="how many searches and bookings")
    given = parser.parse_args()
    whole = Country(offices=load_offices(), assessors=load_assessors())
    every = []
    with (
        tempfile.TemporaryDirectory(prefix="cms3-schedule-", dir="/var/tmp") as name,
        servers_in(Path(name)) as servers,
    ):
        for part in map(int, given.parts.split(",")):
            started = time.monotonic()
            every.append(measured(servers, Path(name), whole.part(part), part=part, number=given.number))
            print(f"a part of {part}: {time.monotonic() - started:.0f} s: {every[-1]}", file=sys.stderr)
    print("| | " + " | ".join(f"{found['offices']:,.0f} offices" for found in every) + " | at most |")
    print("| --- |" + " ---: |" * (len(every) + 1))
    for key in every[-1]:
        print(f"| {key} | " + " | ".join(f"{found[key]:,}" for found in every) + f" | {LIMITS.get(key, '')} |")
    passed = [name for name, most in LIMITS.items() if every[-1][name] > most]
    print(f"\nload of the machine: {os.getloadavg()[1]:.1f}; past its limit: {', '.join(passed) or 'none'}")
    print(json.dumps({"sizes": every, "passed": passed}))
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
