"""The event bus: Redis Streams. Everything on it can be lost; the truth is in PostgreSQL at both ends."""

from dataclasses import dataclass
from typing import Any, cast

import redis

LONGEST_STREAM = 100_000
BLOCK_SECONDS = 0.2
"""How long a read waits for new entries: also how long a stop may have to wait for the reader."""
_NO_GROUP = ("NOGROUP", "UNBLOCKED")
"""How a server reports a missing group: before a read, or (Redis 7.0) during a read that waits."""
_NOTHING_THERE = ("NOGROUP", "no such key")

# One step at the server: between our look and our removal a consumer could return and take an entry, which would be lost.
_REMOVE_DEAD = """
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
        local found = {}
        for place = 1, #consumer, 2 do found[consumer[place]] = consumer[place + 1] end
        if found.pending == 0 and found.idle > tonumber(ARGV[2]) then
            redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], found.name)
        end
    end
"""

Entry = tuple[str, dict[bytes, bytes]]
"""An entry's id and its fields."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An entry read from a stream by a group."""

    stream: str
    entry_id: str
    fields: dict[bytes, bytes]


class Bus:
    """Streams with consumer groups, all below one prefix. Methods raise redis.RedisError when the bus is away."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        # RESP 2 is pinned: the shape of XREADGROUP's answer depends on the version.
        self._redis = redis.Redis.from_url(
            url, protocol=2, socket_timeout=5.0, socket_connect_timeout=2.0, health_check_interval=15
        )
        # A readiness check must not wait as long as a publisher.
        self._probe = redis.Redis.from_url(url, protocol=2, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._prefix = prefix

    def is_usable(self) -> bool:
        """Whether the bus takes an entry within about a second. A full bus answers a ping but takes nothing."""
        try:
            return bool(self._probe.set(self._prefix + "probe", b"", ex=60))
        except redis.RedisError:
            return False

    def ping(self) -> None:
        """Raises redis.RedisError when the bus is away."""
        self._redis.ping()

    def add(self, stream: str, entries: list[dict[str, bytes | str]]) -> None:
        """Adds entries in one round trip; the stream is kept to about 100,000."""
        pipeline = self._redis.pipeline(transaction=False)
        for fields in entries:
            pipeline.xadd(self._prefix + stream, cast(Any, fields), maxlen=LONGEST_STREAM, approximate=True)
        pipeline.execute()

    def read(self, group: str, consumer: str, streams: list[str], *, count: int) -> list[Delivery]:
        """Returns new entries for the group, after a short wait. Makes a missing group, which then reads from the start."""
        try:
            answer: Any = self._redis.xreadgroup(
                group,
                consumer,
                {self._prefix + stream: ">" for stream in streams},
                count=count,
                block=int(BLOCK_SECONDS * 1000),
            )
        except redis.ResponseError as error:
            self._make_groups_after(error, group, streams)
            return []
        return [
            self._delivery(key.decode(), entry_id, fields)
            for key, entries in answer or []
            for entry_id, fields in entries
        ]

    def claim_idle(self, group: str, consumer: str, stream: str, *, idle_seconds: float, count: int) -> list[Delivery]:
        """Takes over entries that were delivered and not acknowledged for `idle_seconds`."""
        try:
            answer: Any = self._redis.xautoclaim(
                self._prefix + stream, group, consumer, min_idle_time=int(idle_seconds * 1000), count=count
            )
        except redis.ResponseError as error:
            self._make_groups_after(error, group, [stream])
            return []
        entries = answer[1]
        return [self._delivery(self._prefix + stream, entry_id, fields) for entry_id, fields in entries if fields]

    def acknowledge(self, group: str, deliveries: list[Delivery]) -> None:
        """Acknowledges these entries for the group."""
        pipeline = self._redis.pipeline(transaction=False)
        for delivery in deliveries:
            pipeline.xack(self._prefix + delivery.stream, group, delivery.entry_id)
        pipeline.execute()

    def remove_dead_consumers(self, group: str, stream: str, *, idle_seconds: float) -> None:
        """Removes consumers from the group that were idle so long and hold no unacknowledged entry.

        A Lua script does it, as one step of the server, so a consumer that returns meanwhile keeps its entries.
        """
        try:
            self._redis.eval(_REMOVE_DEAD, 1, self._prefix + stream, group, str(int(idle_seconds * 1000)))
        except redis.ResponseError as error:
            if not str(error).startswith(_NOTHING_THERE):
                raise

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()
        self._probe.close()

    def _delivery(self, key: str, entry_id: bytes, fields: dict[bytes, bytes]) -> Delivery:
        return Delivery(stream=key.removeprefix(self._prefix), entry_id=entry_id.decode(), fields=fields)

    def _make_groups_after(self, error: redis.ResponseError, group: str, streams: list[str]) -> None:
        if not str(error).startswith(_NO_GROUP):
            raise error
        for stream in streams:
            try:
                self._redis.xgroup_create(self._prefix + stream, group, id="0", mkstream=True)
            except redis.ResponseError as exists:
                if not str(exists).startswith("BUSYGROUP"):
                    raise
