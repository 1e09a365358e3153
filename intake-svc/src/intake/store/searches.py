"""Searches for a person: each is noted before it is made."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from chassis.database import Connection
from intake.domain.search import Search

# One subject's searches are counted one after the other.
LOCK_SUBJECT = "SELECT pg_advisory_xact_lock(hashtextextended('search ' || %s, 0))"

# Counts the latest searches of a subject, no more than matter.
COUNT_SEARCHES = """
    SELECT count(*) AS number, min(searched_time) AS first_time FROM (
        SELECT searched_time FROM searches
        WHERE subject = %(subject)s AND searched_time > clock_timestamp() - %(within)s::interval
        ORDER BY searched_time DESC LIMIT %(most)s
    ) AS latest
"""

# Counts the other birth dates that a subject has typed for a surname.
COUNT_BIRTH_DATES = """
    SELECT count(DISTINCT person_lookup) AS number, min(searched_time) AS first_time FROM searches
    WHERE subject = %(subject)s AND searched_time > clock_timestamp() - %(within)s::interval
        AND surname_lookup = %(surname)s AND person_lookup <> %(person)s
"""

# Looks for the same search by the same subject.
FIND_SEARCH = """
    SELECT 1 FROM searches
    WHERE subject = %(subject)s AND searched_time > clock_timestamp() - %(within)s::interval
        AND nino_lookup IS NOT DISTINCT FROM %(nino)s AND person_lookup IS NOT DISTINCT FROM %(person)s
        AND postcode_lookup IS NOT DISTINCT FROM %(postcode)s
    LIMIT 1
"""

NOTE_SEARCH = """
    INSERT INTO searches (subject, nino_lookup, surname_lookup, person_lookup, postcode_lookup) VALUES (%s, %s, %s, %s, %s)
"""

PRUNE_SEARCHES = """
    DELETE FROM searches WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM searches WHERE searched_time < clock_timestamp() - %s::interval ORDER BY searched_time LIMIT %s
    ))
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many searches there were, and when the first of them was made."""

    number: int
    first_time: datetime | None


def lock_searches(conn: Connection, subject: str) -> None:
    """Has other searches of the subject wait until the transaction ends."""
    conn.execute(LOCK_SUBJECT, [subject])


def count_searches(conn: Connection, subject: str, *, within: timedelta, most: int) -> Counted:
    """The subject's latest searches within a time, counted up to `most`."""
    return _counted(conn, COUNT_SEARCHES, {"subject": subject, "within": within, "most": most})


def count_birth_dates(conn: Connection, subject: str, search: Search, *, within: timedelta) -> Counted:
    """The other birth dates that the subject has typed, within a time, for the surname of a search."""
    typed = {"surname": search.surname, "person": search.look_ups.person}
    return _counted(conn, COUNT_BIRTH_DATES, {"subject": subject, "within": within, **typed})


def is_noted(conn: Connection, subject: str, search: Search, *, within: timedelta) -> bool:
    """Whether the subject has made the same search within a time."""
    typed = asdict(search.look_ups)
    return conn.execute(FIND_SEARCH, {"subject": subject, "within": within, **typed}).fetchone() is not None


def note_search(conn: Connection, subject: str, search: Search) -> None:
    """Notes a search."""
    found = search.look_ups
    conn.execute(NOTE_SEARCH, [subject, found.nino, search.surname, found.person, found.postcode])


def prune_searches(conn: Connection, *, keep: timedelta, number: int) -> int:
    """Deletes searches that are older than `keep`, at most so many; gives how many."""
    return conn.execute(PRUNE_SEARCHES, [keep, number]).rowcount


def _counted(conn: Connection, query: LiteralString, values: dict[str, object]) -> Counted:
    row = conn.execute(query, values).fetchone()
    if row is None:
        raise RuntimeError("a count gave no row")
    return Counted(number=row["number"], first_time=row["first_time"])
