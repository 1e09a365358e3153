"""The inbox: an event is handled once. Inbox row and handler's rows are one transaction; the receipt follows it.

Nothing of an entry is looked at before its signature: an event or a watermark counts only if the service whose stream it is
signed it, for that stream. What is refused is neither handled nor receipted.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from google.protobuf.message import DecodeError, Message
from psycopg_pool import PoolTimeout

from chassis import contract, crash, dead_letters, logs, metrics, tracing, watermarks
from chassis.bus import Bus, Delivery
from chassis.database import Connection, Database, Row
from chassis.errors import CmsError
from chassis.outbox import events_stream, receipts_stream, source_of
from chassis.signatures import Refused, Signatures
from cms.common.v1 import common_pb2

TRIES = 3
_BATCH = 100
_IDLE_SECONDS = 5.0
_RECEIPTED = frozenset({"handled", "duplicate", "dead"})


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event as a handler gets it. `message` is the event of the contract; it holds no personal data."""

    event_id: uuid.UUID
    name: str
    source: str
    claim_ref: str
    version: int
    occurred_time: datetime
    message: Message


_NOTE_EVENT = """
    INSERT INTO inbox (event_id, source, created) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_FORGET_EVENT = "DELETE FROM inbox WHERE event_id = %s"
_IS_ANOTHERS = "SELECT 1 FROM inbox WHERE event_id = %s AND source <> %s"

Handler = Callable[[Connection, Event], None]


class Unreadable(Exception):
    """The event cannot be parsed or is of a type that this release does not know. `reason` is a closed list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_FINAL = (Unreadable, CmsError, psycopg.DataError, psycopg.IntegrityError)
"""Errors that do not pass by themselves, but for a CmsError that says so. All else is a defect, or a lock that is held."""


class Inbox:
    """Reads the streams that this service hears, and handles each event once."""

    def __init__(
        self,
        service: str,
        database: Database,
        bus: Bus,
        signatures: Signatures,
        handlers: Mapping[str, Handler],
        *,
        consumer: str,
        keep: timedelta,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        """`keep` is how long sources keep finished events: no watermark is above now less that."""
        self._service = service
        self._database = database
        self._bus = bus
        self._signatures = signatures
        self._handlers = handlers
        self._consumer = consumer
        self._keep = keep
        self._idle_seconds = idle_seconds
        self._streams = [events_stream(source) for source in contract.sources_heard_by(service)]

    def consume(self) -> bool:
        """Handles new events, after a short wait for them. Returns whether there may be more."""
        deliveries = self._bus.read(self._service, self._consumer, self._streams, count=_BATCH)
        self._take(deliveries)
        return len(deliveries) >= _BATCH

    def consume_idle(self) -> bool:
        """Handles events again that were delivered and never acknowledged.

        Each has a transaction of its own, for one of them may have ended the transaction in which it was with others.
        """
        found = False
        for stream in self._streams:
            deliveries = self._bus.claim_idle(
                self._service, self._consumer, stream, idle_seconds=self._idle_seconds, count=_BATCH
            )
            for delivery in deliveries:
                self._take_alone(delivery)
            found = found or bool(deliveries)
        return found

    def _take_alone(self, delivery: Delivery) -> None:
        try:
            self._take_together([delivery])
        except PoolTimeout:  # there is no database for those behind it either
            raise
        except psycopg.Error as error:  # of this one's connection or COMMIT: it must not hold up those behind it
            logs.get().error("delivery not taken", stream=delivery.stream, error=type(error).__name__)

    def _take(self, deliveries: list[Delivery]) -> None:
        while deliveries:
            deliveries = deliveries[self._take_together(deliveries) :]

    def _take_together(self, deliveries: list[Delivery]) -> int:
        """Handles deliveries in one transaction, each behind a savepoint, then sends receipts and acknowledges.

        Returns how many. A failure is the last of its transaction: it may have waited for a lock, and what is behind it
        may wait as well, while the transaction holds the locks of all before.
        """
        results: list[str] = []
        with self._database.transaction() as conn:
            for delivery in deliveries:
                results.append(self._taken(conn, delivery))
                if results[-1] == "failed":
                    break
            crash.point("inbox.before_commit")
        crash.point("inbox.after_commit")
        if "dead" in results:
            crash.point("inbox.after_burial")
        taken = list(zip(deliveries, results, strict=False))
        self._send_receipts([delivery for delivery, result in taken if result in _RECEIPTED])
        crash.point("inbox.after_receipt")
        self._bus.acknowledge(self._service, [delivery for delivery, result in taken if result != "failed"])
        return len(results)

    def _taken(self, conn: Connection, delivery: Delivery) -> str:
        """Returns the result of a delivery. What is not an event for this service is settled without a receipt."""
        try:
            self._signatures.expect(source_of(delivery.stream), delivery.stream, delivery.fields)
        except Refused as refused:
            return self._refuse(conn, delivery, refused.reason)
        if watermarks.is_in(delivery):
            return self._keep_watermark(conn, delivery)
        if not self._is_ours(delivery):
            return "not ours"
        event_id = _event_id(delivery)
        if event_id is None:
            # Nothing can be kept of it. Its sender, if there is one, publishes the event again.
            logs.get().error("event unreadable", stream=delivery.stream)
            return "unreadable"
        name, result = self._result(conn, delivery, event_id)
        conn.after_commit(metrics.EVENTS_HANDLED.labels(name, result).inc)
        return result

    def _refuse(self, conn: Connection, delivery: Delivery, reason: str) -> str:
        """Keeps an event that is not believed as a dead letter; of a watermark the log and the count tell."""
        kind = "watermark" if watermarks.is_in(delivery) else "event"
        if kind == "event":
            try:
                with conn.savepoint():
                    dead_letters.keep_refused(conn, delivery, reason=reason)
            except psycopg.Error as error:
                if conn.closed:
                    raise
                logs.get().error("refused entry not kept", stream=delivery.stream, error=type(error).__name__)
                return "failed"
        conn.after_commit(metrics.ENTRIES_REFUSED.labels(kind, reason).inc)
        logs.get().error(f"{kind} not believed", stream=delivery.stream, reason=reason)
        return "refused"

    def _keep_watermark(self, conn: Connection, delivery: Delivery) -> str:
        watermark = watermarks.read_from(delivery)
        if watermark is None:
            logs.get().error("watermark unreadable", stream=delivery.stream)
            return "unreadable"
        try:
            with conn.savepoint():
                believed = watermarks.raise_watermark(conn, source_of(delivery.stream), watermark, keep=self._keep)
        except psycopg.Error as error:  # another replica may hold its row: that must not take events along
            if conn.closed:
                raise
            logs.get().error("watermark not kept", stream=delivery.stream, error=type(error).__name__)
            return "failed"
        return "watermark" if believed else self._refuse(conn, delivery, "WATERMARK_TOO_HIGH")

    def _is_ours(self, delivery: Delivery) -> bool:
        return self._service in delivery.fields.get(b"heard_by", b"").decode(errors="replace").split(",")

    def _result(self, conn: Connection, delivery: Delivery, event_id: uuid.UUID) -> tuple[str, str]:
        """Returns the event's name and what became of it: handled, duplicate, finished, failed or dead.

        Raises psycopg.OperationalError if the connection is lost.
        """
        name = "unknown"
        try:
            event = event_in(delivery, event_id)
            name = event.name
            with conn.savepoint():
                return name, self._handled(conn, event, watermarks.moment(delivery, "created"))
        except Exception as error:  # a defect in one event's handler must not hold up the events behind it
            if conn.closed:
                raise
            return name, self._failed(conn, delivery, event_id, error)

    def _send_receipts(self, settled: list[Delivery]) -> None:
        receipts: dict[str, list[dict[str, bytes | str]]] = {}
        for delivery in settled:
            receipt: dict[str, bytes | str] = {"event_id": delivery.fields[b"event_id"], "consumer": self._service}
            receipts.setdefault(receipts_stream(source_of(delivery.stream)), []).append(receipt)
        for stream, entries in receipts.items():
            self._bus.add(stream, [self._signatures.signed(stream, entry) for entry in entries])

    def _handled(self, conn: Connection, event: Event, created: datetime | None) -> str:
        if event.name not in self._handlers:
            raise Unreadable("UNKNOWN_TYPE")
        if conn.execute(_NOTE_EVENT, [event.event_id, event.source, created]).rowcount == 0:
            if conn.execute(_IS_ANOTHERS, [event.event_id, event.source]).fetchone() is not None:
                raise Refused("EVENT_ID_TAKEN")  # by another source: this event was never handled
            return "duplicate"
        if conn.execute(watermarks.IS_BELOW, [event.source, created]).fetchone() is not None:
            # Its row was pruned. No receipt: should its sender think otherwise, it stays unfinished there and shows.
            conn.execute(_FORGET_EVENT, [event.event_id])
            return "finished"
        self._handlers[event.name](conn, event)
        return "handled"

    def _failed(self, conn: Connection, delivery: Delivery, event_id: uuid.UUID, error: Exception) -> str:
        """Counts a try if the error will not pass by itself; after the last try the event becomes a dead letter."""
        if isinstance(error, Refused):
            return self._refuse(conn, delivery, error.reason)
        if not isinstance(error, _FINAL) or (isinstance(error, CmsError) and error.will_pass):
            _log_failure(event_id, error)
            return "failed"
        reason = error.reason if isinstance(error, CmsError | Unreadable) else type(error).__name__
        try:
            with conn.savepoint():
                tries = _count_try(conn, event_id)
                if tries >= TRIES:
                    dead_letters.bury(conn, delivery, event_id, reason=reason, tries=tries)
        except psycopg.Error as trouble:  # the try is not counted, and the events before it stay handled
            if conn.closed:
                raise
            _log_failure(event_id, trouble)
            return "failed"
        logs.get().error("event refused", event_id=str(event_id), reason=reason, tries=tries)
        return "dead" if tries >= TRIES else "failed"

    def replay(self) -> bool:
        """Handles one dead letter whose replay was asked for. Returns whether there was one.

        Its entry is verified as when it came; one that is not believed is kept as such. Raises Unreadable, and whatever the
        handler raises.
        """
        with self._database.transaction() as conn:
            letter = dead_letters.take_wanted(conn)
        if letter is None:
            return False
        delivery = dead_letters.delivery_of(letter)
        try:
            self._signatures.expect(letter["source"], delivery.stream, delivery.fields)
            self._replay(letter, delivery)
        except Refused as refused:
            with self._database.transaction() as conn:
                dead_letters.refuse(conn, letter, reason=refused.reason)
            metrics.ENTRIES_REFUSED.labels("event", refused.reason).inc()
            logs.get().error("dead letter not believed", event_id=str(letter["event_id"]), reason=refused.reason)
        return True

    def _replay(self, letter: Row, delivery: Delivery) -> None:
        event_id = _event_id(delivery)
        if event_id is None or not self._is_ours(delivery):
            raise Unreadable("BAD_ENVELOPE")
        event = event_in(delivery, event_id)
        if event.name not in self._handlers:
            raise Unreadable("UNKNOWN_TYPE")
        with self._database.transaction() as conn:
            # It may have been asked for again meanwhile: of two replicas one replays it, and the other finds it replayed.
            if not dead_letters.note_replay(conn, letter):
                return
            if letter["refused"]:  # it is believed now, as if it came for the first time; it may have come again since
                self._handled(conn, event, watermarks.moment(delivery, "created"))
            else:
                self._handlers[event.name](conn, event)


def _event_id(delivery: Delivery) -> uuid.UUID | None:
    try:
        return uuid.UUID(bytes=delivery.fields[b"event_id"])
    except (KeyError, ValueError):
        return None


def event_in(delivery: Delivery, event_id: uuid.UUID) -> Event:
    """Parses the event of an entry. Raises Unreadable, and Refused if it is of a type that another source tells."""
    try:
        envelope = common_pb2.EventEnvelope.FromString(delivery.fields[b"envelope"])
    except (DecodeError, KeyError) as cause:
        raise Unreadable("BAD_ENVELOPE") from cause
    event = event_of(envelope, event_id)
    if event.source != source_of(delivery.stream):
        raise Refused("WRONG_SOURCE")
    return event


def event_of(envelope: common_pb2.EventEnvelope, event_id: uuid.UUID) -> Event:
    """Parses an envelope and enters the event's trace. Raises Unreadable."""
    name = envelope.type.rpartition(".")[2]
    known = contract.events().get(name)
    if known is None or known.message.DESCRIPTOR.full_name != envelope.type:
        raise Unreadable("UNKNOWN_TYPE")
    try:
        message = known.message.FromString(envelope.payload)
    except DecodeError as cause:
        raise Unreadable("BAD_PAYLOAD") from cause
    try:
        occurred_time = envelope.occurred_time.ToDatetime(UTC)
    except (ValueError, OverflowError) as cause:
        raise Unreadable("BAD_ENVELOPE") from cause
    tracing.enter(tracing.child_of(envelope.traceparent))
    return Event(
        event_id=event_id,
        name=name,
        source=known.source,
        claim_ref=envelope.claim_ref,
        version=envelope.version,
        occurred_time=occurred_time,
        message=message,
    )


def _log_failure(event_id: uuid.UUID, error: Exception) -> None:
    if isinstance(error, CmsError):
        logs.get().warning("event not handled", event_id=str(event_id), reason=error.reason)
    else:
        kind, location = type(error).__name__, logs.location_of(error)
        logs.get().error("event not handled", event_id=str(event_id), error=kind, location=location)


def _count_try(conn: Connection, event_id: uuid.UUID) -> int:
    row = conn.execute(
        "INSERT INTO inbox_tries (event_id, tries) VALUES (%s, 1)"
        " ON CONFLICT (event_id) DO UPDATE SET tries = inbox_tries.tries + 1, last_time = statement_timestamp()"
        " RETURNING tries",
        [event_id],
    ).fetchone()
    return int(row["tries"]) if row else 0
