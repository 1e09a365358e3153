"""The bus of a platform as a service, or a forger, writes to it."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import redis
from google.protobuf.message import Message

from chassis.outbox import events_stream
from chassis.signatures import SigningKey
from cms.common.v1 import common_pb2
from cms_local.keys import signing_key_file
from cms_local.layout import SERVICES, Layout
from tests.support.platforms import PlatformUnderTest

Fields = Mapping[bytes, bytes]


@contextmanager
def bus_of(platform: PlatformUnderTest) -> Iterator["redis.Redis"]:
    """A connection to the platform's bus."""
    with redis.Redis(port=platform.layout.bus_port) as bus:
        yield bus


def signing_key_of(layout: Layout, service: str) -> SigningKey:
    """The key by which the service signs on this platform."""
    return SigningKey.load(signing_key_file(layout.keys(""), service))


def unsigned(message: Message, claim_ref: str, *, heard_by: tuple[str, ...], version: int = 1) -> dict[str, Any]:
    """An entry of an event as a relay makes it before it signs."""
    envelope = common_pb2.EventEnvelope(
        event_id=str(uuid.uuid4()),
        type=message.DESCRIPTOR.full_name,
        claim_ref=claim_ref,
        version=version,
        payload=message.SerializeToString(),
    )
    envelope.occurred_time.GetCurrentTime()
    return {
        "event_id": uuid.UUID(envelope.event_id).bytes,
        "heard_by": ",".join(heard_by),
        "created": datetime.now(UTC).isoformat(),
        "envelope": envelope.SerializeToString(),
    }


def entries_of(bus: "redis.Redis", claim_ref: str) -> list[tuple[str, dict[bytes, bytes]]]:
    """The entries of a claim's events, each with its stream."""
    streams = [events_stream(service) for service in SERVICES]
    found = [(stream, fields) for stream in streams for _, fields in cast(Any, bus.xrange(stream))]
    return [
        (stream, fields)
        for stream, fields in found
        if common_pb2.EventEnvelope.FromString(fields.get(b"envelope", b"")).claim_ref == claim_ref
    ]


def all_taken(bus: "redis.Redis", *kinds: str) -> bool:
    """Whether every group has taken and acknowledged all that is on the streams of these kinds: events, receipts."""
    streams = [f"{kind}:{service}" for kind in kinds for service in SERVICES]
    groups = [group for stream in streams if bus.exists(stream) for group in cast(Any, bus.xinfo_groups(stream))]
    return all(group["pending"] == 0 and group["lag"] == 0 for group in groups)
