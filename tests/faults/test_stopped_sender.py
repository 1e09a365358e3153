"""A gateway that is stopped, killed or cut off while its record lies in JSAPS's queue: the record is never held twice.

JSAPS processes a queued record only when its connection has closed. A stopped process keeps its connections open, so
until it is known to be gone, or says that it has closed them, "not known" proves nothing.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.testing import HTTP, eventually
from cms_local import demo
from cms_local.journey import Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.second_gateway import GATEWAY, QUICK, Second

pytestmark = pytest.mark.xdist_group("faults")

QUEUED = {"failure": "buffer", "dialogue": "ES504", "seconds": 600, "count": 1}
SWALLOWED = {"failure": "hang", "dialogue": "ES504", "count": 1}
"""Read and neither held nor answered."""


def failures_fired(platform: PlatformUnderTest, failure: str, stand_in: str = "jsaps") -> int:
    port = platform.layout.control_port(stand_in)
    counts = HTTP.get(f"http://127.0.0.1:{port}/failures/counts", timeout=10.0).json()["counts"]
    return int(counts.get(failure, 0))


def first_phase(platform: PlatformUnderTest, journey: Journey) -> tuple[str, int, Any]:
    """The state, the attempts and the next attempt of the claim's first phase."""
    [row] = platform.rows(
        GATEWAY,
        "SELECT state, attempts, next_attempt_time FROM transfers WHERE claim_ref = %s AND phase = 1",
        journey.claim_ref,
    )
    return row[0], row[1], row[2]


def with_jsaps(platform: PlatformUnderTest, failure: dict[str, Any]) -> Journey:
    """A confirmed claim whose first phase is with JSAPS, which does this to it."""
    journey = platform.journey("single, council tenant", failures={"jsaps": failure})
    before = failures_fired(platform, failure["failure"])
    journey.take_call(once_known=lambda: demo.arm_failures(platform.layout, journey))
    journey.assess()
    eventually(lambda: failures_fired(platform, failure["failure"]) > before, seconds=30, what="the record at JSAPS")
    return journey


@contextmanager
def stopped(platform: PlatformUnderTest) -> Iterator[None]:
    """The platform's own gateway stands still in the block, as a frozen container does."""
    pid = platform.running.running[GATEWAY].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_until_unknown(platform: PlatformUnderTest, journey: Journey) -> None:
    """The other gateway has found the transfer."""
    eventually(lambda: first_phase(platform, journey)[0] == "UNKNOWN", seconds=40, what="an unknown transfer")


def wait_until_asked(platform: PlatformUnderTest, journey: Journey, *, times: int) -> None:
    """JSAPS was asked so often, and nothing was sent again."""
    seen = set()

    def asked() -> bool:
        state, attempts, due = first_phase(platform, journey)
        assert (state, attempts) == ("UNKNOWN", 1)
        seen.add(due)
        return len(seen) > times

    eventually(asked, seconds=30, what=f"{times} enquiries")


def assert_paid_once(platform: PlatformUnderTest, journey: Journey) -> None:
    journey.wait_for_outcome()
    found = platform.settled_audit(journey)
    assert (found.accepted, found.half_transfers, found.lost, found.duplicates) == (1, 0, 0, 0)


def nothing_else(_: PlatformUnderTest) -> None:
    """The sender is stopped, and that is all."""


def restart_postgres(platform: PlatformUnderTest) -> None:
    platform.running.stop("postgres")
    platform.running.start("postgres")


def kill_postgres(platform: PlatformUnderTest) -> None:
    platform.running.stop("postgres", number=signal.SIGKILL)
    platform.running.start("postgres")


def end_every_session(platform: PlatformUnderTest) -> None:
    url = f"postgresql://postgres@127.0.0.1:{platform.layout.postgres_port}/postgres"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'gateway'")


@pytest.mark.parametrize(
    "meanwhile",
    [
        restart_postgres,
        pytest.param(nothing_else, marks=pytest.mark.long),
        pytest.param(kill_postgres, marks=pytest.mark.long),
        pytest.param(end_every_session, marks=pytest.mark.long),
    ],
)
def test_a_record_is_not_sent_again_while_its_sender_is_stopped(
    platform_under_test: PlatformUnderTest, second: Second, meanwhile: Callable[[PlatformUnderTest], None]
) -> None:
    platform = platform_under_test
    journey = with_jsaps(platform, QUEUED)

    with stopped(platform):
        second.start()
        wait_until_unknown(platform, journey)
        meanwhile(platform)
        wait_until_asked(platform, journey, times=4)

    assert_paid_once(platform, journey)
    assert first_phase(platform, journey)[:2] == ("ACCEPTED", 1)


def test_a_sender_stopped_before_its_first_byte_sends_nothing_when_it_goes_on(
    platform_under_test: PlatformUnderTest, second: Second
) -> None:
    platform = platform_under_test
    platform.running.stop(GATEWAY)
    platform.running.start(GATEWAY, extra={**QUICK, "STOP_AT": "transfer.before_first_byte"})
    journey = platform.journey("single, council tenant")
    journey.take_call()
    journey.assess()
    sending = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'SENDING'"
    eventually(
        lambda: platform.count(GATEWAY, sending, journey.claim_ref) == 1, seconds=30, what="a transfer in SENDING"
    )

    second.start()
    wait_until_unknown(platform, journey)
    wait_until_asked(platform, journey, times=4)
    os.kill(platform.running.running[GATEWAY].pid, signal.SIGCONT)

    assert_paid_once(platform, journey)
    assert first_phase(platform, journey)[:2] == ("ACCEPTED", 2)


@pytest.mark.long
def test_a_system_that_recognises_a_repeat_is_sent_it_while_the_first_sender_is_stopped(
    platform_under_test: PlatformUnderTest, second: Second
) -> None:
    platform = platform_under_test
    queued = {**QUEUED, "dialogue": "IS001"}
    journey = platform.journey("Income Support: a lone parent who rents", failures={"iscs": queued})
    journey.take_call(once_known=lambda: demo.arm_failures(platform.layout, journey))
    journey.assess()
    eventually(lambda: failures_fired(platform, "buffer", "iscs") == 1, seconds=30, what="the record at ISCS")

    with stopped(platform):
        second.start()
        eventually(lambda: first_phase(platform, journey)[:2] == ("ACCEPTED", 2), seconds=60, what="acceptance")

    assert_paid_once(platform, journey)


@pytest.mark.parametrize(("failure", "attempts"), [(QUEUED, 1), (SWALLOWED, 2)], ids=["held", "not held"])
@pytest.mark.parametrize(
    "with_postgres", [False, pytest.param(True, marks=pytest.mark.long)], ids=["alone", "with PostgreSQL"]
)
def test_the_record_of_a_killed_sender_is_recovered_by_itself(
    platform_under_test: PlatformUnderTest,
    second: Second,
    failure: dict[str, Any],
    attempts: int,
    with_postgres: bool,  # noqa: FBT001
) -> None:
    platform = platform_under_test
    journey = with_jsaps(platform, failure)

    platform.running.stop(GATEWAY, number=signal.SIGKILL)
    killed = time.monotonic()
    if with_postgres:
        kill_postgres(platform)
    platform.running.start(GATEWAY, extra=QUICK)

    assert_paid_once(platform, journey)
    print(f"recovered {time.monotonic() - killed:.1f} s after the kill")  # noqa: T201
    assert first_phase(platform, journey)[:2] == ("ACCEPTED", attempts)


@pytest.mark.long
def test_a_double_that_a_stopped_sender_causes_is_found_by_the_days_balance(
    platform_under_test: PlatformUnderTest, second: Second
) -> None:
    """A device on the way closed the lock's session towards the server alone, which takes the process for gone (ADR 22)."""
    platform = platform_under_test
    journey = with_jsaps(platform, QUEUED)
    [(transfer_id, sender_id)] = platform.rows(
        GATEWAY, "SELECT transfer_id, sender_id FROM transfers WHERE claim_ref = %s AND phase = 1", journey.claim_ref
    )

    with stopped(platform):
        second.start()
        wait_until_unknown(platform, journey)
        platform.execute(
            GATEWAY, "UPDATE senders SET gone_time = statement_timestamp() WHERE sender_id = %s", sender_id
        )
        eventually(lambda: first_phase(platform, journey)[0] == "ACCEPTED", seconds=60, what="the record sent again")
    officer = journey.issue("PROCESSING_OFFICER", subject="PO000001")

    def doubled() -> list[Any]:
        today = clock.today()
        day = {"year": today.year, "month": today.month, "day": today.day}
        body = {"system": "SYSTEM_JSAPS", "date": day, "requestId": str(uuid4())}
        balance = platform.doors.call(GATEWAY, "Reconcile", body, token=officer)["balance"]
        return [one for one in balance["unknownHere"] if one["transferId"] == transfer_id]

    eventually(doubled, seconds=60, what="the double")
    [found] = doubled()
    assert (found["kind"], found["state"]) == ("DIFFERENCE_KIND_HELD_TWICE", "DIFFERENCE_STATE_OPEN")
    assert (found["owner"], found["claimRef"]) == ("ROLE_PROCESSING_OFFICER", journey.claim_ref)
