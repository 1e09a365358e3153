"""The use cases that are measured, on scheduling-svc's database with a part of the country."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from uuid import uuid4

from chassis import clock
from chassis.database import Database
from chassis.vault import Vault
from scheduling.domain.absences import Away
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.domain.search import Page, Wish
from scheduling.domain.working_time import LONDON, ONE_DAY, TARGET, working_days
from scheduling.service import absences, bookings, demand, load, search, watch
from tests.schedule.national import Country
from tests.schedule.timing import Watch

_CHARING_CROSS = (530_000, 180_400)
_SPREAD = 8_000
"""Claimants live around Charing Cross: the standard deviation in metres, in each direction."""
_PAGE = 20
_DAYS_AHEAD = 5
"""Working days of which the load of every office is asked."""


class Bench:
    """scheduling-svc's database with a part of the country, and the use cases that are measured on it."""

    def __init__(self, country: Country, database: Database, vault: Vault) -> None:
        self._country = country
        self._vault = vault
        self._database = database
        self._directory = Directory(country.offices, country.assessors)
        self._chance = random.Random(7)

    warm_up = 10
    """Turns before those that are measured."""

    def find_slots(self, number: int) -> Watch:
        """The first page of free slots from places in London."""
        return self._repeated(number, self._find)

    def book_earliest(self, number: int) -> Watch:
        """The earliest slot from places in London, each booked in a transaction of its own."""
        return self._repeated(number, self._book)

    def record_absences(self, number: int) -> Watch:
        """So many assessors are away on the next working day, each recorded and replanned in a transaction of its own."""
        nation = self._country.offices[0].nation
        day = working_days(clock.today() + ONE_DAY, nation, number=1)[0]
        start, end = (datetime.combine(at, clock_time(), tzinfo=LONDON).astimezone(UTC) for at in (day, day + ONE_DAY))
        watch = Watch()
        for assessor in self._chance.sample(self._country.assessors, number):
            away = Away(
                identity=uuid4(),
                of=assessor.assessor_id,
                start_time=start,
                end_time=end,
                recorded_by="SM000001",
                recorded_time=clock.now(),
            )
            with watch.turn(), self._database.transaction() as conn:
                absences.record_absence(conn, away, reason="flu", directory=self._directory, vault=self._vault)
        return watch

    def learn(self) -> float:
        """Seconds of learning from a year's history of demand."""
        started = time.perf_counter()
        with self._database.transaction() as conn:
            demand.learn(conn, self._directory, clock.today() - ONE_DAY)
        return round(time.perf_counter() - started, 1)

    def measure_all(self) -> float:
        """Seconds in which the worker measures every office anew, step by step, and tells of likely breaches."""
        with self._database.transaction() as conn:
            conn.execute("DELETE FROM office_measures")
            conn.execute("DELETE FROM breach_warnings")
        started = time.perf_counter()
        more = True
        while more:
            with self._database.transaction() as conn:
                more = watch.measure_next(conn, self._directory, target=TARGET)
        return round(time.perf_counter() - started, 1)

    def forecast(self) -> float:
        """Seconds of the load of all offices, five working days ahead, with what would help each."""
        started = time.perf_counter()
        first = clock.today()
        until = working_days(first, self._country.offices[0].nation, number=_DAYS_AHEAD)[-1]
        left = [office.code for office in self._country.offices]
        while part := watch.near_each_other(self._directory, left):
            with self._database.transaction() as conn:
                loads = load.loads_of(conn, self._directory, part, first=first, last=until, target=TARGET)
            for code in part:
                loads.days(code)
                list(loads.remedies(code))
            left = [code for code in left if code not in part]
        return round(time.perf_counter() - started, 1)

    def _repeated(self, number: int, act: Callable[[Wish], None]) -> Watch:
        for _ in range(self.warm_up):
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
            search.find_slots(conn, wish, page=page, target=TARGET, directory=self._directory)

    def _book(self, wish: Wish) -> None:
        claim = Claim(
            claim_ref=f"CB{uuid4().hex[:10].upper()}",
            schemes=("JOBSEEKERS_ALLOWANCE",),
            is_open=True,
            first_contact_time=clock.now() - timedelta(minutes=10),
        )
        with self._database.transaction() as conn:
            bookings.book_earliest(conn, claim, directory=self._directory, wish=wish, target=TARGET)
