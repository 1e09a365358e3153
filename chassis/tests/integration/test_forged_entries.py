"""What is written to the bus by anybody but its source is not believed, costs no true event, and shows."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis import dead_letters, metrics, outbox, watermarks
from chassis.housekeeping import Housekeeping
from chassis.inbox import TRIES
from chassis.signatures import LARGEST_BYTES
from chassis.testing import add_signed, signing_key
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from cms.scheduling.v1 import events_pb2 as scheduling_events

EVENTS, RECEIPTS = outbox.events_stream("intake-svc"), outbox.receipts_stream("intake-svc")
OTHERS_EVENTS = outbox.events_stream("scheduling-svc")
HANDLED = "SELECT event_id FROM handled"
REFUSED = "SELECT reason FROM dead_letters WHERE refused"
UNFINISHED = "SELECT event_id FROM outbox WHERE finished_time IS NULL"


def entry(named: uuid.UUID | None = None, message: Any = None, **fields: bytes | str) -> dict[str, bytes | str]:
    """An entry as a relay makes it, unsigned."""
    told = message or events_pb2.ClaimSubmitted()
    envelope = common_pb2.EventEnvelope(type=told.DESCRIPTOR.full_name, claim_ref="C0000000000A", version=1)
    envelope.payload = told.SerializeToString()
    given = {"heard_by": "assessment-svc", "created": datetime.now(UTC).isoformat()} | fields
    return {"event_id": (named or uuid.uuid4()).bytes, "envelope": envelope.SerializeToString()} | given


def published(platform: Any) -> dict[bytes, bytes]:
    """The last entry on the stream of intake."""
    [(_, fields)] = platform.bus._redis.xrevrange(platform.bus._prefix + EVENTS, count=1)
    return dict(fields)


def counted(kind: str, reason: str) -> float:
    labels = {"kind": kind, "reason": reason}
    return metrics.REGISTRY.get_sample_value("chassis_entries_refused_total", labels) or 0.0


def assert_refused(platform: Any, reason: str) -> None:
    platform.rounds(TRIES)

    assert platform.column(HANDLED) == []
    assert platform.column("SELECT event_id FROM inbox") == []
    assert platform.column("SELECT event_id FROM inbox_tries") == []
    assert platform.column(REFUSED) == [reason]
    assert platform.receipts_sent() == []
    assert platform.pending() == 0


def test_an_event_that_nobody_signed_is_refused(platform: Any) -> None:
    before = counted("event", "UNSIGNED")
    platform.bus.add(EVENTS, [entry()])

    assert_refused(platform, "UNSIGNED")
    assert counted("event", "UNSIGNED") == before + 1
    assert platform.column("SELECT type FROM dead_letters") == ["cms.intake.v1.ClaimSubmitted"]
    assert platform.column("SELECT source FROM dead_letters") == ["intake-svc"]


def test_an_event_of_one_source_on_anothers_stream_is_refused(platform: Any) -> None:
    add_signed(platform.bus, EVENTS, entry(), by="scheduling-svc")

    assert_refused(platform, "WRONG_SOURCE")


def test_an_event_that_is_not_its_signatorys_to_tell_is_refused(platform: Any) -> None:
    add_signed(platform.bus, OTHERS_EVENTS, entry(), by="scheduling-svc")

    assert_refused(platform, "WRONG_SOURCE")


def test_an_event_replayed_from_another_stream_is_refused(platform: Any) -> None:
    signed = signing_key("intake-svc").signed(OTHERS_EVENTS, entry())
    platform.bus.add(EVENTS, [signed])

    assert_refused(platform, "BAD_SIGNATURE")


@pytest.mark.parametrize("field", ["event_id", "envelope", "created", "heard_by"])
def test_an_altered_event_is_refused_and_the_true_one_handled(platform: Any, field: str) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    true = published(platform)
    other = entry(heard_by="assessment-svc,x")[field]
    platform.bus._redis.xtrim(platform.bus._prefix + EVENTS, maxlen=0)

    platform.bus.add(EVENTS, [true | {field.encode(): other}])
    assert_refused(platform, "BAD_SIGNATURE")

    platform.bus.add(EVENTS, [true])
    platform.rounds(0)
    assert platform.column(HANDLED) == [event_id]


def test_a_forged_event_does_not_take_the_place_of_the_true_one_of_its_id(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.bus.add(EVENTS, [entry(uuid.UUID(event_id))])
    platform.rounds(TRIES)

    platform.relay.publish()
    platform.rounds(0)

    assert platform.column(HANDLED) == [event_id]
    assert platform.receipts_sent() == [event_id]


def test_another_source_cannot_settle_an_event_by_its_id(platform: Any) -> None:
    [event_id] = platform.submitted()
    taken = entry(uuid.UUID(event_id), scheduling_events.AppointmentBooked())
    add_signed(platform.bus, OTHERS_EVENTS, taken, by="scheduling-svc")
    platform.rounds(TRIES)
    assert platform.column("SELECT source FROM inbox") == ["scheduling-svc"]

    platform.relay.publish()
    platform.rounds(0)
    platform.relay.receive()

    assert platform.column(UNFINISHED) == [event_id]
    assert platform.column(REFUSED) == ["EVENT_ID_TAKEN"]


def test_refused_events_hold_up_no_others(platform: Any) -> None:
    before = platform.submitted()
    platform.relay.publish()
    platform.bus.add(EVENTS, [entry(), {"": b""}, {"signature": b"", "signed_by": b"\xff"}])
    after = platform.submitted()
    platform.relay.publish()

    platform.rounds(0)

    assert sorted(platform.column(HANDLED)) == sorted(before + after)
    assert sorted(platform.column(REFUSED)) == ["UNKNOWN_KEY", "UNSIGNED", "UNSIGNED"]


def test_the_same_forged_entry_is_kept_once(platform: Any) -> None:
    platform.bus.add(EVENTS, [entry(created="x", event_id=b"e" * 16)] * 3)

    platform.rounds(0)

    assert platform.column(REFUSED) == ["UNSIGNED"]


def test_no_more_than_so_many_forged_events_are_kept(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST_REFUSED", 3)
    before = counted("event", "UNSIGNED")
    platform.bus.add(EVENTS, [entry() for _ in range(5)])

    platform.rounds(0)

    assert platform.column(REFUSED) == ["UNSIGNED"] * 3
    assert counted("event", "UNSIGNED") == before + 5


def test_nothing_is_kept_of_an_event_that_is_too_large(platform: Any) -> None:
    platform.bus.add(EVENTS, [entry(claimed=b"x" * 3 * LARGEST_BYTES)])

    platform.rounds(0)

    assert platform.column(REFUSED) == ["TOO_LARGE"]
    assert platform.column("SELECT entry FROM dead_letters") == ["None"]


def test_a_refused_event_is_removed_after_its_time_and_a_true_dead_letter_is_not(platform: Any) -> None:
    platform.bus.add(EVENTS, [entry(), entry(message=events_pb2.ClaimAmended())])
    dead_letter(platform)
    platform.execute("UPDATE dead_letters SET died_time = died_time - interval '8 days'")
    platform.bus.add(EVENTS, [entry()])
    platform.rounds(0)

    keep_house = Housekeeping(
        "assessment-svc",
        platform.housekeeping_database,
        platform.bus,
        platform.inbox._signatures,
        keep=timedelta(days=7),
        streams=[],
    )
    keep_house.prune()

    assert sorted(platform.column("SELECT reason FROM dead_letters")) == ["BAD_ENVELOPE", "UNSIGNED"]


# Dead letters.


def dead_letter(platform: Any) -> None:
    """Makes a dead letter of an event that its source signed."""
    platform.deliver(b"\xff")
    platform.rounds(TRIES)


def ask_for_replay(platform: Any) -> None:
    platform.execute("UPDATE dead_letters SET replay_wanted = true")


def test_a_forged_event_is_refused_when_its_replay_is_asked_for(platform: Any) -> None:
    platform.bus.add(EVENTS, [entry()])
    platform.rounds(0)
    ask_for_replay(platform)

    assert platform.inbox.replay()

    assert platform.column(HANDLED) == []
    assert platform.column(REFUSED) == ["UNSIGNED"]
    assert not platform.inbox.replay()


@pytest.mark.parametrize("entry_kept", ["NULL", r"'\x80'::bytea"])
def test_a_dead_letter_without_its_entry_is_refused_when_its_replay_is_asked_for(
    platform: Any, entry_kept: str
) -> None:
    dead_letter(platform)
    platform.execute(f"UPDATE dead_letters SET entry = {entry_kept}")  # noqa: S608
    ask_for_replay(platform)

    assert platform.inbox.replay()

    assert platform.column(REFUSED) == ["UNSIGNED"]


def test_an_event_whose_key_came_late_is_handled_once(platform: Any) -> None:
    [event_id] = platform.submitted()
    platform.relay.publish()
    signatures = platform.inbox._signatures
    _, signatories = signatures._files
    published = signatories.read_text()
    signatories.write_text('{"keys": []}')
    signatures._known = {}
    platform.rounds(0)
    assert platform.column(REFUSED) == ["UNKNOWN_KEY"]

    signatories.write_text(published)
    ask_for_replay(platform)
    assert platform.inbox.replay()
    assert platform.column(HANDLED) == [event_id]
    platform.make_due()
    platform.relay.publish()
    platform.rounds(0)

    assert platform.column(HANDLED) == [event_id]
    assert platform.receipts_sent() == [event_id]


# Receipts.


@pytest.mark.parametrize("signed_by", [None, "assessment-svc"])
def test_a_receipt_ends_an_event_only_for_the_service_that_signed_it(platform: Any, signed_by: str | None) -> None:
    [event_id] = platform.submitted()
    forged: list[dict[str, bytes | str]] = [
        {"event_id": uuid.UUID(event_id).bytes, "consumer": consumer} for consumer in ("assessment-svc", "la-notifier")
    ]
    if signed_by is None:
        platform.bus.add(RECEIPTS, forged)
    else:
        add_signed(platform.bus, RECEIPTS, *forged, by=signed_by)

    platform.relay.receive()

    receipted = [] if signed_by is None else [signed_by]
    assert platform.column(UNFINISHED) == [event_id]
    assert platform.column("SELECT receipted FROM outbox") == [str(receipted)]


def test_a_receipt_for_another_source_is_refused(platform: Any) -> None:
    [event_id] = platform.submitted()
    receipt: dict[str, bytes | str] = {"event_id": uuid.UUID(event_id).bytes, "consumer": "la-notifier"}
    before = counted("receipt", "BAD_SIGNATURE")
    platform.bus.add(RECEIPTS, [signing_key("la-notifier").signed("receipts:scheduling-svc", receipt)])

    platform.relay.receive()

    assert platform.column("SELECT receipted FROM outbox") == ["[]"]
    assert counted("receipt", "BAD_SIGNATURE") == before + 1


# Watermarks.


def far_away() -> dict[str, bytes | str]:
    return watermarks.entry(datetime(2099, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("signed_by", "reason"),
    [(None, "UNSIGNED"), ("scheduling-svc", "WRONG_SOURCE"), ("intake-svc", "WATERMARK_TOO_HIGH")],
)
def test_no_watermark_makes_a_new_event_drop(platform: Any, signed_by: str | None, reason: str) -> None:
    before = counted("watermark", reason)
    if signed_by is None:
        platform.bus.add(EVENTS, [far_away()])
    else:
        add_signed(platform.bus, EVENTS, far_away(), by=signed_by)
    platform.rounds(0)
    [event_id] = platform.submitted()
    platform.relay.publish()

    platform.rounds(TRIES)

    assert platform.column(HANDLED) == [event_id]
    assert platform.column("SELECT floor FROM inbox_floors") == []
    assert counted("watermark", reason) == before + 1
    assert platform.pending() == 0


@pytest.mark.parametrize(("hours", "believed"), [(0, True), (1, False)])
def test_a_watermark_is_believed_up_to_now_less_the_keeping_time(platform: Any, hours: int, *, believed: bool) -> None:
    platform.inbox._keep = timedelta(days=7)
    said = watermarks.entry(datetime.now(UTC) - timedelta(days=7) + timedelta(hours=hours))

    add_signed(platform.bus, EVENTS, said, by="intake-svc")
    platform.rounds(0)

    assert bool(platform.column("SELECT floor FROM inbox_floors")) is believed
