"""An event that is written with a change is published until all its consumers have receipted, whatever happens to the bus."""

import uuid
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import redis

from chassis import contract, metrics, outbox
from chassis.bus import Bus
from chassis.database import Database
from chassis.outbox import Relay
from chassis.testing import add_signed, eventually, free_port


class Undone(Exception):
    """Rolls a transaction back."""


UNFINISHED = "SELECT event_id FROM outbox WHERE finished_time IS NULL"
WRITTEN_EARLY = """
    INSERT INTO outbox (event_id, type, claim_ref, version, payload, heard_by, occurred_time, traceparent)
    VALUES (gen_random_uuid(), 'cms.intake.v1.ClaimSubmitted', 'C', 1, '', '{la-notifier}', clock_timestamp(), '')
    RETURNING event_id
"""
BOTH = ("assessment-svc", "la-notifier")


def test_an_event_that_is_rolled_back_is_never_published(platform: Any) -> None:
    with suppress(Undone), platform.database.transaction() as conn:
        platform.submit(conn)
        raise Undone

    platform.relay.publish()

    assert platform.published() == []


def test_a_row_is_finished_when_all_its_hearers_have_receipted(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()

    platform.receipt(BOTH[0], event_id)
    platform.receipt(BOTH[0], event_id)
    platform.relay.receive()
    assert platform.column(UNFINISHED) == [event_id]

    platform.receipt(BOTH[1], event_id)
    platform.relay.receive()
    assert platform.column(UNFINISHED) == []


def test_stored_receipts_are_acknowledged(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.receipt(BOTH[0], event_id)

    platform.relay.receive()

    stream = platform.bus._prefix + outbox.receipts_stream("intake-svc")
    assert platform.bus._redis.xpending(stream, "intake-svc")["pending"] == 0


def test_receipts_of_one_batch_count_together(platform: Any) -> None:
    first, second = platform.submitted(2)
    platform.receipt(BOTH[0], first, second)
    platform.receipt(BOTH[1], first)

    platform.relay.receive()

    assert platform.column(UNFINISHED) == [second]


def test_an_unreadable_receipt_does_not_hold_up_the_others(platform: Any) -> None:
    [event_id] = platform.submitted()
    garbage: list[dict[str, bytes | str]] = [
        {"event_id": b"short", "consumer": BOTH[0]},
        {"nothing": "x"},
        {"event_id": uuid.uuid4().bytes, "consumer": b"\xff"},
    ]
    add_signed(platform.bus, outbox.receipts_stream("intake-svc"), *garbage, by=BOTH[0])
    platform.receipt(BOTH[0], str(uuid.uuid4()))
    for hearer in BOTH:
        platform.receipt(hearer, event_id)

    while platform.relay.receive():
        pass

    assert platform.column(UNFINISHED) == []


def test_receipts_read_but_not_stored_are_taken_again(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    [event_id] = platform.submitted()
    for hearer in BOTH:
        platform.receipt(hearer, event_id)
    nowhere = Database(f"postgresql://x@127.0.0.1:{free_port()}/x")
    away = Relay("intake-svc", nowhere, platform.bus, platform.relay._signatures, consumer="r-2")
    with pytest.raises(psycopg.Error):  # its pool was never opened
        away.receive()
    real = Bus.claim_idle

    def at_once(self: Bus, *given: Any, idle_seconds: float, count: int) -> Any:
        return real(self, *given, idle_seconds=0, count=count)

    monkeypatch.setattr(Bus, "claim_idle", at_once)
    platform.relay.receive_idle()

    assert platform.column(UNFINISHED) == []


def test_an_event_without_hearers_is_finished_when_it_is_published(platform: Any) -> None:
    unheard = next(event for event in contract.events().values() if not event.heard_by)
    with platform.database.transaction() as conn:
        outbox.append(conn, claim_ref="C", version=1, event=unheard.message())

    platform.relay.publish()

    assert platform.column(UNFINISHED) == []


def test_an_event_without_receipts_is_published_again_after_growing_pauses(platform: Any) -> None:
    platform.submitted()
    pauses = []
    for _ in range(12):
        platform.make_due()
        platform.relay.publish()
        pauses += platform.column("SELECT extract(epoch FROM publish_after - clock_timestamp()) FROM outbox")

    assert len(platform.published()) == 12
    assert 3 < float(pauses[0]) < 7
    assert 400 < float(pauses[-1]) < 760  # ten minutes, give or take a quarter


def test_an_event_is_not_published_again_before_it_is_due(platform: Any) -> None:
    platform.submitted()

    platform.relay.publish()
    platform.relay.publish()

    assert len(platform.published()) == 1


def test_the_relay_finds_rows_that_commit_late(platform: Any) -> None:
    with platform.database.transaction() as conn:
        # By hand: append() writes the row with the commit, where this moment is too short to be met.
        late = str(next(iter(conn.execute(WRITTEN_EARLY).fetchone().values())))
        [early] = platform.submitted()
        platform.relay.publish()
        assert platform.published() == [early]

    platform.relay.publish()

    assert platform.published() == [early, late]


def test_relays_do_not_take_each_others_rows(platform: Any) -> None:
    held, free = platform.submitted(2)
    with platform.database.transaction() as conn:
        conn.execute("SELECT 1 FROM outbox WHERE event_id = %s FOR UPDATE", [held])

        platform.relay.publish()
        assert platform.published() == [free]

    platform.relay.publish()
    assert platform.published() == [free, held]


def test_nothing_is_claimed_while_the_bus_is_away(platform: Any) -> None:
    platform.submitted(3)
    away = Bus(f"redis://127.0.0.1:{free_port()}/0")
    relay = Relay("intake-svc", platform.database, away, platform.relay._signatures, consumer="r")

    for _ in range(5):
        with pytest.raises(redis.RedisError):
            relay.publish()

    assert platform.column("SELECT attempts FROM outbox WHERE publish_after <= clock_timestamp()") == ["0"] * 3
    platform.relay.publish()
    assert len(platform.published()) == 3


def test_rows_are_given_back_when_the_bus_goes_away_before_publishing(
    platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.submitted(2)

    def gone(*_given: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(platform.bus, "add", gone)
    with pytest.raises(redis.ConnectionError):
        platform.relay.publish()

    assert platform.column("SELECT attempts FROM outbox") == ["0", "0"]
    assert set(platform.column("SELECT publish_after <= clock_timestamp() + interval '1 s' FROM outbox")) == {"True"}


def test_every_event_is_heard_although_the_bus_lost_everything(platform: Any) -> None:
    event_ids = platform.submitted(3)
    platform.settle()
    assert len(platform.column("SELECT event_id FROM handled")) == 3

    more = platform.submitted(2)
    platform.relay.publish()
    platform.lose_the_bus()  # with the receipts of three events still to come, and two unread
    platform.make_due()
    platform.settle()
    for event_id in event_ids + more:
        platform.receipt("la-notifier", event_id)
    platform.settle()

    assert sorted(platform.column("SELECT event_id FROM handled")) == sorted(event_ids + more)
    assert platform.column(UNFINISHED) == []


def test_an_event_carries_its_envelope_and_is_counted(platform: Any) -> None:
    def count() -> float:
        found = metrics.REGISTRY.get_sample_value("chassis_events_published_total", {"type": "ClaimSubmitted"})
        return found or 0.0

    before = count()
    heard: list[Any] = []
    platform.act = heard.append
    with platform.database.transaction() as conn:
        platform.submit(conn, "C00000000010", 7)

    platform.settle()

    [event] = heard
    assert (event.name, event.source, event.claim_ref, event.version) == (
        "ClaimSubmitted",
        "intake-svc",
        "C00000000010",
        7,
    )
    assert event.occurred_time.tzinfo
    assert count() - before == 1


def test_an_event_trimmed_from_the_stream_is_heard_later(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.bus.LONGEST_STREAM", 100)
    event_ids = platform.submitted(600)
    while platform.relay.publish():
        pass
    assert len(platform.published()) < 250
    for first in range(0, len(event_ids), 50):
        platform.receipt("la-notifier", *event_ids[first : first + 50])
        platform.relay.receive()

    def all_are_finished() -> bool:
        # In another order each time, as the back-off has it.
        platform.execute("UPDATE outbox SET publish_after = clock_timestamp() - random() * interval '1 second'")
        platform.settle()
        return not platform.column(UNFINISHED)

    eventually(all_are_finished, seconds=20, what="every receipt")
    assert sorted(platform.column("SELECT event_id FROM handled")) == sorted(event_ids)
