"""A service may call for a person what the contract delegates to it, with its own token and one that the person gave it."""

import json

import pytest

from cms_local import keys
from cms_local.journey import Journey
from tests.support.callers import bearer, logged, own_office
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import RawDoors

pytestmark = pytest.mark.xdist_group("platform")

NOT_DELEGATED = ("permission_denied", "NOT_DELEGATED", frozenset[str]())
BAD_TOKEN = ("unauthenticated", "BAD_TOKEN", frozenset[str]())


@pytest.fixture
def assessor(platform_under_test: PlatformUnderTest, claim: Journey) -> str:
    """The token of an assessor of the claim's office, for assessment-svc alone."""
    return token_for(platform_under_test, "ASSESSOR", "assessment-svc", office=own_office(claim))


def token_for(platform: PlatformUnderTest, role: str, *audience: str, subject: str = "AS000042", **claims: str) -> str:
    folder = platform.layout.keys("")
    return keys.issue(folder, role, subject=subject, audience=audience, **claims)


def pair(platform: PlatformUnderTest, service: str, persons_token: str, claim: Journey) -> dict[str, str]:
    """The metadata of a call by a service for a person who works on the claim."""
    own = token_for(platform, "SERVICE", "intake-svc", subject=service)
    purpose = f"work item {claim.claim_ref}"
    return {"authorization": f"Bearer {own}", "cms_on_behalf_of": persons_token, "cms_purpose": purpose}


def test_a_persons_token_for_one_service_is_good_there_and_nowhere_else(
    raw: RawDoors, claim: Journey, assessor: str
) -> None:
    alone = {"authorization": f"Bearer {assessor}", "cms_purpose": f"work item {claim.claim_ref}"}

    assert raw.ask("grpc", "ListWork", {}, **alone).code == "ok"
    for method in ("GetInterview", "GetClaim", "GetAppointment", "GetTransfers"):
        assert raw.ask("grpc", method, {"claimRef": claim.claim_ref}, **alone).refusal == BAD_TOKEN


def test_a_service_calls_for_the_person_who_called_it(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, assessor: str
) -> None:
    before = logged(platform_under_test, "intake-svc", "GetHistory", "SHOWN", "AS000042")
    passport = pair(platform_under_test, "assessment-svc", assessor, claim)

    given = raw.ask("grpc", "GetHistory", {"claimRef": claim.claim_ref}, **passport)

    assert given.code == "ok", given
    assert logged(platform_under_test, "intake-svc", "GetHistory", "SHOWN", "AS000042") == before + 1


def test_the_persons_roles_count_and_not_the_services(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey
) -> None:
    officer = token_for(platform_under_test, "COUNCIL_OFFICER", "assessment-svc", authority="W06000015")

    given = raw.ask(
        "grpc",
        "GetHistory",
        {"claimRef": claim.claim_ref},
        **pair(platform_under_test, "assessment-svc", officer, claim),
    )

    assert given.refusal == ("permission_denied", "ROLE", frozenset())


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("assessment-svc", "WithdrawClaim"),
        ("assessment-svc", "GetClaim"),
        ("assessment-svc", "GetClaimFacts"),
        ("legacy-gateway", "GetInterview"),
        ("la-notifier", "GetInterview"),
        ("telephone-switch", "AmendAnswers"),
    ],
)
def test_what_the_contract_does_not_delegate_is_refused(
    *, platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, service: str, method: str
) -> None:
    anybodys = token_for(platform_under_test, "ASSESSOR", service)

    given = raw.ask("grpc", method, {}, **pair(platform_under_test, service, anybodys, claim))

    assert given.refusal == NOT_DELEGATED


@pytest.mark.parametrize("audience", ["intake-svc", "scheduling-svc", "legacy-gateway"])
def test_a_service_cannot_use_a_token_that_was_given_to_another(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, audience: str
) -> None:
    stray = token_for(platform_under_test, "ASSESSOR", audience, office=own_office(claim))

    given = raw.ask(
        "grpc", "GetHistory", {"claimRef": claim.claim_ref}, **pair(platform_under_test, "assessment-svc", stray, claim)
    )

    assert given.refusal == BAD_TOKEN


@pytest.mark.parametrize("persons_token", ["", "x", "a.b.c"])
def test_what_is_no_persons_token_is_refused(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, persons_token: str
) -> None:
    passport = pair(platform_under_test, "assessment-svc", persons_token, claim)

    assert raw.ask("grpc", "GetHistory", {"claimRef": claim.claim_ref}, **passport).refusal == BAD_TOKEN


def test_a_service_calls_for_no_other_service(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey
) -> None:
    other = token_for(platform_under_test, "SERVICE", "assessment-svc", subject="legacy-gateway")
    passport = pair(platform_under_test, "assessment-svc", other, claim)

    assert raw.ask("grpc", "GetHistory", {"claimRef": claim.claim_ref}, **passport).refusal == BAD_TOKEN


def test_a_person_calls_for_nobody(raw: RawDoors, claim: Journey, assessor: str) -> None:
    passport = bearer(claim, "ASSESSOR", office=own_office(claim)) | {"cms_on_behalf_of": assessor}

    assert raw.ask("grpc", "GetHistory", {"claimRef": claim.claim_ref}, **passport).refusal == NOT_DELEGATED


def test_no_call_for_a_person_comes_through_the_door_without_certificates(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, assessor: str
) -> None:
    passport = pair(platform_under_test, "assessment-svc", assessor, claim)

    body = json.dumps({"claimRef": claim.claim_ref}).encode()

    refused = raw.by_json("GetHistory", body, **passport)

    assert (refused.code, refused.reason) == ("unauthenticated", "CERTIFICATE")
