"""The day's balance: each day of each system once, on a schedule that catches up, and again whenever somebody asks.

A day is held against three lists of the system, because what was sent near midnight may stand under the day beside it. The
lists are kept in the database while they are compared, page by page, so a day of any size takes little memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from chassis import backoff, clock, logs
from chassis.database import Database
from chassis.errors import CmsError, Unavailable
from legacy_gateway.domain import Balance, HeldRecord, ListingChanged, Rules, System, Waits, balance_of, difference_of
from legacy_gateway.store import balances, differences, listings
from legacy_gateway.store.listings import Listing
from legacy_gateway.systems import Asked

_DAY = timedelta(days=1)
_FRESH_FOR = timedelta(hours=1)
"""A list of a day that was over when it was taken serves the days beside it too, when many days are caught up."""
_FINAL_AFTER = timedelta(minutes=10)
_MOST_BEGINNINGS = 5
_STORED_AT_ONCE = 2000
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The objects that the balance of one system needs.

    `hour` of the London day is when the day before is due. `lease_seconds` is longer than an enquiry takes.
    """

    database: Database
    database_url: str
    rules: Rules
    adapter: Asked
    hour: int
    lease_seconds: float
    time_scale: float

    @property
    def system(self) -> System:
        """The system that is balanced."""
        return self.rules.system

    @property
    def waits(self) -> Waits:
        """The waits of this moment."""
        return Waits(scale=self.time_scale, spread=backoff.any_jitter())

    @property
    def settling(self) -> timedelta:
        """How long after an acceptance the system's own enquiry or list may still lag."""
        return timedelta(seconds=self.rules.final_after_closing_seconds * self.time_scale)

    @property
    def final_after(self) -> timedelta:
        """The time after a day's end when nothing is added to its list any more, whatever was on its way at midnight."""
        return max(self.settling, _FINAL_AFTER)


def reconcile_next(work: Reconciliation) -> bool:
    """Runs the next day that is due; says whether there may be more.

    The advisory lock lets one process at a time read a system's lists. A system that is away is tried again by a back-off
    of that day's own, so that one day whose list cannot be read holds up no other.
    """
    with work.database.transaction() as conn:
        balances.plan(conn, work.system, last=_last_due(work.hour), now=clock.now())
        day = balances.due(conn, work.system)
    if day is None:
        return False
    with balances.locked(work.database_url, work.system) as ours:
        return ours and _run_next(work)


def _last_due(hour: int) -> date:
    """The last day whose balance the schedule has reached."""
    return (clock.now().astimezone(clock.LONDON) - timedelta(hours=hour)).date() - _DAY


def _run_next(work: Reconciliation) -> bool:
    """Runs the next day, which may be another one by now: another process had the lock."""
    with work.database.transaction() as conn:
        day, begun = balances.due(conn, work.system), balances.real_time(conn)
    if day is None:
        return False
    try:
        _run(work, day)
    except Exception as error:
        _put_off(work, day, error)
        if not isinstance(error, Unavailable):
            raise
        return False
    with work.database.transaction() as conn:
        balances.done(conn, work.system, day, begun=begun)
    _tell(balance(work.database, work.system, day))
    return True


def _put_off(work: Reconciliation, day: date, error: Exception) -> None:
    with work.database.transaction() as conn:
        failures = balances.failures(conn, work.system, day)
        pause = backoff.seconds(failures + 1, first=_FIRST_PAUSE_SECONDS, longest=_LONGEST_PAUSE_SECONDS)
        balances.put_off(conn, work.system, day, seconds=pause * work.time_scale)
    reason = error.reason if isinstance(error, CmsError) else type(error).__name__
    logs.get().warning(
        "day not balanced", system=work.system, day=day.isoformat(), reason=reason, failures=failures + 1
    )


def _run(work: Reconciliation, day: date) -> None:
    """Reads the lists, and notes what differs. Raises Unavailable where a list cannot be had now."""
    today = clock.today()
    lists = {at: _listing(work, at) for at in (day - _DAY, day, day + _DAY) if at <= today}
    if day in lists:
        _note_unknown(work, lists[day], [one for at, one in lists.items() if at != day])
    _note_missing(work, day, list(lists.values()))
    listings.drop_all_but(work.database, work.system, [one for one in lists.values() if _is_final(work, one)])


def _listing(work: Reconciliation, day: date) -> Listing:
    with work.database.transaction() as conn:
        since = max(_end_of(day) + work.final_after, clock.now() - _FRESH_FOR)
        fresh = listings.recent(conn, work.system, day, since=since)
    if fresh is not None:
        return fresh
    for _ in range(_MOST_BEGINNINGS):
        try:
            return _read_list(work, day)
        except ListingChanged:
            logs.get().info("list begun again", system=work.system, day=day.isoformat())
    raise ListingChanged("LISTING_CHANGED", "the system's list changed each time it was read")


def _read_list(work: Reconciliation, day: date) -> Listing:
    with work.database.transaction() as conn:
        listing = listings.begin(conn, work.system, day, now=clock.now())
    place, waiting = 0, list[HeldRecord]()
    for page in work.adapter.held_on(day):
        waiting += page
        if len(waiting) >= _STORED_AT_ONCE:
            place = _store(work, listing, waiting, place)
            waiting = []
    _store(work, listing, waiting, place)
    with work.database.transaction() as conn:
        listings.end(conn, listing)
    return listing


def _store(work: Reconciliation, listing: Listing, records: Sequence[HeldRecord], place: int) -> int:
    with work.database.transaction() as conn:
        listings.add(conn, listing, records, place=place)
    return place + len(records)


def _is_final(work: Reconciliation, listing: Listing) -> bool:
    return listing.begun >= _end_of(listing.day) + work.final_after


def _note_unknown(work: Reconciliation, listing: Listing, beside: Sequence[Listing]) -> None:
    """Notes the records of a list that our ledger does not account for."""
    for record in listings.listed(work.database, work.system, listing, beside):
        kind = difference_of(record, work.rules)
        if kind is None:
            continue
        with work.database.transaction() as conn:
            if differences.note(conn, work.system, kind, record, day=listing.day, now=clock.now()):
                logs.get().warning(
                    "difference found", system=work.system, kind=kind, transfer_id=record.transfer_id, day=listing.day
                )


def _note_missing(work: Reconciliation, day: date, lists: Sequence[Listing]) -> None:
    """Notes the transfers that were accepted on the day, before its list was begun, and that are on none of the lists."""
    until = min([_end_of(day), *(one.begun - work.settling for one in lists if one.day >= day)])
    found = listings.unlisted(work.database, work.system, lists, since=_start_of(day), until=until)
    for transfer_id in found:
        with work.database.transaction() as conn:
            if differences.note_missing(conn, [transfer_id], now=clock.now()):
                logs.get().warning("transfer not listed", system=work.system, transfer_id=transfer_id, day=day)


def balance(database: Database, system: System, day: date) -> Balance:
    """The balance of a London day as it stands now."""
    states = balances.captured(database, system, since=_start_of(day), until=_end_of(day))
    with database.transaction() as conn:
        missing, unknown = differences.count_of_day(conn, system, day)
    return balance_of(system, day, states, missing_there=missing, unknown_here=unknown)


def _tell(found: Balance) -> None:
    figures = {name: value for name, value in vars(found).items() if name not in {"system", "day"}}
    logs.get().info(
        "day balanced", system=found.system, day=found.day.isoformat(), unexplained=found.unexplained, **figures
    )


def _start_of(day: date) -> datetime:
    """When a London day begins."""
    return datetime.combine(day, time(), tzinfo=clock.LONDON)


def _end_of(day: date) -> datetime:
    return _start_of(day + _DAY)
