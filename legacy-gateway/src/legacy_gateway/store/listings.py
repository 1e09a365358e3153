"""The systems' lists of held records, and the ledger beside them. Both are read in portions, to need little memory."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.database import Connection, Database
from legacy_gateway.domain import HeldRecord, LedgerEntry, ListedRecord, State, System

BEGIN = """
    INSERT INTO listings (system, day, begun) VALUES (%s, %s, %s) RETURNING listing_id
"""

ADD = """
    COPY listed_records (listing_id, transfer_id, place, legacy_ref) FROM STDIN
"""

END = """
    UPDATE listings SET whole = true WHERE listing_id = %s
"""

RECENT = """
    -- A whole list of a day that was taken after the day had ended, and since a moment.
    SELECT listing_id, begun FROM listings
    WHERE system = %s AND day = %s AND whole AND begun >= %s
    ORDER BY listing_id DESC LIMIT 1
"""

DROP_RECORDS = """
    -- A portion of the records of lists that are not kept.
    DELETE FROM listed_records WHERE (listing_id, place) IN (
        SELECT listing_id, place FROM listed_records
        WHERE listing_id IN (SELECT listing_id FROM listings WHERE system = %(system)s AND listing_id <> ALL(%(keep)s))
        LIMIT %(portion)s
    )
"""

DROP = """
    DELETE FROM listings WHERE system = %(system)s AND listing_id <> ALL(%(keep)s)
        AND NOT EXISTS (SELECT FROM listed_records WHERE listed_records.listing_id = listings.listing_id)
"""

LISTED = """
    -- A portion of a list, with how often each id stands on it and on those of the days beside it, and with our own entry.
    -- The portion has two ends, so that it is read by its index whatever the statistics of a table say that was just filled.
    WITH portion AS (
        SELECT transfer_id, legacy_ref FROM listed_records
        WHERE listing_id = %(listing_id)s AND place >= %(place)s AND place < %(end)s
    )
    SELECT portion.transfer_id, portion.legacy_ref, ours.claim_ref, ours.state, ours.legacy_ref AS our_ref,
        (
            SELECT count(*) FROM listed_records AS listed
            WHERE listed.listing_id = ANY(%(lists)s) AND listed.transfer_id = portion.transfer_id
        ) AS copies,
        ours.action = 'NEW' AND ours.state <> 'ACCEPTED' AND EXISTS (
            SELECT FROM transfers AS twin
            WHERE twin.claim_ref = ours.claim_ref AND twin.system = ours.system AND twin.phase = ours.phase
                AND twin.action = 'NEW' AND twin.state = 'ACCEPTED'
        ) AS has_twin
    FROM portion LEFT JOIN transfers AS ours ON ours.transfer_id = portion.transfer_id AND ours.system = %(system)s
"""

ACCEPTED = """
    -- The next transfers that were accepted within a time, with whether one of these lists has them. `updated` of an
    -- accepted transfer is when it was accepted; where something was noted about it since, it is looked for once more then.
    SELECT transfer_id, updated, EXISTS (
        SELECT FROM listed_records
        WHERE listed_records.listing_id = ANY(%(listings)s) AND listed_records.transfer_id = transfers.transfer_id
    ) AS listed
    FROM transfers
    WHERE system = %(system)s AND state = 'ACCEPTED' AND updated < %(until)s
        AND updated >= %(after)s AND (updated, transfer_id) > (%(after)s, %(after_id)s)
    ORDER BY updated, transfer_id LIMIT %(portion)s
"""

_PORTION = 2000


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list of a day. `begun` is the platform's time before its first page."""

    listing_id: int
    day: date
    begun: datetime


def begin(conn: Connection, system: System, day: date, *, now: datetime) -> Listing:
    """A new list, empty so far."""
    [row] = conn.execute(BEGIN, [system, day, now])
    return Listing(listing_id=row["listing_id"], day=day, begun=now)


def add(conn: Connection, listing: Listing, records: Sequence[HeldRecord], *, place: int) -> None:
    """Adds records to a list, of which `place` were before them."""
    with conn.cursor() as cursor, cursor.copy(ADD) as copy:
        for number, record in enumerate(records, start=place):
            copy.write_row((listing.listing_id, record.transfer_id, number, record.legacy_ref))


def end(conn: Connection, listing: Listing) -> None:
    """The list is whole."""
    conn.execute(END, [listing.listing_id])


def recent(conn: Connection, system: System, day: date, *, since: datetime) -> Listing | None:
    """The newest whole list of a day that was begun since a moment; None where there is none."""
    row = conn.execute(RECENT, [system, day, since]).fetchone()
    return Listing(day=day, **row) if row else None


def drop_all_but(database: Database, system: System, keep: Sequence[Listing]) -> None:
    """Forgets all other lists of the system, a portion in a transaction."""
    values = {"system": system, "keep": [one.listing_id for one in keep], "portion": _PORTION}
    more = True
    while more:
        with database.transaction() as conn:
            more = conn.execute(DROP_RECORDS, values).rowcount == _PORTION
    with database.transaction() as conn:
        conn.execute(DROP, values)


def listed(database: Database, system: System, listing: Listing, beside: Sequence[Listing]) -> Iterator[ListedRecord]:
    """Every record of a list with our own entry; one that stands on it twice comes twice. `beside` are the days around it."""
    lists = [one.listing_id for one in (listing, *beside)]
    for place in itertools.count(0, _PORTION):
        values = {
            "system": system,
            "listing_id": listing.listing_id,
            "lists": lists,
            "place": place,
            "end": place + _PORTION,
        }
        with database.transaction() as conn:
            rows = conn.execute(LISTED, values).fetchall()
        if not rows:
            return
        for row in rows:
            yield ListedRecord(
                transfer_id=row["transfer_id"],
                legacy_ref=row["legacy_ref"],
                copies=row["copies"],
                ours=_entry(row) if row["state"] else None,
            )


def unlisted(
    database: Database, system: System, lists: Sequence[Listing], *, since: datetime, until: datetime
) -> Iterator[str]:
    """The transfers that were accepted from one moment until before another and are on none of these lists."""
    values = {
        "system": system,
        "listings": [one.listing_id for one in lists],
        "until": until,
        "after": since,
        "after_id": "",
        "portion": _PORTION,
    }
    while True:
        with database.transaction() as conn:
            rows = conn.execute(ACCEPTED, values).fetchall()
        yield from (row["transfer_id"] for row in rows if not row["listed"])
        if len(rows) < _PORTION:
            return
        values |= {"after": rows[-1]["updated"], "after_id": rows[-1]["transfer_id"]}


def _entry(row: dict[str, object]) -> LedgerEntry:
    return LedgerEntry(
        claim_ref=str(row["claim_ref"]),
        state=State(str(row["state"])),
        legacy_ref=str(row["our_ref"]),
        has_twin=bool(row["has_twin"]),
    )
