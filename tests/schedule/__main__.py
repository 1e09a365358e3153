"""`make bench-schedule`: the diary at national size, and how each figure grows from a tenth and a half of it.

It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes and about 3 GB of disk. The last line
is JSON.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg

from chassis import clock
from chassis.database import Database
from chassis.testing import Servers
from scheduling.__main__ import MIGRATIONS
from scheduling.data import load_assessors, load_offices
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.domain.rotas import WEEK, monday_of
from scheduling.domain.search import Page, Wish
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, rotas, search
from tests.growth.__main__ import servers_in
from tests.growth.subject import make_place
from tests.schedule.filling import fill
from tests.schedule.national import WEEKS, Country, rotas_of_week
from tests.schedule.timing import Times, Watch

_CHARING_CROSS = (530_000, 180_400)
_SPREAD = 8_000
"""Claimants live around Charing Cross: the standard deviation in metres, in each direction."""
_PAGE = 20


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What must hold at national size, in milliseconds or seconds."""

    name: str
    most: float
    unit: str


LIMITS = (
    Limit(name="FindSlots by postcode, p99 in the database", most=15, unit="ms"),
    Limit(name="BookAppointment earliest, p99", most=20, unit="ms"),
    Limit(name="a week's rota for all", most=60, unit="s"),
)


class Bench:
    """scheduling-svc's database with a part of the country, and the use cases that are measured on it."""

    def __init__(self, country: Country, database: Database) -> None:
        self._country = country
        self._database = database
        self._directory = Directory(country.offices, country.assessors)
        self._chance = random.Random(7)

    def find_slots(self, number: int) -> Watch:
        """The first page of free slots from places in London."""
        return self._repeated(number, self._find)

    def book_earliest(self, number: int) -> Watch:
        """The earliest slot from places in London, each booked in a transaction of its own."""
        return self._repeated(number, self._book)

    def publish_week(self) -> float:
        """Seconds in which a further week's rota is published for every assessor, each in a transaction of its own."""
        every = list(rotas_of_week(self._country, monday_of(clock.today()) + WEEKS * WEEK))
        started = time.perf_counter()
        for shifts in every:
            first = shifts[0]
            rota = rotas.rota_of(self._directory, first.assessor_id, first.office_code, work=shifts, weeks=())
            with self._database.transaction() as conn:
                rotas.publish(conn, rota, self._directory)
        return round(time.perf_counter() - started, 1)

    def _repeated(self, number: int, act: Callable[[Wish], None]) -> Watch:
        for _ in range(10):
            act(self._wish())
        watch = Watch()
        for _ in range(number):
            wish = self._wish()
            with watch.turn():
                act(wish)
        return watch

    def _wish(self) -> Wish:
        east, north = (round(self._chance.gauss(at, _SPREAD)) for at in _CHARING_CROSS)
        near = self._directory.near(easting=east, northing=north)
        return Wish(offices=near, channel=Channel.OFFICE, needs=frozenset())

    def _find(self, wish: Wish) -> None:
        page = Page(since=None, until=None, size=_PAGE, after=None)
        with self._database.transaction() as conn:
            search.find_slots(conn, wish, page=page, target=TARGET)

    def _book(self, wish: Wish) -> None:
        claim = Claim(
            claim_ref=f"CB{uuid4().hex[:10].upper()}",
            schemes=("JOBSEEKERS_ALLOWANCE",),
            is_open=True,
            first_contact_time=clock.now() - timedelta(minutes=10),
        )
        with self._database.transaction() as conn:
            bookings.book_earliest(conn, claim, directory=self._directory, wish=wish, target=TARGET)


def measured(servers: Servers, folder: Path, country: Country, *, part: int, number: int) -> dict[str, float]:
    """The figures of a part of the country, by name."""
    place = make_place(servers, folder, name=f"schedule_{part}", migrations=MIGRATIONS)
    # Plans are not told here: that takes time itself.
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as admin:
        admin.execute(f'ALTER ROLE "{place.urls.name}_app" IN DATABASE "{place.urls.name}" RESET ALL'.encode())
    found: dict[str, float] = {"offices": len(country.offices), "assessors": len(country.assessors)}
    with psycopg.connect(f"{servers.postgres_url}/{place.urls.name}", autocommit=True) as conn:
        found["shifts"], found["appointments to come"] = fill(conn, country, monday_of(clock.today()))
    database = Database(place.urls.app)
    database.open()
    try:
        found |= figures(Bench(country, database), number)
    finally:
        database.close()
    return found


def figures(bench: Bench, number: int) -> dict[str, float]:
    """Milliseconds and seconds by name."""
    finding, booking = bench.find_slots(number), bench.book_earliest(number)
    in_database, found = Times.of(finding.in_database), Times.of(finding.whole)
    booked = Times.of(booking.whole)
    return {
        "FindSlots by postcode, median in the database": in_database.median,
        LIMITS[0].name: in_database.p99,
        "FindSlots by postcode, p99 with Python's part": found.p99,
        "BookAppointment earliest, median": booked.median,
        LIMITS[1].name: booked.p99,
        LIMITS[2].name: bench.publish_week(),
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
            print(f"a part of {part}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    most = {limit.name: limit for limit in LIMITS}
    print("| | " + " | ".join(f"{found['offices']:,.0f} offices" for found in every) + " | at most |")
    print("| --- |" + " ---: |" * (len(every) + 1))
    for key in every[-1]:
        limit = f"{most[key].most:g} {most[key].unit}" if key in most else ""
        print(f"| {key} | " + " | ".join(f"{found[key]:,g}" for found in every) + f" | {limit} |")
    passed = [limit.name for limit in LIMITS if every[-1][limit.name] > limit.most]
    print(f"\nload of the machine: {os.getloadavg()[1]:.1f}; passed: {', '.join(passed) or 'none'}")
    print(json.dumps({"sizes": every, "passed": passed}))
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
