"""ISCS and SFCS fail in every way that the interface document names: each claim is held once, and nobody else waits.

JSAPS has tests of its own, since it does not recognise a repeat. Claims of both schemes go to both systems at once, on a
platform in July 2005, when crisis loans could be claimed. The short forms are those of the gateway's own tests, of
`test_killed_at_the_worst_moment` and of the demo.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis import clock
from chassis.testing import eventually
from cms_local import demo
from cms_local.audit import Findings, audit
from cms_local.commands.demo import DEMO_DAY
from cms_local.doors import wait_for
from cms_local.journey import GATEWAY, Journey
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.support.second_gateway import QUICK

pytestmark = [pytest.mark.xdist_group("mainframes"), pytest.mark.long]

DIALOGUES = {"iscs": "IS001", "sfcs": "SF001"}
IN_BOTH = "Income Support: a lone parent who rents"
FAILURES: Mapping[str, Mapping[str, Any]] = {
    "lose_reply": {},
    "cut_reply": {},
    "other_transfer": {},
    "announce_too_long": {},
    "close_mid_frame": {},
    "hold_late": {},
    "buffer": {"seconds": 3.0},
    "answer_late": {"seconds": 3.0},
    "hang": {},
    "system_error": {},
    "busy": {"retry_after": 1},
}
"""Each is ordered once for a claim: with a reply awaited for 2 s, that is one failed attempt or a delay."""


@pytest.fixture(scope="module")
def july_2005() -> Iterator[PlatformUnderTest]:
    """A platform whose gateway awaits a reply for two seconds."""
    with own_platform(on=DEMO_DAY.date()) as started:
        started.running.stop(GATEWAY)
        started.running.start(GATEWAY, extra=QUICK)
        started.running.wait_until_ready(names=(GATEWAY,))
        yield started


@pytest.fixture
def platform(july_2005: PlatformUnderTest) -> Iterator[PlatformUnderTest]:
    """The platform, whose stand-ins have no failures afterwards."""
    yield july_2005
    for stand_in in DIALOGUES:
        httpx.delete(control(july_2005, stand_in, "failures"), timeout=10.0).raise_for_status()


def control(platform: PlatformUnderTest, stand_in: str, path: str) -> str:
    return f"http://127.0.0.1:{platform.layout.control_port(stand_in)}/{path}"


def order(platform: PlatformUnderTest, stand_in: str, failure: str, **rule: Any) -> None:
    url = control(platform, stand_in, "failures")
    httpx.post(url, json={"failure": failure, **rule}, timeout=10.0).raise_for_status()


def fired(platform: PlatformUnderTest, stand_in: str, failure: str) -> int:
    counts = httpx.get(control(platform, stand_in, "failures/counts"), timeout=10.0).json()["counts"]
    return int(counts.get(failure, 0))


def in_both(platform: PlatformUnderTest, failure: str = "", **rule: Any) -> Journey:
    """A claim of Income Support and of a crisis loan, to whose records both systems do this once."""
    loan = platform.journey("crisis loan alone, decided without an interview").case
    plain = platform.journey(IN_BOTH).case
    failures = {
        stand_in: {"failure": failure, "dialogue": dialogue, "count": 1, **rule}
        for stand_in, dialogue in DIALOGUES.items()
        if failure
    }
    answers = {**loan.answers, **plain.answers}
    return platform.journey(IN_BOTH, answers=answers, schemes=("INCOME_SUPPORT", "CRISIS_LOAN"), failures=failures)


def confirm(platform: PlatformUnderTest, journey: Journey) -> Journey:
    journey.take_call(once_known=lambda: demo.arm_failures(platform.layout, journey))
    journey.assess()
    return journey


def confirm_all(platform: PlatformUnderTest, journeys: Sequence[Journey]) -> None:
    with ThreadPoolExecutor(4) as callers:
        list(callers.map(lambda journey: confirm(platform, journey), journeys))


def must_be_held_once(platform: PlatformUnderTest, *journeys: Journey) -> Findings:
    for journey in journeys:
        journey.wait_for_outcome(seconds=90)
    found = platform.settled_audit(*journeys)
    assert (found.lost, found.duplicates, found.half_transfers) == (0, 0, 0)
    return found


def test_a_record_is_held_once_whatever_happens_to_it(platform: PlatformUnderTest) -> None:
    before = {(stand_in, name): fired(platform, stand_in, name) for stand_in in DIALOGUES for name in FAILURES}
    journeys = [in_both(platform, name, **more) for name, more in FAILURES.items()]

    confirm_all(platform, journeys)

    found = must_be_held_once(platform, *journeys)
    assert (found.systems["ISCS"], found.systems["SFCS"]) == (len(FAILURES), len(FAILURES))
    for (stand_in, name), count in before.items():
        assert fired(platform, stand_in, name) == count + 1, (stand_in, name)


@contextmanager
def away(platform: PlatformUnderTest, stand_in: str, how: str) -> Iterator[None]:
    """A system that fails so, or that does not run at all, in the block."""
    if how == "stopped":
        platform.running.stop(stand_in)
    else:
        order(platform, stand_in, how)
    try:
        yield
    finally:
        platform.running.start(stand_in)
        platform.running.wait_until_ready(names=(stand_in,))
        httpx.delete(control(platform, stand_in, "failures"), timeout=10.0).raise_for_status()


@pytest.mark.parametrize("how", ["hang", "down", "system_error", "stopped"])
def test_the_other_systems_go_on_while_one_is_away_and_what_waited_drains(
    platform: PlatformUnderTest, how: str
) -> None:
    waiting = [platform.journey(IN_BOTH) for _ in range(6)]
    others = [platform.journey("lodger"), platform.journey("crisis loan alone, decided without an interview")]

    with away(platform, "iscs", how):
        confirm_all(platform, [*waiting, *others])
        for journey in others:
            journey.wait_for_outcome(seconds=60)
        assert not any(journey.is_accepted() for journey in waiting)

    must_be_held_once(platform, *waiting, *others)


@pytest.mark.parametrize("stand_in", DIALOGUES)
def test_a_system_that_stops_and_starts_again_holds_each_claim_once(platform: PlatformUnderTest, stand_in: str) -> None:
    order(platform, stand_in, "answer_late", seconds=1.0)
    journeys = [in_both(platform) for _ in range(4)]

    confirm_all(platform, journeys)
    for _ in range(3):
        platform.running.stop(stand_in)
        platform.running.start(stand_in)

    must_be_held_once(platform, *journeys)


def test_systems_that_flap_hold_each_claim_once(platform: PlatformUnderTest) -> None:
    before = {stand_in: fired(platform, stand_in, "down") for stand_in in DIALOGUES}
    for stand_in, dialogue in DIALOGUES.items():
        order(platform, stand_in, "down", rate=0.4, seed=7, seconds=20.0, dialogue=dialogue)  # scaled to 1 s
    journeys = [in_both(platform) for _ in range(8)]

    confirm_all(platform, journeys)

    must_be_held_once(platform, *journeys)
    assert all(fired(platform, stand_in, "down") > count for stand_in, count in before.items())


@pytest.mark.parametrize("stand_in", DIALOGUES)
def test_a_permanent_refusal_names_its_question_and_the_corrected_claim_is_held_once(
    platform: PlatformUnderTest, stand_in: str
) -> None:
    refusal = {"failure": "refuse_record", "field": "CM-TELEPHONE", "count": 1}
    journey = replace_failures(in_both(platform), {stand_in: refusal})
    confirm(platform, journey)
    wait_for(lambda: refused(journey), seconds=60, what="the refusal")

    assert {message["questionId"] for message in refused(journey)["messages"]} == {"telephone"}
    amend_telephone(platform, journey)

    wait_for(lambda: not refused(journey), seconds=60, what="acceptance of the corrected record")
    found = platform.settled_audit(journey)
    assert (found.accepted, found.lost, found.duplicates) == (1, 0, 0)


def replace_failures(journey: Journey, failures: Mapping[str, Mapping[str, Any]]) -> Journey:
    journey.case = replace(journey.case, failures=failures)
    return journey


def refused(journey: Journey) -> Any:
    """The claim's refused transfer that nothing has replaced, if there is one."""
    standing = {system["state"] for system in journey.transfers()["systems"]}
    rejected = [one for one in journey.transfers()["transfers"] if one["state"] == "TRANSFER_STATE_REJECTED"]
    return rejected[-1] if "TRANSFER_STATE_REJECTED" in standing else None


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


DEATHS = ("link.after_send", "transfer.after_reply", "transfer.before_first_byte", "transfer.after_storing")


@contextmanager
def dying_at(platform: PlatformUnderTest, point: str) -> Iterator[None]:
    platform.start_to_die(GATEWAY, point, extra=QUICK)
    yield
    platform.wait_for_death(GATEWAY)
    platform.running.start(GATEWAY, extra=QUICK)


@pytest.mark.parametrize("point", DEATHS)
def test_a_record_is_held_once_when_its_sender_dies(platform: PlatformUnderTest, point: str) -> None:
    with dying_at(platform, point):
        journey = confirm(platform, in_both(platform))

    must_be_held_once(platform, journey)


def test_one_claims_failure_at_a_system_does_not_hold_up_another(platform: PlatformUnderTest) -> None:
    bad = in_both(platform)
    for stand_in, dialogue in DIALOGUES.items():
        bad = replace_failures(bad, {**bad.case.failures, stand_in: {"failure": "hang", "dialogue": dialogue}})
    good = [in_both(platform) for _ in range(3)]

    confirm(platform, bad)
    confirm_all(platform, good)

    must_be_held_once(platform, *good)
    states = {system["state"] for system in bad.transfers()["systems"]}
    assert states <= {"TRANSFER_STATE_UNKNOWN", "TRANSFER_STATE_SENDING", "TRANSFER_STATE_WAITING"}
    for stand_in in DIALOGUES:
        httpx.delete(control(platform, stand_in, "failures"), timeout=10.0).raise_for_status()
    eventually(bad.is_accepted, seconds=60, what="the claim that was held up")


def test_records_lost_overnight_by_each_system_are_held_again_by_the_days_balance(platform: PlatformUnderTest) -> None:
    lost = {"failure": "lose_overnight", "count": 1}
    carried = [
        replace_failures(in_both(platform), dict.fromkeys(DIALOGUES, lost)),
        platform.journey("lodger", failures={"jsaps": {**lost, "dialogue": "BA504"}}),
    ]
    confirm_all(platform, carried)
    must_be_held_once(platform, *carried)

    clock.advance(timedelta(days=1))
    refs = {journey.claim_ref for journey in carried}
    assert audit(platform.layout, only=refs).accepted == 0
    clock.advance(timedelta(days=2))

    eventually(lambda: audit(platform.layout, only=refs).sound, seconds=120, what="what was lost, held again")
    must_be_held_once(platform, *carried)
