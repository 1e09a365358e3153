"""An event is handled once whatever is delivered; what cannot be handled never holds up what can."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
import redis
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import contract, metrics, outbox
from chassis.errors import FailedPrecondition, Unavailable
from chassis.inbox import TRIES, Inbox
from cms.common.v1 import common_pb2

HANDLED = "SELECT event_id FROM handled"
DEAD = "SELECT reason FROM dead_letters WHERE replayed_time IS NULL"
INBOX = "SELECT event_id FROM inbox"
STREAM = outbox.events_stream("intake-svc")
RECEIPTS = outbox.receipts_stream("intake-svc")


def refuse(_event: Any) -> None:
    raise FailedPrecondition("NOT_SO", "refused")


def away(_event: Any) -> None:
    raise Unavailable("AWAY", "away")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    troubles=st.lists(st.sampled_from(["away", "defect", "lost receipt"]), max_size=4),
)
def test_an_event_is_handled_once_under_any_deliveries_and_failures(
    platform: Any, order: list[int], troubles: list[str]
) -> None:
    already = set(platform.column(HANDLED))
    event_ids = platform.submitted(4)
    platform.relay.publish()
    entries = platform.bus._redis.xrevrange(platform.bus._prefix + STREAM, count=4)
    to_come = list(troubles)
    real_add = platform.bus.add

    def act(_event: Any) -> None:
        if to_come and to_come[-1] != "lost receipt":
            raise {"away": Unavailable("AWAY", "away"), "defect": ZeroDivisionError()}[to_come.pop()]

    def add(stream: str, given: Any) -> None:
        if to_come and to_come[-1] == "lost receipt" and stream.startswith("receipts"):
            to_come.pop()
            raise redis.ConnectionError
        real_add(stream, given)

    platform.act = act
    platform.bus.add = add
    for index in order:
        real_add(STREAM, [entries[index][1]])

    for _ in range(len(troubles) + 1):
        try:
            platform.rounds(len(troubles) + 1)
        except redis.ConnectionError:
            continue
    platform.bus.add = real_add

    assert sorted(set(platform.column(HANDLED)) - already) == sorted(event_ids)
    assert len(platform.column(HANDLED)) == len(already) + 4
    assert set(event_ids) <= set(platform.receipts_sent())
    assert platform.pending() == 0
    assert platform.column(DEAD) == []


def test_a_duplicate_is_receipted_again(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    platform.rounds(0)
    platform.make_due()
    platform.relay.publish()

    platform.rounds(0)

    assert platform.receipts_sent() == [event_id, event_id]
    assert platform.column(HANDLED) == [event_id]


def test_a_failed_handler_is_rolled_back(platform: Any) -> None:
    platform.submitted()
    platform.relay.publish()
    platform.act = away

    platform.rounds(0)

    assert platform.column(HANDLED) == []
    assert platform.column(INBOX) == []
    assert platform.receipts_sent() == []
    assert platform.pending() == 1


@pytest.mark.parametrize("error", [Unavailable("AWAY", "away"), ZeroDivisionError("a defect")])
def test_a_passing_error_is_retried_until_the_event_is_handled(platform: Any, error: Exception) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()

    def fail(_event: Any) -> None:
        raise error

    platform.act = fail
    platform.rounds(5 * TRIES)
    assert platform.column(DEAD) == []
    assert platform.column("SELECT tries FROM inbox_tries") == []

    platform.act = lambda _event: None
    platform.rounds(1)
    assert platform.column(HANDLED) == [event_id]


def test_an_event_is_retried_while_a_lock_is_held(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    with platform.locked("handled"):
        platform.rounds(0)
        assert platform.column("SELECT tries FROM inbox_tries") == []

    platform.rounds(1)

    assert platform.column(HANDLED) == [event_id]


def test_a_refused_event_becomes_a_dead_letter_after_its_tries(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    platform.act = refuse

    platform.rounds(TRIES - 2)
    assert platform.column(DEAD) == []
    assert platform.column("SELECT tries FROM inbox_tries") == [str(TRIES - 1)]
    platform.rounds(1)

    assert platform.column(DEAD) == ["NOT_SO"]
    assert platform.column(INBOX) == [event_id]
    assert platform.column("SELECT claim_ref FROM dead_letters") == ["C0000000000A"]
    assert platform.column("SELECT tries FROM inbox_tries") == []
    assert platform.receipts_sent() == [event_id]
    assert platform.pending() == 0


def envelope(**fields: Any) -> bytes:
    return common_pb2.EventEnvelope(**fields).SerializeToString()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xff\xff", "BAD_ENVELOPE"),
        (b"", "UNKNOWN_TYPE"),
        (envelope(type="cms.intake.v1.NotYetThought", claim_ref="C"), "UNKNOWN_TYPE"),
        (envelope(type="another.ClaimSubmitted"), "UNKNOWN_TYPE"),
        (envelope(type="cms.intake.v1.ClaimAmended"), "UNKNOWN_TYPE"),  # known, and not handled here
        (envelope(type="cms.intake.v1.ClaimSubmitted", payload=b"\xff"), "BAD_PAYLOAD"),
        (envelope(type="cms.intake.v1.ClaimSubmitted", occurred_time=Timestamp(seconds=2**62)), "BAD_ENVELOPE"),
        (envelope(type="Unknown\0", claim_ref="C\0"), "UNKNOWN_TYPE"),  # PostgreSQL's text holds no NUL
    ],
)
def test_an_unreadable_event_becomes_a_dead_letter_and_is_receipted(platform: Any, body: bytes, reason: str) -> None:
    platform.inbox.consume()
    event_id = platform.deliver(body)

    platform.rounds(TRIES)

    assert platform.column(DEAD) == [reason]
    assert platform.column(INBOX) == [event_id]
    assert platform.receipts_sent() == [event_id]
    assert platform.pending() == 0


def test_an_event_that_cannot_be_stored_does_not_stop_later_events(platform: Any) -> None:
    def keep(event: Any) -> None:
        with platform.database.transaction() as conn:
            conn.execute("SELECT %s::text", [event.claim_ref])

    platform.act = keep
    platform.deliver(envelope(type="cms.intake.v1.ClaimSubmitted", claim_ref="C\0"))
    [event_id] = platform.submitted()
    platform.relay.publish()

    platform.rounds(TRIES)

    assert platform.column(HANDLED) == [event_id]
    assert platform.column(DEAD) == ["DataError"]
    assert platform.pending() == 0


def test_a_missing_group_is_made_again_and_reads_from_the_start(platform: Any) -> None:
    heard = platform.submitted(2)
    platform.relay.publish()
    platform.rounds(0)
    unheard = platform.submitted(2)
    platform.relay.publish()

    for stream, group in ((STREAM, "assessment-svc"), (RECEIPTS, "intake-svc")):
        platform.bus._redis.xgroup_destroy(platform.bus._prefix + stream, group)
    platform.settle()

    assert sorted(platform.column(HANDLED)) == sorted(heard + unheard)
    assert sorted(platform.receipts_sent()) == sorted(heard * 2 + unheard)
    assert platform.column("SELECT event_id FROM outbox WHERE receipted = '{}'") == []


@pytest.mark.parametrize("fields", [{"event_id": b"short"}, {"heard_by": b"\xff,assessment-svc", "event_id": b""}])
def test_an_entry_without_an_event_id_is_skipped(platform: Any, fields: dict[str, Any]) -> None:
    platform.deliver(b"x", **fields)
    [event_id] = platform.submitted()
    platform.relay.publish()

    platform.rounds(0)

    assert platform.column(HANDLED) == [event_id]
    assert platform.receipts_sent() == [event_id]
    assert platform.pending() == 0


@pytest.mark.parametrize("heard_by", ["", "la-notifier", "assessment-svc-2"])
def test_events_for_other_services_are_neither_handled_nor_receipted(platform: Any, heard_by: str) -> None:
    platform.deliver(b"x", heard_by=heard_by)

    platform.rounds(1)

    assert platform.column(INBOX) == []
    assert platform.receipts_sent() == []
    assert platform.pending() == 0


def test_a_replayed_dead_letter_is_handled_once(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    platform.act = refuse
    platform.rounds(TRIES)
    assert not platform.inbox.replay()

    platform.act = lambda _event: None
    platform.execute("UPDATE dead_letters SET replay_wanted = true")

    assert platform.inbox.replay()
    assert not platform.inbox.replay()
    assert platform.column(HANDLED) == [event_id]
    assert platform.column(DEAD) == []


def test_a_dead_letter_is_handled_once_when_its_replay_is_asked_for_again_meanwhile(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    platform.act = refuse
    platform.rounds(TRIES)

    def replay() -> None:
        platform.execute("UPDATE dead_letters SET replay_wanted = true")
        platform.inbox.replay()

    with ThreadPoolExecutor(1) as other_replica:

        def ask_again(_event: Any) -> None:
            platform.act = lambda _event: None
            wait([other_replica.submit(replay)], timeout=0.3)

        platform.act = ask_again
        replay()

    assert platform.column(HANDLED) == [event_id]


def test_a_failed_replay_keeps_the_dead_letter(platform: Any) -> None:
    platform.submitted()
    platform.relay.publish()
    platform.act = refuse
    platform.rounds(TRIES)
    platform.execute("UPDATE dead_letters SET replay_wanted = true")

    with pytest.raises(FailedPrecondition):
        platform.inbox.replay()

    assert platform.column(DEAD) == ["NOT_SO"]
    assert platform.column(HANDLED) == []
    assert not platform.inbox.replay()


def test_two_replicas_share_the_work(platform: Any) -> None:
    event_ids = platform.submitted(30)
    handlers = {"ClaimSubmitted": platform.handle}
    other = Inbox(
        "assessment-svc",
        platform.database,
        platform.bus,
        platform.inbox._signatures,
        handlers,
        consumer="hearer-2",
        keep=timedelta(0),
        idle_seconds=0,
    )
    platform.relay.publish()

    while platform.inbox.consume() or other.consume():
        pass
    other.consume_idle()

    assert sorted(platform.column(HANDLED)) == sorted(event_ids)


def test_deliveries_are_counted_by_result(platform: Any) -> None:
    def counts() -> dict[str, float]:
        return {
            result: metrics.REGISTRY.get_sample_value(
                "chassis_events_handled_total", {"type": "ClaimSubmitted", "result": result}
            )
            or 0.0
            for result in ("handled", "duplicate", "failed", "dead")
        }

    before = counts()
    platform.submitted()
    platform.relay.publish()
    platform.act = refuse
    platform.rounds(TRIES)
    platform.act = lambda _event: None
    platform.submitted()
    platform.make_due()
    platform.relay.publish()
    platform.rounds(0)

    gained = {result: number - before[result] for result, number in counts().items()}
    assert gained == {"handled": 1.0, "duplicate": 1.0, "failed": TRIES - 1.0, "dead": 1.0}


def test_an_inbox_reads_the_streams_that_the_contract_names(platform: Any) -> None:
    assert STREAM in platform.inbox._streams
    assert platform.inbox._streams == [
        outbox.events_stream(source) for source in contract.sources_heard_by("assessment-svc")
    ]
