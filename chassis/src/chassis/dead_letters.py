"""Dead letters: events that could not be handled, and entries of the bus that were not believed.

Of the first the event's inbox row is written too: it is settled, and only a replay handles it. Of the second nothing is
settled. If the event is a true one, its source publishes it again until it comes in a form that can be believed.
"""

import uuid
from contextlib import suppress

import msgspec
from google.protobuf.message import DecodeError

from chassis import watermarks
from chassis.bus import Delivery
from chassis.database import Connection, Row
from chassis.outbox import events_stream, source_of
from chassis.signatures import LARGEST_BYTES
from cms.common.v1 import common_pb2

MOST_REFUSED = 1000
"""So many refused entries are kept at the same time: whoever can write to the bus could else fill the database."""
_LONGEST_SHOWN = 200
_MOST_BYTES = 2 * LARGEST_BYTES
_REFUSED_IDS = uuid.UUID("6b1d8f5e-43ab-4c39-9f0e-0f0b5d7b72aa")

# Of an id that is taken, the first letter stays: ids of refused ones are made of what they hold.
_BURY = """
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, entry, reason, tries)
    VALUES (%(event_id)s, %(source)s, %(type)s, %(claim_ref)s, %(envelope)s, %(entry)s, %(reason)s, %(tries)s)
    ON CONFLICT DO NOTHING
"""
_SETTLE = "INSERT INTO inbox (event_id, source, created) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_KEEP_REFUSED = """
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, entry, reason, tries, refused)
    SELECT %(event_id)s, %(source)s, %(type)s, %(claim_ref)s, ''::bytea, %(entry)s, %(reason)s, 1, true
    WHERE (SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE refused LIMIT %(most)s) AS kept) < %(most)s
    ON CONFLICT DO NOTHING
"""
_TAKE_WANTED = """
    UPDATE dead_letters SET replay_wanted = false WHERE event_id = (
        SELECT event_id FROM dead_letters WHERE replay_wanted AND replayed_time IS NULL
        ORDER BY died_time LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING event_id, source, entry, refused
"""
_NOTE_REPLAY = """
    UPDATE dead_letters SET replayed_time = statement_timestamp() WHERE event_id = %s AND replayed_time IS NULL
"""
_REFUSE = """
    UPDATE dead_letters SET refused = true, reason = %s, died_time = statement_timestamp()
    WHERE event_id = %s AND NOT refused
"""
_ENTRY = msgspec.msgpack.Decoder(dict[bytes, bytes])


def bury(conn: Connection, delivery: Delivery, event_id: uuid.UUID, *, reason: str, tries: int) -> None:
    """Keeps an event that cannot be handled, and settles it."""
    envelope = delivery.fields.get(b"envelope", b"")
    kept = {"event_id": event_id, "envelope": envelope, "entry": _packed(delivery), "reason": reason, "tries": tries}
    conn.execute(_BURY, _claimed(delivery) | kept)
    conn.execute(_SETTLE, [event_id, source_of(delivery.stream), watermarks.moment(delivery, "created")])
    conn.execute("DELETE FROM inbox_tries WHERE event_id = %s", [event_id])


def keep_refused(conn: Connection, delivery: Delivery, *, reason: str) -> None:
    """Keeps an entry that was not believed, once however often it comes, unless a thousand are kept already.

    Nothing is kept of the fields of one that is too large. No envelope is: the last release would replay it unverified.
    """
    entry = _packed(delivery)
    refused_id = uuid.uuid5(_REFUSED_IDS, delivery.stream + entry.hex())
    kept = {"event_id": refused_id, "entry": entry if len(entry) <= _MOST_BYTES else None, "reason": reason}
    conn.execute(_KEEP_REFUSED, _claimed(delivery) | kept | {"most": MOST_REFUSED})


def take_wanted(conn: Connection) -> Row | None:
    """The oldest dead letter whose replay was asked for. The wish ends with it: should it fail again, the letter stays."""
    return conn.execute(_TAKE_WANTED).fetchone()


def delivery_of(letter: Row) -> Delivery:
    """The delivery of which the letter was made; without any field where an earlier release made the letter."""
    fields = _ENTRY.decode(letter["entry"]) if letter["entry"] else {}
    return Delivery(stream=events_stream(letter["source"]), entry_id="", fields=fields)


def note_replay(conn: Connection, letter: Row) -> bool:
    """Ends the letter; gives whether it was still open: of two replicas one replays it."""
    return conn.execute(_NOTE_REPLAY, [letter["event_id"]]).rowcount > 0


def refuse(conn: Connection, letter: Row, *, reason: str) -> None:
    """Keeps the letter as one that is not believed: its time begins now."""
    conn.execute(_REFUSE, [reason, letter["event_id"]])


def _packed(delivery: Delivery) -> bytes:
    return msgspec.msgpack.encode(delivery.fields)


def _claimed(delivery: Delivery) -> dict[str, str]:
    """Source, type and claim as the entry has them, which may be false where it is refused."""
    envelope = common_pb2.EventEnvelope()
    with suppress(DecodeError):
        envelope.MergeFromString(delivery.fields.get(b"envelope", b"")[:_MOST_BYTES])
    source = source_of(delivery.stream)
    return {"source": source, "type": _storable(envelope.type), "claim_ref": _storable(envelope.claim_ref)}


def _storable(text: str) -> str:
    """Drops NUL, which PostgreSQL cannot hold: a dead letter that cannot be stored would return for ever."""
    return text.replace("\0", "")[:_LONGEST_SHOWN]
