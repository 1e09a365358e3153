"""Every state that is not an end has a deadline and an owner. What is overdue is counted at scrape and listed by reference.

docs/states.md is the table of all of them; a test holds it against what the services hand over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import LiteralString, Protocol

from chassis import clock
from chassis.bank_holidays import Nation, is_bank_holiday
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge

MOST_LISTED = 1000
_DAY = timedelta(days=1)
_SATURDAY = 5


class CutOff(Protocol):
    """How long something may be in a state."""

    def __call__(self, now: datetime) -> datetime:
        """Returns the moment before which anything still in the state is overdue. `now` is the platform's time."""

    def deadline(self, since: datetime) -> datetime:
        """When something that has been in the state since then becomes overdue."""


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """How long something may be in a state, and the role that has to act when it is there for longer.

    `query` gives `reference`, the claim's, and `since`, a moment with a time zone.
    """

    state: str
    owner: str
    cut_off: CutOff
    query: LiteralString


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """Something that has been in a state for too long. `number` is its deadline's place among those that were asked for."""

    number: int
    state: str
    owner: str
    reference: str
    since: datetime
    deadline: datetime

    @property
    def key(self) -> tuple[int, datetime, str]:
        """By what a list is sorted. Two items may have the same key."""
        return self.number, self.since, self.reference


@dataclass(frozen=True, kw_only=True)
class Place:
    """The end of a page of a list: the key of its last item, and how many items of that key were listed until then."""

    number: int
    since: datetime
    reference: str
    alike: int

    @classmethod
    def behind(cls, page: Sequence[Overdue], *, after: "Place | None") -> "Place":
        """The place behind a page that began after another."""
        number, since, reference = key = page[-1].key
        before = after.alike if after and (after.number, after.since, after.reference) == key else 0
        alike = before + sum(found.key == key for found in page)
        return cls(number=number, since=since, reference=reference, alike=alike)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How much is overdue in a state, and since when the oldest has been there."""

    number: int
    oldest: datetime | None


@dataclass(frozen=True)
class _Within:
    length: timedelta

    def __call__(self, now: datetime) -> datetime:
        return now - self.length

    def deadline(self, since: datetime) -> datetime:
        return since + self.length


@dataclass(frozen=True)
class _WithinReal(_Within):
    def __call__(self, now: datetime) -> datetime:  # noqa: ARG002 - the platform's time does not count
        return datetime.now(UTC) - self.length


class _WithinTheDay:
    def __call__(self, now: datetime) -> datetime:
        begin, _ = _day_of(now)
        return begin

    def deadline(self, since: datetime) -> datetime:
        _, end = _day_of(since)
        return end


@dataclass(frozen=True)
class _WithinWorkingDays:
    number: int
    nation: Nation

    def __call__(self, now: datetime) -> datetime:
        remaining, end = self.number * _DAY, now
        while True:
            begin, _ = _day_of(end - timedelta(microseconds=1))
            if self._works(begin):
                if end - begin >= remaining:
                    return end - remaining
                remaining -= end - begin
            end = begin

    def deadline(self, since: datetime) -> datetime:
        remaining, begin = self.number * _DAY, since
        while True:
            first, end = _day_of(begin)
            if self._works(first):
                if end - begin >= remaining:
                    return begin + remaining
                remaining -= end - begin
            begin = end

    def _works(self, moment: datetime) -> bool:
        day = moment.astimezone(clock.LONDON).date()
        return day.weekday() < _SATURDAY and not is_bank_holiday(day, self.nation)


def _day_of(moment: datetime) -> tuple[datetime, datetime]:
    """The beginning and the end of a moment's day in London."""
    day = moment.astimezone(clock.LONDON).date()
    begin, end = (datetime.combine(at, time(), tzinfo=clock.LONDON) for at in (day, day + _DAY))
    return begin.astimezone(UTC), end.astimezone(UTC)


def within(length: timedelta) -> CutOff:
    """A deadline this long after the beginning, by the platform's clock."""
    return _Within(length)


def within_real(length: timedelta) -> CutOff:
    """A deadline this long after the beginning, by real time, for moments that the database dates."""
    return _WithinReal(length)


def within_the_day() -> CutOff:
    """A deadline at the end of the day of the beginning, in London and by the platform's clock."""
    return _WithinTheDay()


def within_working_days(number: int, nation: Nation) -> CutOff:
    """A deadline so many working days of 24 hours later: London's days without weekends and the nation's bank holidays."""
    return _WithinWorkingDays(number, nation)


OF_EVERY_SERVICE = (
    Deadline(
        state="EVENT_UNFINISHED",
        owner="SUPPORT",
        cut_off=within_real(timedelta(hours=1)),
        query="SELECT claim_ref AS reference, created AS since FROM outbox WHERE finished_time IS NULL",
    ),
    Deadline(
        state="DEAD_LETTER",
        owner="SUPPORT",
        cut_off=within_real(timedelta(days=1)),
        query="SELECT claim_ref AS reference, died_time AS since FROM dead_letters WHERE replayed_time IS NULL",
    ),
)


def gauge(name: str, deadlines: Sequence[Deadline]) -> StateGauge:
    """The gauge of what is overdue in each state of a service, those of every service among them."""

    def read(conn: Connection) -> Samples:
        return [((state,), float(found.number)) for state, found in counts(conn, _all(deadlines)).items()]

    help_text = "What has been in a state for longer than its deadline."
    return StateGauge(name=name, help=help_text, labels=("state",), read=read)


def counts(conn: Connection, deadlines: Sequence[Deadline]) -> dict[str, Count]:
    """Counts overdue items by state. A state may have several deadlines: it is counted as one."""
    found: dict[str, Count] = {}
    for deadline in deadlines:
        before, more = found.get(deadline.state), _count(conn, deadline)
        found[deadline.state] = _sum(before, more) if before else more
    return found


def _sum(first: Count, second: Count) -> Count:
    known = [oldest for oldest in (first.oldest, second.oldest) if oldest is not None]
    return Count(number=first.number + second.number, oldest=min(known, default=None))


def _count(conn: Connection, deadline: Deadline) -> Count:
    query: LiteralString = f"""
        SELECT count(*) AS number, min(since) AS oldest FROM ({deadline.query}) AS found WHERE since < %s
    """  # noqa: S608 - of literals alone
    row = conn.execute(query, [deadline.cut_off(clock.now())]).fetchone()
    return Count(**row) if row else Count(number=0, oldest=None)


def overdue(conn: Connection, deadlines: Sequence[Deadline]) -> list[Overdue]:
    """Lists overdue items, the chassis' own too, MOST_LISTED at most: deadline by deadline, the oldest first."""
    return list_page(conn, _all(deadlines), after=None, limit=MOST_LISTED)


def _all(deadlines: Sequence[Deadline]) -> Sequence[Deadline]:
    return [*OF_EVERY_SERVICE, *deadlines]


def list_page(conn: Connection, deadlines: Sequence[Deadline], *, after: Place | None, limit: int) -> list[Overdue]:
    """A page of what is overdue by these deadlines, `limit` at most: deadline by deadline, the oldest first."""
    found: list[Overdue] = []
    for number in range(after.number if after else 0, len(deadlines)):
        behind = after if after and after.number == number else None
        found += _list(conn, number, deadlines[number], after=behind, limit=limit - len(found))
        if len(found) == limit:
            break
    return found


def _list(conn: Connection, number: int, deadline: Deadline, *, after: Place | None, limit: int) -> list[Overdue]:
    query: LiteralString = f"""
        SELECT reference, since FROM ({deadline.query}) AS found
        WHERE since < %(cut_off)s AND (since, reference) >= (%(since)s, %(reference)s)
        ORDER BY since, reference OFFSET %(alike)s LIMIT %(limit)s
    """  # noqa: S608 - of literals alone
    place = after or Place(number=number, since=datetime.min.replace(tzinfo=UTC), reference="", alike=0)
    rows = conn.execute(query, {**vars(place), "cut_off": deadline.cut_off(clock.now()), "limit": limit})
    return [_overdue(number, deadline, **row) for row in rows.fetchall()]


def _overdue(number: int, deadline: Deadline, *, reference: str, since: datetime) -> Overdue:
    return Overdue(
        number=number,
        state=deadline.state,
        owner=deadline.owner,
        reference=reference,
        since=since,
        deadline=deadline.cut_off.deadline(since),
    )
