"""Events that gathered are taken in one transaction, and one that fails takes no other along."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from chassis import outbox, watermarks
from chassis.database import Connection
from chassis.errors import FailedPrecondition, Unavailable
from chassis.inbox import TRIES, Event
from chassis.testing import add_signed

HANDLED = "SELECT event_id FROM handled"
DEAD = "SELECT reason FROM dead_letters WHERE replayed_time IS NULL"
INBOX = "SELECT event_id FROM inbox"
STREAM = outbox.events_stream("intake-svc")
RECEIPTS = outbox.receipts_stream("intake-svc")


@pytest.mark.parametrize("defect", ["refusal", "bug", "hidden failure"])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_failing_event_takes_no_other_along(platform: Any, defect: str, place: int) -> None:
    others = platform.submitted(5)
    failing = others.pop(place)

    def fail(conn: Connection, event: Event) -> None:
        platform.handle(conn, event)
        if str(event.event_id) != failing:
            return
        if defect != "hidden failure":
            raise FailedPrecondition("NOT_SO", "refused") if defect == "refusal" else ZeroDivisionError()
        with suppress(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")

    platform.inbox._handlers["ClaimSubmitted"] = fail
    platform.relay.publish()

    platform.rounds(0)

    assert sorted(platform.column(HANDLED)) == sorted(others)
    assert platform.pending() == 1


def refuse(_event: Any) -> None:
    raise FailedPrecondition("NOT_SO", "refused")


def test_an_event_whose_try_cannot_be_counted_takes_no_other_along(platform: Any) -> None:
    failing, *others = platform.submitted(5)
    platform.act = lambda event: refuse(event) if str(event.event_id) == failing else None
    platform.relay.publish()

    with platform.locked("inbox_tries"):
        platform.rounds(0)

    assert sorted(platform.column(HANDLED)) == sorted(others)
    platform.rounds(TRIES)
    assert platform.column(DEAD) == ["NOT_SO"]


@pytest.mark.parametrize("place", [0, 2, 4])
def test_an_event_that_ends_its_connection_takes_no_other_along_for_good(platform: Any, place: int) -> None:
    others = platform.submitted(5)
    failing = others.pop(place)

    def end(conn: Connection, event: Event) -> None:
        platform.handle(conn, event)
        if str(event.event_id) == failing:
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    platform.inbox._handlers["ClaimSubmitted"] = end
    platform.relay.publish()
    with pytest.raises(psycopg.OperationalError):
        platform.rounds(0)

    platform.inbox.consume_idle()

    assert sorted(platform.column(HANDLED)) == sorted(others)
    assert platform.pending() == 1


def test_a_watermark_that_cannot_be_kept_takes_no_event_along(platform: Any) -> None:
    add_signed(platform.bus, STREAM, watermarks.entry(datetime(2020, 1, 1, tzinfo=UTC)), by="intake-svc")
    event_ids = platform.submitted(2)
    platform.relay.publish()

    with platform.locked("inbox_floors IN EXCLUSIVE MODE"):
        platform.rounds(0)

    assert sorted(platform.column(HANDLED)) == sorted(event_ids)
    platform.rounds(1)
    assert platform.column("SELECT source FROM inbox_floors") == ["intake-svc"]
    assert platform.pending() == 0


def test_an_event_that_failed_leaves_no_lock_held_for_those_behind_it(platform: Any) -> None:
    platform.submitted(3)
    platform.relay.publish()
    committed: list[int] = []

    def fail_at_the_second(_event: Any) -> None:
        committed.append(len(platform.column(HANDLED)))
        if len(committed) == 2:
            raise Unavailable("AWAY", "away")

    platform.act = fail_at_the_second

    platform.rounds(0)

    assert committed == [0, 0, 1]


def test_events_that_gathered_are_taken_in_one_transaction(platform: Any) -> None:
    platform.submitted(20)
    platform.relay.publish()

    platform.rounds(0)

    assert len(platform.column(HANDLED)) == 20
    assert len(platform.column("SELECT DISTINCT transaction FROM handled")) == 1
