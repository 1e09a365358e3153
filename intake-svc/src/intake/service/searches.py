"""Searches for a person are noted, and limited: nobody finds out a birth date by trying."""

from datetime import timedelta

from chassis import call
from chassis.database import Connection
from chassis.errors import ResourceExhausted
from intake import metrics
from intake.domain.search import Search
from intake.store import searches as store
from intake.store.searches import Counted

MOST_IN_AN_HOUR = 60
"""Searches of one subject: an operator takes some ten calls in an hour."""
MOST_BIRTH_DATES = 5
"""Birth dates that one subject may type for one surname in a day: for a mistake, and for people of one name."""
SEARCHES_KEPT = timedelta(days=365)
PRUNED_AT_ONCE = 1000
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def note(conn: Connection, search: Search) -> None:
    """Notes a search for a person before it is made. A further page of one that was noted within the hour is part of it.

    Raises ResourceExhausted (`SEARCH_LIMIT`), which says until when, whether or not there would be anything to find.
    """
    if not search.is_for_a_person:
        return
    subject = call.current().identity.subject
    store.lock_searches(conn, subject)
    # The token of a page proves nothing: whoever made it up comes to the first page by it.
    if search.after is not None and store.is_noted(conn, subject, search, within=_HOUR):
        return
    counted = store.count_searches(conn, subject, within=_HOUR, most=MOST_IN_AN_HOUR)
    if counted.number >= MOST_IN_AN_HOUR:
        raise _refusal(counted, _HOUR)
    if search.surname is not None:
        tried = store.count_birth_dates(conn, subject, search, within=_DAY)
        if tried.number >= MOST_BIRTH_DATES:
            raise _refusal(tried, _DAY)
    store.note_search(conn, subject, search)
    conn.after_commit(lambda: metrics.SEARCHES.labels("MADE").inc())


def prune(conn: Connection) -> bool:
    """Deletes a part of the searches that are older than a year; gives whether there may be more."""
    return store.prune_searches(conn, keep=SEARCHES_KEPT, number=PRUNED_AT_ONCE) == PRUNED_AT_ONCE


def _refusal(counted: Counted, within: timedelta) -> ResourceExhausted:
    metrics.SEARCHES.labels("REFUSED").inc()
    again = (counted.first_time + within).isoformat(timespec="seconds") if counted.first_time else ""
    return ResourceExhausted(
        "SEARCH_LIMIT", "too many searches for people: the next has to wait", metadata={"retry_time": again}
    )
