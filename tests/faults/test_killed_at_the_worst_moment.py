"""Claims come through whichever process dies while a record is being sent and events are open."""

import signal

import pytest
import redis

from chassis.testing import eventually
from cms_local import demo
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("faults")


def a_transfer_is_sending(platform: PlatformUnderTest, claim_ref: str) -> bool:
    query = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'SENDING'"
    return platform.count("legacy-gateway", query, claim_ref) > 0


def events_are_open(platform: PlatformUnderTest, claim_ref: str) -> bool:
    query = "SELECT count(*) FROM outbox WHERE claim_ref = %s AND finished_time IS NULL"
    return platform.count("intake-svc", query, claim_ref) > 0


def reach_the_moment(platform: PlatformUnderTest, silent: str) -> tuple[Journey, Journey]:
    """Makes a claim whose first phase is on the wire, and one of whose first contact `silent` has not heard.

    ISCS will lose its first reply about the second claim.
    """
    sent = platform.journey(
        "single, council tenant",
        failures={"jsaps": {"failure": "answer_late", "dialogue": "ES504", "seconds": 6.0, "count": 1}},
    )
    told = platform.journey(
        "Income Support: a lone parent who rents",
        failures={"iscs": {"failure": "lose_reply", "dialogue": "IS001", "count": 1}},
    )
    sent.take_call(once_known=lambda: demo.arm_failures(platform.layout, sent))
    platform.running.stop(silent)
    told.start_call()
    demo.arm_failures(platform.layout, told)
    told.answer(told.case.answers)
    sent.assess()
    eventually(lambda: a_transfer_is_sending(platform, sent.claim_ref), what="a transfer in SENDING")
    return sent, told


def finish(platform: PlatformUnderTest, sent: Journey, told: Journey) -> None:
    told.book()
    told.submit()
    told.assess()
    sent.wait_for_outcome()
    told.wait_for_outcome()


@pytest.mark.parametrize("victim", SERVICES)
def test_claims_come_through_when_a_service_is_killed_while_it_sends(
    platform_under_test: PlatformUnderTest, victim: str
) -> None:
    platform = platform_under_test
    silent = "la-notifier" if victim == "scheduling-svc" else "scheduling-svc"
    sent, told = reach_the_moment(platform, silent)

    assert a_transfer_is_sending(platform, sent.claim_ref)
    assert events_are_open(platform, told.claim_ref)
    platform.running.stop(victim, number=signal.SIGKILL)
    for name in (victim, silent):
        platform.running.start(name)
    finish(platform, sent, told)

    findings = platform.settled_audit(sent, told)
    assert (findings.accepted, findings.half_transfers, findings.lost, findings.duplicates) == (2, 0, 0, 0)


def test_claims_come_through_when_the_bus_is_emptied_while_a_transfer_is_sent(
    platform_under_test: PlatformUnderTest,
) -> None:
    platform = platform_under_test
    sent, told = reach_the_moment(platform, "scheduling-svc")

    assert a_transfer_is_sending(platform, sent.claim_ref)
    assert events_are_open(platform, told.claim_ref)
    with redis.Redis(port=platform.layout.bus_port) as bus:
        assert bus.dbsize() > 0
        bus.flushall()
    platform.running.start("scheduling-svc")
    finish(platform, sent, told)

    findings = platform.settled_audit(sent, told)
    assert (findings.accepted, findings.half_transfers, findings.lost, findings.duplicates) == (2, 0, 0, 0)
