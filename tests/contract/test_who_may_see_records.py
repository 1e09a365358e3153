"""The gateway's records by either door: who is shown a refusal or a check, what it shows, and what is logged."""

from typing import get_args

import pytest

from chassis import contract
from chassis.testing import eventually
from cms_local import demo
from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from tests.support.callers import bearer, is_silent, logged, other_office, own_office
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Door, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)
OF_THE_GATEWAY = {"GetTransfers", "ListTransfers"}
"""Methods by which the gateway shows the broken rule of a record."""


ENTITLED_OTHERWISE = {"GetTransfers": {"OPERATOR", "CASEWORKER"}}
"""Roles that see a claim's transfers in their own open call, or of other schemes."""


@pytest.fixture(scope="module")
def refused(platform_under_test: PlatformUnderTest) -> Journey:
    """A confirmed claim that JSAPS refused with a text that quotes the record."""
    quoting = {"field": "CM-ACCOUNT-NUMBER", "text": "55779911 OF ABBOT UNKNOWN"}
    failure = {"failure": "refuse_record", "dialogue": "ES504", "count": 1, **quoting}
    journey = platform_under_test.journey("single, council tenant", failures={"jsaps": failure})
    journey.take_call(once_known=lambda: demo.arm_failures(platform_under_test.layout, journey))
    journey.assess()
    query = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'REJECTED'"
    eventually(lambda: platform_under_test.count("legacy-gateway", query, journey.claim_ref), seconds=30)
    return journey


def test_the_matrix_covers_every_gateway_method_that_could_show_answers() -> None:
    showing = {
        name
        for name, method in methods().items()
        if method.containing_service.full_name == SERVICE_NAMES["legacy-gateway"]
        and contract.may_hold_personal(method.output_type)
    }

    assert showing == OF_THE_GATEWAY | {"CheckRecord", "GetAcceptedRecord"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("method", "role"),
    [
        (method, role)
        for method in sorted(OF_THE_GATEWAY)
        for role in sorted(contract.allowed_roles(methods()[method]) - ENTITLED_OTHERWISE.get(method, set()))
    ],
)
def test_staff_see_the_broken_rule_but_never_the_words_of_the_system(
    *, platform_under_test: PlatformUnderTest, raw: RawDoors, refused: Journey, door: Door, method: str, role: str
) -> None:
    subject = f"T{role[:4]}{door[:3].upper()}"
    before = logged(platform_under_test, "legacy-gateway", method, "SHOWN", subject)
    asked = {"ListTransfers": {"state": "TRANSFER_STATE_REJECTED", "code": "ES0090", "pageSize": 200}}

    given = raw.ask(
        door,
        method,
        asked.get(method, {"claimRef": refused.claim_ref}),
        **bearer(refused, role, subject, office=own_office(refused)),
        cms_purpose=refused.work_item,
    )

    assert given.body is not None, given
    of_claim = [one for one in given.body["transfers"] if one["claimRef"] == refused.claim_ref]
    [message] = of_claim[0]["messages"]
    assert (message["code"], message["field"], message["questionId"]) == (
        "ES0090",
        "CM-ACCOUNT-NUMBER",
        "account_number",
    )
    assert is_silent(given)
    assert "ABBOT" not in given.text.upper()
    claims = {one["claimRef"] for one in given.body["transfers"] if one["messages"]}
    assert logged(platform_under_test, "legacy-gateway", method, "SHOWN", subject) == before + len(claims)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", sorted(contract.allowed_roles(methods()["CheckRecord"])))
def test_a_check_of_the_records_is_logged_and_shows_no_answer(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, door: Door, role: str
) -> None:
    subject = "intake-svc" if role == "SERVICE" else f"C{role[:4]}{door[:3].upper()}"
    before = logged(platform_under_test, "legacy-gateway", "CheckRecord", "SHOWN", subject)

    given = raw.ask(
        door, "CheckRecord", {"claimRef": claim.claim_ref}, **bearer(claim, role, subject, office=other_office(claim))
    )

    assert given.body is not None, given
    assert given.body.get("problems", []) == []
    assert is_silent(given)
    assert logged(platform_under_test, "legacy-gateway", "CheckRecord", "SHOWN", subject) == before + 1


def test_the_interview_shows_that_its_records_could_be_sent(raw: RawDoors, claim: Journey) -> None:
    assessor = bearer(claim, "ASSESSOR", office=own_office(claim)) | {"cms-purpose": f"work item {claim.claim_ref}"}

    given = raw.ask("json", "GetInterview", {"claimRef": claim.claim_ref, "checkRecords": True}, **assessor)

    assert given.body is not None, given
    assert given.body["interview"]["recordCheck"] == {"state": "RECORD_CHECK_STATE_MADE", "findings": []}
