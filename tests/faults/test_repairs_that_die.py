"""A person's act with refused transfers is done once for each of them when the gateway dies in the middle of it."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing import eventually
from cms_local import demo
from cms_local.journey import GATEWAY, Journey
from tests.support.platforms import PlatformUnderTest

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.long]

CORRECTING, ACTING = "corrections.after_amendment", "bulk_act.before_commit"
"""The crash points that test_crash_points leaves to this file."""
WHY = {"reason": "said again on the telephone"}


def refused_by_iscs(platform: PlatformUnderTest) -> Journey:
    refusal = {"failure": "refuse_record", "count": 1}
    title = "Income Support: a lone parent who rents"
    journey = platform.journey(title, failures={"iscs": refusal})
    journey.take_call(once_known=partial(demo.arm_failures, platform.layout, journey))
    journey.assess()
    eventually(lambda: states(journey) == ["TRANSFER_STATE_REJECTED"], seconds=60, what="the refusal")
    return journey


def states(journey: Journey) -> list[str]:
    return [system["state"] for system in journey.transfers()["systems"]]


def must_be_held_once(platform: PlatformUnderTest, journeys: Sequence[Journey]) -> None:
    accepted = [["TRANSFER_STATE_ACCEPTED"]] * len(journeys)
    eventually(lambda: list(map(states, journeys)) == accepted, seconds=60, what="acceptance")
    found = platform.settled_audit(*journeys)
    assert (found.accepted, found.lost, found.duplicates) == (len(journeys), 0, 0)


def restart(platform: PlatformUnderTest) -> None:
    platform.wait_for_death(GATEWAY)
    platform.running.start(GATEWAY)
    platform.running.wait_until_ready(names=(GATEWAY,))


def test_one_correction_of_two_claims_is_made_once_in_each(platform_under_test: PlatformUnderTest) -> None:
    platform = platform_under_test
    journeys = [refused_by_iscs(platform) for _ in range(2)]
    officer = journeys[0].issue("PROCESSING_OFFICER", subject="PO000001")
    before = [version_of(platform, journey) for journey in journeys]
    body: dict[str, Any] = {
        "transferIds": [journey.transfers()["transfers"][0]["transferId"] for journey in journeys],
        "corrections": [{"questionId": "telephone", "value": "01632 960999"}],
        "requestId": str(uuid4()),
        **WHY,
    }

    platform.start_to_die(GATEWAY, CORRECTING)
    platform.running.wait_until_ready(names=(GATEWAY,))
    with pytest.raises(httpx.TransportError):
        platform.doors.once(GATEWAY, "CorrectTransfers", body, token=officer)
    restart(platform)
    answer = platform.doors.call(GATEWAY, "CorrectTransfers", body, token=officer)

    assert len(answer["results"]) == 2
    assert [version_of(platform, journey) - version for journey, version in zip(journeys, before, strict=True)] == [
        1,
        1,
    ]
    must_be_held_once(platform, journeys)


def version_of(platform: PlatformUnderTest, journey: Journey) -> int:
    token = journey.issue("SUPPORT", subject="SU000001")
    found = platform.doors.call("intake-svc", "GetClaim", {"claimRef": journey.claim_ref}, token=token)["claim"]
    return int(found["version"])


def test_an_act_with_many_transfers_goes_on_where_it_ended(platform_under_test: PlatformUnderTest) -> None:
    platform = platform_under_test
    journeys = [refused_by_iscs(platform) for _ in range(2)]
    officer = journeys[0].issue("PROCESSING_OFFICER", subject="PO000001")
    chosen = {"filter": {"state": "TRANSFER_STATE_REJECTED", "system": "SYSTEM_ISCS"}, "rate": 600}

    platform.start_to_die(GATEWAY, ACTING)
    platform.running.wait_until_ready(names=(GATEWAY,))
    body = {**chosen, **WHY, "requestId": str(uuid4())}
    begun = platform.doors.call(GATEWAY, "RetryTransfer", body, token=officer)["bulkAct"]
    restart(platform)

    must_be_held_once(platform, journeys)
    listed = platform.doors.call(GATEWAY, "ListBulkActs", {}, token=officer)["bulkActs"]
    [act] = [one for one in listed if one["actId"] == begun["actId"]]
    assert sum(counted["count"] for counted in act["counts"]) == act["total"] >= 2
