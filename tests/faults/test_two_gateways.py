"""Nothing is paid twice when one of two gateways is stopped or killed while it sends."""

import os
import signal
from dataclasses import replace

import pytest

from chassis.testing import eventually
from cms_local import demo
from cms_local.journey import Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.second_gateway import GATEWAY, QUICK, Second

pytestmark = pytest.mark.xdist_group("faults")


def sending(platform: PlatformUnderTest, journey: Journey) -> None:
    """Brings a claim to the point where JSAPS holds its first phase and delays the reply."""
    case = replace(
        journey.case, failures={"jsaps": {"failure": "answer_late", "dialogue": "ES504", "seconds": 1.5, "count": 1}}
    )
    journey.case = case
    journey.take_call(once_known=lambda: demo.arm_failures(platform.layout, journey))
    journey.assess()
    query = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'SENDING'"
    eventually(lambda: platform.count(GATEWAY, query, journey.claim_ref) == 1, what="a transfer in SENDING")


def assert_paid_once(platform: PlatformUnderTest, *journeys: Journey) -> None:
    for journey in journeys:
        journey.wait_for_outcome()
    found = platform.settled_audit(*journeys)
    assert (found.accepted, found.half_transfers, found.lost, found.duplicates) == (len(journeys), 0, 0, 0)


def test_a_gateway_that_was_frozen_while_it_sent_changes_nothing_when_it_wakes(
    platform_under_test: PlatformUnderTest, second: Second
) -> None:
    platform = platform_under_test
    journey = platform.journey("single, council tenant")
    sending(platform, journey)
    frozen = platform.running.running[GATEWAY].pid

    os.kill(frozen, signal.SIGSTOP)
    try:
        second.start()
        query = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'ACCEPTED'"
        eventually(lambda: platform.count(GATEWAY, query, journey.claim_ref) == 2, seconds=60, what="both phases")
    finally:
        os.kill(frozen, signal.SIGCONT)

    assert_paid_once(platform, journey)


@pytest.mark.long
def test_every_claim_is_paid_once_when_one_of_two_gateways_is_killed_while_it_sends(
    platform_under_test: PlatformUnderTest, second: Second
) -> None:
    platform = platform_under_test
    second.start()
    others = [platform.journey(title) for title in ("lodger", "single, council tenant")]
    first = platform.journey("single, council tenant")
    sending(platform, first)

    platform.running.stop(GATEWAY, number=signal.SIGKILL)
    for journey in others:
        journey.take_call()
        journey.assess()
    platform.running.start(GATEWAY, extra=QUICK)

    assert_paid_once(platform, first, *others)
