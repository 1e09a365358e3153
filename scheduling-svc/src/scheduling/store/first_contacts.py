"""First contacts: the claims that wait for an interview, and those that were withdrawn."""

from collections.abc import Collection
from datetime import datetime

from chassis.database import Connection
from scheduling.domain.claims import FirstContact, Waiting

# Keeps the earliest first contact of a claim, and whether its schemes need an interview by the claim's latest version; the
# events may come in any order.
KEEP_FIRST_CONTACT = """
    INSERT INTO first_contacts (claim_ref, first_contact_time, needs_interview, claim_version)
    VALUES (%(claim_ref)s, %(first_contact_time)s, %(needs_interview)s, %(claim_version)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET first_contact_time = least(first_contacts.first_contact_time, excluded.first_contact_time),
        needs_interview = CASE
            WHEN excluded.claim_version > first_contacts.claim_version THEN excluded.needs_interview
            ELSE first_contacts.needs_interview
        END,
        claim_version = greatest(first_contacts.claim_version, excluded.claim_version)
    RETURNING claim_version = %(claim_version)s AS is_latest
"""

# Keeps that a claim was withdrawn, whether or not its first contact was heard of.
KEEP_WITHDRAWAL = """
    INSERT INTO first_contacts (claim_ref, withdrawn_time) VALUES (%(claim_ref)s, %(withdrawn_time)s)
    ON CONFLICT (claim_ref) DO UPDATE SET withdrawn_time = excluded.withdrawn_time
    WHERE first_contacts.withdrawn_time IS NULL
"""

# A claim whose interview fell through waits for another one.
WAIT_AGAIN = "UPDATE first_contacts SET booked = false, waits_since = %s WHERE claim_ref = %s"

# Claims that wait for an interview, and of which nobody was told that it will be late: the oldest first contacts.
UNTOLD = """
    SELECT claim_ref, claim_version, first_contact_time FROM first_contacts
    WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL AND breach_told_time IS NULL
        AND first_contact_time <= %s
    ORDER BY first_contact_time LIMIT %s
"""

# Notes what is told now: what another replica tells, or what is being booked, is left out and never waited for.
MARK_TOLD = """
    UPDATE first_contacts SET breach_told_time = %s
    WHERE claim_ref IN (
        SELECT claim_ref FROM first_contacts
        WHERE claim_ref = ANY(%s) AND breach_told_time IS NULL AND NOT booked AND withdrawn_time IS NULL
        FOR UPDATE SKIP LOCKED
    )
    RETURNING claim_ref
"""

# Claims that wait for an interview: they never had one, or it was cancelled or missed.
COUNT_UNBOOKED = """
    SELECT count(*) AS count FROM first_contacts WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL
"""


def keep_first_contact(conn: Connection, first_contact: FirstContact) -> bool:
    """Keeps the claim's first contact: the earliest time that was reported, and whether its latest version needs an interview.

    Gives whether this is the latest version.
    """
    parameters = vars(first_contact) | {"needs_interview": first_contact.needs_interview}
    row = conn.execute(KEEP_FIRST_CONTACT, parameters).fetchone()
    return row is not None and bool(row["is_latest"])


def keep_withdrawal(conn: Connection, claim_ref: str, *, withdrawn_time: datetime) -> None:
    """Keeps that the claim was withdrawn: no interview is booked for it from now on."""
    conn.execute(KEEP_WITHDRAWAL, {"claim_ref": claim_ref, "withdrawn_time": withdrawn_time})


def lock_first_contact(conn: Connection, claim_ref: str) -> None:
    """Locks the row of the claim's first contact, where bookings and changes of a claim wait for each other."""
    conn.execute("SELECT 1 FROM first_contacts WHERE claim_ref = %s FOR UPDATE", [claim_ref])


def wait_again(conn: Connection, claim_ref: str, *, since: datetime) -> None:
    """The claim waits for another interview from now on."""
    conn.execute(WAIT_AGAIN, [since, claim_ref])


def untold(conn: Connection, *, until: datetime, number: int) -> list[Waiting]:
    """Claims without an interview that nobody was told of, the oldest first contacts, until then."""
    return [Waiting(**row) for row in conn.execute(UNTOLD, [until, number])]


def mark_told(conn: Connection, claim_refs: Collection[str], *, at: datetime) -> set[str]:
    """Notes that we tell of these claims' breach; gives those that still wait and that nobody has told of."""
    return {row["claim_ref"] for row in conn.execute(MARK_TOLD, [at, list(claim_refs)])}


def count_unbooked(conn: Connection) -> int:
    """The number of claims that wait for an interview: they never had one, or it was cancelled or missed."""
    row = conn.execute(COUNT_UNBOOKED).fetchone()
    return int(row["count"]) if row else 0


def waits_since(conn: Connection, claim_ref: str) -> datetime | None:
    """Since when a claim whose interview was cancelled or missed waits for another; None where it had none, or has one."""
    query = "SELECT waits_since FROM first_contacts WHERE claim_ref = %s AND NOT booked"
    row = conn.execute(query, [claim_ref]).fetchone()
    return row["waits_since"] if row else None
