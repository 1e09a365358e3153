"""CMS-COTS fails in every way that the interface document names: each application is held once, and nobody else waits.

The short forms are the gateway's own tests, which speak to the same stand-in, and the demo.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing import eventually
from cms_local import demo
from cms_local.journey import GATEWAY, Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.second_gateway import QUICK

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.long]

COTS = "cms-cots"
TITLE = "child maintenance for a parent with care, by a caseworker alone"
FAILURES: Mapping[str, Mapping[str, Any]] = {
    "answer_late": {"seconds": 3.0},
    "close_mid_request": {},
    "cut_reply": {},
    "endless_body": {"seconds": 0.0},
    "garble": {},
    "hang": {},
    "lose_reply": {},
    "slow_body": {"seconds": 60.0},
    "system_error": {},
    "too_many": {"retry_after": 1},
    "unavailable": {"retry_after": 1},
}
"""Each is ordered once for a claim: with an answer awaited for 2 s, that is one failed attempt or a delay."""
DEATHS = ("transfer.before_first_byte", "transfer.after_reply", "transfer.after_storing")


@pytest.fixture(scope="module")
def quick(platform_under_test: PlatformUnderTest) -> Iterator[PlatformUnderTest]:
    """The platform, whose gateway awaits an answer for two seconds."""
    restart_gateway(platform_under_test, QUICK)
    yield platform_under_test
    restart_gateway(platform_under_test, {})


@pytest.fixture
def platform(quick: PlatformUnderTest) -> Iterator[PlatformUnderTest]:
    """The platform, whose CMS-COTS has no failures afterwards."""
    yield quick
    httpx.delete(control(quick, "failures"), timeout=10.0).raise_for_status()


def restart_gateway(platform: PlatformUnderTest, extra: Mapping[str, str]) -> None:
    platform.running.stop(GATEWAY)
    platform.running.start(GATEWAY, extra=extra)
    platform.running.wait_until_ready(names=(GATEWAY,))


def control(platform: PlatformUnderTest, path: str) -> str:
    return f"http://127.0.0.1:{platform.layout.control_port(COTS)}/{path}"


def order(platform: PlatformUnderTest, failure: str, **rule: Any) -> None:
    httpx.post(control(platform, "failures"), json={"failure": failure, **rule}, timeout=10.0).raise_for_status()


def fired(platform: PlatformUnderTest) -> Mapping[str, int]:
    counts: Mapping[str, int] = httpx.get(control(platform, "failures/counts"), timeout=10.0).json()["counts"]
    return counts


def application(platform: PlatformUnderTest, failure: str = "", **rule: Any) -> Journey:
    """A claim whose application meets this failure once."""
    failures = {COTS: {"failure": failure, "call": "POST", "count": 1, **rule}} if failure else {}
    return platform.journey(TITLE, failures=failures)


def confirm(platform: PlatformUnderTest, *journeys: Journey) -> None:
    def one(journey: Journey) -> None:
        journey.take_call(once_known=lambda: demo.arm_failures(platform.layout, journey))
        journey.assess()

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(one, journeys))


def must_be_held_once(platform: PlatformUnderTest, journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        journey.wait_for_outcome(seconds=90)
    found = platform.settled_audit(*journeys)
    assert (found.accepted, found.lost, found.duplicates, found.half_transfers) == (len(journeys), 0, 0, 0), found


def test_an_application_is_held_once_whatever_happens_to_it(platform: PlatformUnderTest) -> None:
    before = dict(fired(platform))
    journeys = [application(platform, failure, **rule) for failure, rule in FAILURES.items()]

    confirm(platform, *journeys)

    must_be_held_once(platform, journeys)
    assert {name: fired(platform)[name] - before.get(name, 0) for name in FAILURES} == dict.fromkeys(FAILURES, 1)


@contextmanager
def away(platform: PlatformUnderTest, how: str) -> Iterator[None]:
    """CMS-COTS fails so, or does not run at all, in the block."""
    if how == "stopped":
        platform.running.stop(COTS)
    else:
        order(platform, how, **({"seconds": 0.5} if how == "endless_body" else {}))
    try:
        yield
    finally:
        platform.running.start(COTS)
        platform.running.wait_until_ready(names=(COTS,))
        httpx.delete(control(platform, "failures"), timeout=10.0).raise_for_status()


@pytest.mark.parametrize("how", ["hang", "endless_body", "unavailable", "refuse", "stopped"])
def test_the_other_systems_go_on_while_it_is_away_and_what_waited_drains(platform: PlatformUnderTest, how: str) -> None:
    waiting = [application(platform) for _ in range(6)]
    others = [platform.journey("lodger"), platform.journey("Income Support: a lone parent who rents")]

    with away(platform, how):
        confirm(platform, *waiting, *others)
        for journey in others:
            journey.wait_for_outcome(seconds=60)

    must_be_held_once(platform, [*waiting, *others])


@pytest.mark.parametrize("point", DEATHS)
def test_an_application_is_held_once_when_its_sender_dies(platform: PlatformUnderTest, point: str) -> None:
    platform.start_to_die(GATEWAY, point, extra=QUICK)
    journey = application(platform)
    confirm(platform, journey)
    platform.wait_for_death(GATEWAY)
    platform.running.start(GATEWAY, extra=QUICK)

    must_be_held_once(platform, [journey])


def test_a_refusal_names_its_question_and_the_corrected_application_is_held_once(platform: PlatformUnderTest) -> None:
    journey = application(platform, "refuse_application", field="applicant.telephone")
    confirm(platform, journey)
    eventually(lambda: states(journey) == ["REJECTED"], seconds=60, what="the refusal")

    [refused] = journey.transfers()["transfers"]
    assert {message["questionId"] for message in refused["messages"]} == {"telephone"}
    amend_telephone(platform, journey)

    eventually(lambda: states(journey)[-1] == "ACCEPTED", seconds=60, what="acceptance of the corrected application")
    found = platform.settled_audit(journey)
    assert (found.accepted, found.lost, found.duplicates) == (1, 0, 0)


def test_a_change_of_what_is_held_is_left_to_a_caseworker(platform: PlatformUnderTest) -> None:
    journey = application(platform)
    confirm(platform, journey)
    journey.wait_for_outcome(seconds=60)

    amend_telephone(platform, journey)

    eventually(lambda: states(journey) == ["ACCEPTED", "CLERICAL"], seconds=60, what="the change is a person's")
    found = platform.settled_audit(journey)
    assert (found.lost, found.duplicates) == (0, 0)


def states(journey: Journey) -> list[str]:
    return [one["state"].removeprefix("TRANSFER_STATE_") for one in journey.transfers()["transfers"]]


def amend_telephone(platform: PlatformUnderTest, journey: Journey) -> None:
    support = journey.issue("SUPPORT", subject="SU000001")
    found = platform.doors.call("intake-svc", "GetClaim", {"claimRef": journey.claim_ref}, token=support)["claim"]
    correction = {
        "claimRef": journey.claim_ref,
        "answers": [{"questionId": "telephone", "value": "01632 960999"}],
        "version": found["version"],
        "reason": "As the claimant said when asked again",
        "requestId": str(uuid4()),
    }
    officer = journey.issue("PROCESSING_OFFICER", subject="PO000001")
    work = f"work item {journey.claim_ref}"
    platform.doors.call("intake-svc", "AmendAnswers", correction, token=officer, purpose=work)
