"""`make bench-schedule`: the diary at national size, and how each figure grows from a tenth and a half of it.

It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes and about 3 GB of disk. Each figure is
printed on the error output as soon as it is known, and kept as a line of JSON in `--results`. Last come the table of all sizes,
and a line of JSON.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from chassis import clock
from chassis.database import Database
from chassis.postcodes import build_extract
from chassis.testing import DatabaseUrls, Servers
from chassis.vault import Keyring, Vault
from scheduling.__main__ import MIGRATIONS
from scheduling.data import load_assessors, load_offices
from scheduling.domain.rotas import monday_of
from tests.growth.subject import Place, make_place
from tests.schedule.bench import Bench
from tests.schedule.filling import fill, fill_history
from tests.schedule.national import Country
from tests.schedule.publishing import seconds_to_publish
from tests.schedule.servers import for_filling, for_use
from tests.schedule.starting import service_at
from tests.schedule.timing import Pages, Times, Watch

_FIND, _BOOK = "FindSlots by postcode: p99 in the database, ms", "BookAppointment earliest: p99, ms"
_WEEK, _DOORS = "a week's rota for all, through the door, s", "doors open after, s"
_ABSENCE, _MEASURED = "an absence replanned: p99, ms", "the forecast for all, by the worker, s"
_HELP = "the forecast for all, with what would help each, s"
LIMITS = {_FIND: 15, _BOOK: 20, _WEEK: 60, _DOORS: 15, _ABSENCE: 500, _MEASURED: 30, _HELP: 30}
"""The most that a figure may be at national size."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The figures of one size, by name, in the order in which they came."""

    part: int
    file: Path
    started: float = field(default_factory=time.monotonic)
    found: dict[str, float] = field(default_factory=dict)

    def keep(self, name: str, value: float) -> None:
        """Keeps a figure, in the file too, and prints it."""
        self.found[name] = value
        load = round(os.getloadavg()[0], 1)
        after = round(time.monotonic() - self.started)
        print(f"1/{self.part}, {after} s, load {load}: {name}: {value:,}", file=sys.stderr, flush=True)
        with self.file.open("a") as lines:
            lines.write(json.dumps({"part": self.part, "figure": name, "value": value, "load": load}) + "\n")

    def keep_times(self, name: str, watch: Watch) -> None:
        """Keeps what a use case took, as a whole and in the database."""
        whole, in_database = Times.of(watch.whole), Times.of(watch.in_database)
        self.keep(f"{name}: median in the database, ms", in_database.median)
        self.keep(f"{name}: p99 in the database, ms", in_database.p99)
        self.keep(f"{name}: median, ms", whole.median)
        self.keep(f"{name}: p99, ms", whole.p99)
        self.keep(f"{name}: statements, mean", round(sum(watch.statements) / len(watch.statements), 1))


def measure(folder: Path, country: Country, results: Results, *, number: int) -> None:
    """Fills a server of its own with this part of the country, and measures everything there."""
    folder.mkdir()
    folder.chmod(0o755)
    results.keep("offices", len(country.offices))
    results.keep("assessors", len(country.assessors))
    started = time.monotonic()
    with for_filling(folder) as url:
        place = _place(url, folder)
        with psycopg.connect(f"{url}/{place.urls.name}", autocommit=True) as conn:
            shifts, booked = fill(conn, country, monday_of(clock.today()))
            fill_history(conn, country, clock.today())
    results.keep("shifts", shifts)
    results.keep("appointments to come", booked)
    results.keep("filling, s", round(time.monotonic() - started))
    with for_use(folder) as servers:
        _measure_in_use(_moved(place, servers), country, results, number=number)


def _measure_in_use(place: Place, country: Country, results: Results, *, number: int) -> None:
    postcodes = place.folder / "postcodes.sqlite"
    build_extract(postcodes)
    gc.collect()
    gc.freeze()  # as the service does
    superuser = f"{place.servers.postgres_url}/{place.urls.name}"
    with psycopg.connect(superuser, autocommit=True) as admin, _bench(place, country) as bench:
        pages, few = Pages(admin), min(number, 100)
        plan_less = pages.of(lambda: bench.find_slots(few), number=few + bench.warm_up)
        results.keep("FindSlots by postcode: pages, tables not analysed", plan_less)
        admin.execute("ANALYZE")
        results.keep(
            "FindSlots by postcode: pages", pages.of(lambda: bench.find_slots(few), number=few + bench.warm_up)
        )
        results.keep_times("FindSlots by postcode", bench.find_slots(number))
        results.keep_times("BookAppointment earliest", bench.book_earliest(number))
        results.keep_times("an absence replanned", bench.record_absences(min(number, 50)))
        results.keep("learning from a year's demand, s", bench.learn())
        results.keep(_HELP, bench.forecast())
        results.keep(_MEASURED, bench.measure_all())
    with service_at(place, postcodes=postcodes) as service:
        results.keep(_DOORS, service.seconds)
        codes = [office.code for office in country.offices]
        token = place.tokens.issue("SERVICE_MANAGER", subject="SM000001")
        published, seconds = seconds_to_publish(codes, url=service.url, token=token, folder=place.folder / "rotas")
        results.keep("rotas published", published)
        results.keep(_WEEK, seconds)


@contextmanager
def _bench(place: Place, country: Country) -> Iterator[Bench]:
    database = Database(place.urls.app)
    database.open()
    try:
        yield Bench(country, database, Vault("scheduling-svc", Keyring.load(place.tokens.keyring_file)))
    finally:
        database.close()


def _place(url: str, folder: Path) -> Place:
    place = make_place(
        Servers(folder=folder, postgres_url=url, bus_url=""), folder, name="schedule", migrations=MIGRATIONS
    )
    # Plans are not told here: that takes time itself.
    with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
        admin.execute("ALTER ROLE schedule_app IN DATABASE schedule RESET ALL")
        admin.execute("ALTER ROLE schedule_housekeeping IN DATABASE schedule RESET ALL")
    return place


def _moved(place: Place, servers: Servers) -> Place:
    """The same database on the server in use, which has another port."""
    host = servers.postgres_url.rpartition("@")[2]
    urls = DatabaseUrls.of(place.urls.name, host=host)
    return replace(place, servers=servers, urls=urls)


def main() -> int:
    """Prints a table of all figures at each size, and last a line of JSON; 1 where a limit is passed at national size."""
    parser = argparse.ArgumentParser(prog="make bench-schedule")
    parser.add_argument("--parts", default="10,2,1", help="a tenth of the country, a half, all of it")
    parser.add_argument("--number", type=int, default=500, help="how many searches and bookings")
    parser.add_argument("--results", type=Path, default=Path("bench-schedule.jsonl"), help="a file for each figure")
    given = parser.parse_args()
    whole = Country(offices=load_offices(), assessors=load_assessors())
    every = []
    for part in map(int, given.parts.split(",")):
        results = Results(part=part, file=given.results)
        with tempfile.TemporaryDirectory(prefix="cms3-schedule-", dir="/var/tmp") as name:
            Path(name).chmod(0o755)
            measure(Path(name) / "data", whole.part(part), results, number=given.number)
        every.append(results.found)
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
