"""The outbox: an event is a row that is written in the transaction of the change it reports.

A row is finished when every service in `heard_by` has sent its receipt. Until then it is published again and again.
"""

import uuid
from datetime import datetime

from google.protobuf.message import Message

from chassis import clock, contract, crash, logs, metrics, tracing
from chassis.bus import Bus, Delivery
from chassis.database import Connection, Database, Row
from chassis.signatures import Refused, Signatures
from cms.common.v1 import common_pb2

_BATCH = 200

_CLAIM = """
    UPDATE outbox
    SET attempts = attempts + 1,
        publish_after = statement_timestamp()
            + make_interval(secs => least(600, 5 * power(2, least(attempts, 10))) * (0.75 + random() / 2)),
        finished_time = CASE WHEN heard_by = '{}' THEN statement_timestamp() END
    WHERE event_id IN (
        SELECT event_id FROM outbox
        WHERE finished_time IS NULL AND publish_after <= statement_timestamp()
        ORDER BY publish_after
        LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING event_id, type, claim_ref, version, payload, heard_by, occurred_time, traceparent, created
"""

_GIVE_BACK = """
    UPDATE outbox
    SET attempts = attempts - 1, publish_after = statement_timestamp() + interval '1 second', finished_time = NULL
    WHERE event_id = ANY(%s)
"""

_RECEIVE = """
    UPDATE outbox
    SET receipted = outbox.receipted || receipt.consumers,
        finished_time =
            CASE WHEN outbox.heard_by <@ (outbox.receipted || receipt.consumers) THEN statement_timestamp() END
    FROM (
        SELECT event_id, array_agg(DISTINCT consumer) AS consumers
        FROM unnest(%s::uuid[], %s::text[]) AS given (event_id, consumer)
        GROUP BY event_id
    ) AS receipt
    WHERE outbox.event_id = receipt.event_id AND outbox.finished_time IS NULL
"""

_APPEND = """
    INSERT INTO outbox (event_id, type, claim_ref, version, payload, heard_by, occurred_time, traceparent)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def events_stream(source: str) -> str:
    """The stream of a service's events."""
    return f"events:{source}"


def source_of(stream: str) -> str:
    """The service whose stream it is."""
    return stream.partition(":")[2]


def receipts_stream(source: str) -> str:
    """The stream of receipts for a service's events."""
    return f"receipts:{source}"


def append(
    conn: Connection, *, claim_ref: str, version: int, event: Message, occurred_time: datetime | None = None
) -> uuid.UUID:
    """Writes an event of the contract in this transaction; returns its event_id.

    `version` is that of the aggregate. KeyError if the message is no event of the contract.
    """
    event_type = contract.events()[event.DESCRIPTOR.name]
    event_id = uuid.uuid4()
    conn.execute(
        _APPEND,
        [
            event_id,
            event.DESCRIPTOR.full_name,
            claim_ref,
            version,
            event.SerializeToString(),
            list(event_type.heard_by),
            occurred_time or clock.now(),
            tracing.current(),
        ],
    )
    return event_id


class Relay:
    """Publishes rows that are due, signed, and finishes rows of which all hearers have given their own receipt."""

    def __init__(self, source: str, database: Database, bus: Bus, signatures: Signatures, *, consumer: str) -> None:
        self._source = source
        self._database = database
        self._bus = bus
        self._signatures = signatures
        self._consumer = consumer

    def publish(self) -> bool:
        """Claims due rows, commits, and adds them to the stream. Returns whether there may be more."""
        self._bus.ping()
        with self._database.transaction() as conn:
            rows = conn.execute(_CLAIM, [_BATCH]).fetchall()
        if rows:
            crash.point("relay.after_claim")
            stream = events_stream(self._source)
            try:
                self._bus.add(stream, [self._signatures.signed(stream, _entry(row)) for row in rows])
            except Exception:
                self._give_back(rows)
                raise
            crash.point("relay.after_publish")
            for row in rows:
                metrics.EVENTS_PUBLISHED.labels(row["type"].rpartition(".")[2]).inc()
        return len(rows) == _BATCH

    def _give_back(self, rows: list[Row]) -> None:
        # Published or not is not known; being published twice does no harm.
        with self._database.transaction() as conn:
            conn.execute(_GIVE_BACK, [[row["event_id"] for row in rows]])

    def receive(self) -> bool:
        """Writes receipts from the stream into their rows. Returns whether there may be more."""
        return self._take(self._bus.read(self._source, self._consumer, [receipts_stream(self._source)], count=_BATCH))

    def receive_idle(self) -> bool:
        """Takes over receipts that another process read ten seconds ago and never acknowledged."""
        stream = receipts_stream(self._source)
        return self._take(self._bus.claim_idle(self._source, self._consumer, stream, idle_seconds=10.0, count=_BATCH))

    def _take(self, deliveries: list[Delivery]) -> bool:
        if deliveries:
            receipts = [receipt for delivery in deliveries if (receipt := self._receipt(delivery))]
            with self._database.transaction() as conn:
                conn.execute(_RECEIVE, [[event_id for event_id, _ in receipts], [name for _, name in receipts]])
            crash.point("receipts.after_commit")
            self._bus.acknowledge(self._source, deliveries)
        return len(deliveries) == _BATCH

    def _receipt(self, delivery: Delivery) -> tuple[uuid.UUID, str] | None:
        """The event and who receipts it; None for what can only be passed over.

        If the event was handled all the same it is published, and so receipted, again.
        """
        try:
            consumer = self._signatures.signatory(delivery.stream, delivery.fields)
            if delivery.fields[b"consumer"] != consumer.encode():
                raise Refused("WRONG_SOURCE")
            return uuid.UUID(bytes=delivery.fields[b"event_id"]), consumer
        except Refused as refused:
            metrics.ENTRIES_REFUSED.labels("receipt", refused.reason).inc()
            logs.get().error("receipt refused", stream=delivery.stream, reason=refused.reason)
        except (KeyError, ValueError):
            logs.get().error("receipt unreadable", stream=delivery.stream)
        return None


def _entry(row: Row) -> dict[str, bytes | str]:
    envelope = common_pb2.EventEnvelope(
        event_id=str(row["event_id"]),
        type=row["type"],
        claim_ref=row["claim_ref"],
        version=row["version"],
        traceparent=row["traceparent"],
        payload=row["payload"],
    )
    envelope.occurred_time.FromDatetime(row["occurred_time"])
    return {
        "event_id": row["event_id"].bytes,
        "heard_by": ",".join(row["heard_by"]),
        "created": row["created"].isoformat(),
        "envelope": envelope.SerializeToString(),
    }
