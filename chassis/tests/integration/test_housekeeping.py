"""Old rows are removed. An event that is published again, or still lies on the bus, is never handled twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import metrics, outbox, watermarks
from chassis.housekeeping import Housekeeping
from chassis.testing import DatabaseUrls, add_signed, commits_fail, eventually

SOURCE, HEARER, OTHER = "intake-svc", "assessment-svc", "la-notifier"
EVENTS, RECEIPTS = outbox.events_stream(SOURCE), outbox.receipts_stream(SOURCE)
HANDLED = "SELECT event_id FROM handled"
UNFINISHED = "SELECT event_id FROM outbox WHERE finished_time IS NULL"
NOTHING, WEEK = timedelta(0), timedelta(days=7)


def keeper(platform: Any, service: str = SOURCE, *, keep: timedelta = NOTHING, **more: Any) -> Housekeeping:
    """Keeps house in the test's database, which is both the source's and the hearer's."""
    signatures = platform.relay._signatures if service == SOURCE else platform.inbox._signatures
    streams = [EVENTS, RECEIPTS]
    return Housekeeping(
        service, platform.housekeeping_database, platform.bus, signatures, keep=keep, streams=streams, **more
    )


def keep_house(platform: Any, *, keep: timedelta = NOTHING) -> None:
    """The source publishes its watermark, the hearer reads it, both prune."""
    keeper(platform, keep=keep).publish_watermark()
    while platform.inbox.consume():
        pass
    while keeper(platform, keep=keep).prune():
        pass


def entries(platform: Any) -> list[Any]:
    """The stream's entries that bear an event."""
    found: list[Any] = platform.bus._redis.xrange(platform.bus._prefix + EVENTS)
    return [fields for _, fields in found if b"event_id" in fields]


def consumers(platform: Any, stream: str, group: str) -> dict[str, int]:
    """How much each consumer of a group has in hand."""
    found = platform.bus._redis.xinfo_consumers(platform.bus._prefix + stream, group)
    return {consumer["name"].decode(): consumer["pending"] for consumer in found}


def failed_batches(table: str) -> float:
    """How many batches of a table could not be removed so far."""
    return metrics.REGISTRY.get_sample_value("chassis_pruning_failures_total", {"table": table}) or 0.0


def finished(platform: Any) -> str:
    """One event that all have handled and receipted; gives its event_id."""
    [event_id] = platform.submitted()
    platform.receipt(OTHER, event_id)
    platform.settle()
    assert platform.column(UNFINISHED) == []
    return str(event_id)


class Steps:
    """The steps that may happen, in any order."""

    def __init__(self, platform: Any) -> None:
        self.platform = platform
        self.event_ids: list[str] = []
        self.late: list[tuple[str, list[Any]]] = []

    def submit(self) -> None:
        self.event_ids += self.platform.submitted()

    def publish(self) -> None:
        self.platform.make_due()
        self.platform.relay.publish()

    def publish_late(self) -> None:
        """A relay takes the rows and is stopped before it adds them."""
        self.platform.make_due()
        real = self.platform.bus.add
        self.platform.bus.add = lambda stream, given: self.late.append((stream, given))
        try:
            self.platform.relay.publish()
        finally:
            self.platform.bus.add = real

    def wake_the_late(self) -> None:
        while self.late:
            self.platform.bus.add(*self.late.pop())

    def consume(self) -> None:
        self.platform.inbox.consume()

    def consume_idle(self) -> None:
        self.platform.inbox.consume_idle()

    def other_receipts(self) -> None:
        self.platform.receipt(OTHER, *self.event_ids)

    def receive(self) -> None:
        self.platform.relay.receive()

    def prune(self) -> None:
        keeper(self.platform).prune()

    def publish_watermark(self) -> None:
        keeper(self.platform).publish_watermark()

    def lose_the_group(self) -> None:
        with suppress(redis.ResponseError):  # the stream may be lost already
            self.platform.bus._redis.xgroup_destroy(self.platform.bus._prefix + EVENTS, HEARER)

    def deliver_all_again(self) -> None:
        for fields in entries(self.platform):
            self.platform.bus.add(EVENTS, [fields])

    def lose_the_bus(self) -> None:
        self.platform.lose_the_bus()


STEPS = sorted(name for name in vars(Steps) if not name.startswith("_"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(STEPS), min_size=5, max_size=30))
def test_pruning_at_any_time_never_has_an_event_handled_twice(platform: Any, names: list[str]) -> None:
    for table in ("handled", "outbox", "inbox", "inbox_floors"):
        platform.execute(f"DELETE FROM {table}")  # noqa: S608
    platform.lose_the_bus()
    platform.make_groups()
    steps = Steps(platform)

    for name in ["submit", *names]:
        getattr(steps, name)()
    for _ in range(2):
        steps.publish()
        steps.wake_the_late()
        steps.other_receipts()
        platform.settle()
        keep_house(platform)

    assert sorted(platform.column(HANDLED)) == sorted(steps.event_ids)
    assert platform.column("SELECT event_id FROM outbox") == []
    assert platform.column("SELECT event_id FROM inbox") == []


def test_an_inbox_row_stays_while_its_event_may_be_published_again(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.settle()

    keep_house(platform)

    assert platform.column("SELECT event_id FROM inbox") == [event_id]
    assert platform.column(UNFINISHED) == [event_id]


def test_the_oldest_unfinished_event_keeps_the_inbox_rows_of_all_later_events(platform: Any) -> None:
    [first] = platform.submitted()
    later = finished_after = platform.submitted(3)
    platform.receipt(OTHER, *finished_after)
    platform.settle()

    keep_house(platform)

    assert platform.column(UNFINISHED) == [first]
    assert set(platform.column("SELECT event_id FROM inbox")) == {first, *later}


def test_rows_finished_lately_are_kept(platform: Any) -> None:
    event_id = finished(platform)

    keep_house(platform, keep=WEEK)

    assert platform.column("SELECT event_id FROM inbox") == [event_id]
    assert platform.column("SELECT event_id FROM outbox") == [event_id]


def test_an_event_that_comes_back_after_its_row_was_pruned_is_neither_handled_nor_receipted(platform: Any) -> None:
    event_id = finished(platform)
    [entry] = entries(platform)
    keep_house(platform)
    receipts = platform.bus._redis.xlen(platform.bus._prefix + RECEIPTS)

    platform.bus.add(EVENTS, [entry])
    platform.settle()

    assert platform.column(HANDLED) == [event_id]
    assert platform.column("SELECT event_id FROM inbox") == []
    assert platform.bus._redis.xlen(platform.bus._prefix + RECEIPTS) == receipts
    assert platform.bus._redis.xpending(platform.bus._prefix + EVENTS, HEARER)["pending"] == 0


def test_an_event_below_a_watermark_that_was_too_high_stays_unfinished_and_is_not_handled(platform: Any) -> None:
    platform.execute("INSERT INTO inbox_floors (source, floor) VALUES ('intake-svc', now() + interval '1 day')")
    [event_id] = platform.submitted()
    platform.receipt(OTHER, event_id)

    platform.settle()

    assert platform.column(HANDLED) == []
    assert platform.column(UNFINISHED) == [event_id]


@contextmanager
def a_prune_under_way(platform: Any) -> Iterator[None]:
    """The inbox rows are deleted; that is committed at the end."""
    with platform.database.transaction() as conn:
        conn.execute("DELETE FROM inbox")
        yield


def test_a_duplicate_that_comes_while_its_row_is_being_pruned_is_not_handled(
    platform: Any, database_urls: DatabaseUrls
) -> None:
    event_id = finished(platform)
    [entry] = entries(platform)
    keeper(platform).publish_watermark()
    platform.inbox.consume()
    platform.bus.add(EVENTS, [entry])

    with psycopg.connect(database_urls.owner, autocommit=True) as watcher, a_prune_under_way(platform):
        consumer = threading.Thread(target=platform.inbox.consume)
        consumer.start()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        eventually(lambda: watcher.execute(waiting).fetchone(), what="a consumer that waits for the row")
    consumer.join()

    assert platform.column(HANDLED) == [event_id]
    assert platform.column("SELECT event_id FROM inbox") == []


@pytest.mark.parametrize("said", [b"yesterday", b"2026-11-22T10:00:00", b"\xff"])
def test_an_unreadable_watermark_is_ignored(platform: Any, said: bytes) -> None:
    add_signed(platform.bus, EVENTS, {"finished_before": said}, by=SOURCE)
    [event_id] = platform.submitted()

    platform.settle()

    assert platform.column("SELECT source FROM inbox_floors") == []
    assert platform.column(HANDLED) == [event_id]


def test_a_watermark_never_goes_down(platform: Any) -> None:
    high = datetime.now(UTC) - WEEK
    for said in (high, high - WEEK):
        add_signed(platform.bus, EVENTS, watermarks.entry(said), by=SOURCE)
    platform.settle()

    with platform.database.transaction() as conn:
        [row] = conn.execute("SELECT source, floor FROM inbox_floors").fetchall()
    assert (row["source"], row["floor"]) == (SOURCE, high)


def test_requests_and_tries_are_removed_after_their_time_and_not_before(platform: Any) -> None:
    platform.execute(
        "INSERT INTO requests (subject, method, request_id, body_hmac, created)"
        " SELECT age || ' days', 'M', gen_random_uuid(), '', clock_timestamp() - make_interval(days => age)"
        " FROM unnest(ARRAY[6, 8]) AS given (age)"
    )
    platform.execute(
        "INSERT INTO inbox_tries (event_id, tries, last_time)"
        " SELECT gen_random_uuid(), age, clock_timestamp() - make_interval(days => age)"
        " FROM unnest(ARRAY[6, 8]) AS given (age)"
    )

    keeper(platform, keep=WEEK).prune()

    assert platform.column("SELECT subject FROM requests") == ["6 days"]
    assert platform.column("SELECT tries FROM inbox_tries") == ["6"]


def test_pruning_removes_one_batch_at_a_time(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.housekeeping._BATCH", 2)
    platform.submitted(5)
    platform.execute("UPDATE outbox SET finished_time = clock_timestamp()")

    assert [keeper(platform).prune() for _ in range(3)] == [True, True, False]
    assert platform.column("SELECT event_id FROM outbox") == []


def test_one_replica_prunes_at_a_time(platform: Any) -> None:
    finished(platform)
    with platform.database.transaction() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [0x636D7334])
        assert not keeper(platform).prune()
        assert len(platform.column("SELECT event_id FROM outbox")) == 1

    keeper(platform).prune()

    assert platform.column("SELECT event_id FROM outbox") == []


def test_dead_consumers_are_removed_once_they_hold_nothing(platform: Any) -> None:
    platform.submitted()
    platform.relay.publish()
    platform.bus.read(HEARER, "gone-with-work", [EVENTS], count=1)
    platform.bus.read(HEARER, "gone", [EVENTS], count=1)

    keeper(platform, HEARER, dead_after_seconds=-1).publish_watermark()

    names = [found["name"] for found in platform.bus._redis.xinfo_consumers(platform.bus._prefix + EVENTS, HEARER)]
    assert names == [b"gone-with-work"]


def test_a_dead_consumer_with_work_in_hand_is_removed_after_others_took_the_work_over(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    platform.receipt(OTHER, event_id)
    platform.bus.read(HEARER, "dead", [EVENTS], count=1)
    platform.bus.read(SOURCE, "dead", [RECEIPTS], count=1)
    for service in (HEARER, SOURCE):
        keeper(platform, service, dead_after_seconds=-1).publish_watermark()
    assert consumers(platform, EVENTS, HEARER)["dead"] == consumers(platform, RECEIPTS, SOURCE)["dead"] == 1

    platform.inbox.consume_idle()
    takes_over_at_once = platform.bus.claim_idle
    platform.bus.claim_idle = lambda *given, **more: takes_over_at_once(*given, **more | {"idle_seconds": 0})
    platform.relay.receive()
    platform.relay.receive_idle()
    for service in (HEARER, SOURCE):
        keeper(platform, service, dead_after_seconds=-1).publish_watermark()

    assert "dead" not in {**consumers(platform, EVENTS, HEARER), **consumers(platform, RECEIPTS, SOURCE)}
    assert platform.column(HANDLED) == [event_id]
    assert platform.column(UNFINISHED) == []


def test_consumers_that_read_lately_are_kept(platform: Any) -> None:
    platform.bus.read(HEARER, "here", [EVENTS], count=1)

    keeper(platform, HEARER).publish_watermark()

    names = [found["name"] for found in platform.bus._redis.xinfo_consumers(platform.bus._prefix + EVENTS, HEARER)]
    assert b"here" in names


def test_a_job_that_fails_is_counted_and_holds_up_none_of_the_others(
    platform: Any, database_urls: DatabaseUrls
) -> None:
    platform.submitted(2)
    platform.execute("UPDATE outbox SET finished_time = clock_timestamp()")
    platform.execute("INSERT INTO inbox_tries (event_id, tries) VALUES (gen_random_uuid(), 1)")
    before = failed_batches("outbox")

    with commits_fail(database_urls, "outbox"):
        more = keeper(platform).prune()

    assert not more
    assert failed_batches("outbox") == before + 1
    assert len(platform.column("SELECT event_id FROM outbox")) == 2
    assert platform.column("SELECT event_id FROM inbox_tries") == []


def test_pruning_fails_where_every_job_does(platform: Any) -> None:
    platform.housekeeping_database.close()

    with pytest.raises(psycopg.Error):
        keeper(platform).prune()


def test_inbox_rows_are_pruned_by_the_watermark_of_their_own_source(platform: Any) -> None:
    platform.execute(
        "INSERT INTO inbox (event_id, source, created)"
        " SELECT gen_random_uuid(), source, clock_timestamp() - interval '1 hour'"
        " FROM unnest(ARRAY['intake-svc', 'scheduling-svc', 'legacy-gateway']) AS given (source)"
    )
    with platform.database.transaction() as conn:
        watermarks.raise_watermark(conn, "intake-svc", datetime.now(UTC), keep=NOTHING)
        watermarks.raise_watermark(conn, "scheduling-svc", datetime.now(UTC) - WEEK, keep=NOTHING)

    keeper(platform).prune()

    assert platform.column("SELECT source FROM inbox ORDER BY source") == ["legacy-gateway", "scheduling-svc"]
