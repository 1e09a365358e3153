"""The matrix of role, method and record by either door: who is answered, who is refused, and what is logged."""

from typing import Any, get_args
from uuid import uuid4

import pytest

from chassis import contract
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.callers import attempts, bearer, caller_of, is_silent, logged, nino_of, other_office, own_office
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Answer, Door, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")
DOORS = get_args(Door)
ROLES = [name.removeprefix("ROLE_") for name in common_pb2.Role.keys() if name != "ROLE_UNSPECIFIED"]  # noqa: SIM118
REFUSED_ELSEWHERE = ("GetInterview", "GetHistory", "ListCalls", "AmendAnswers")
SHOWN_WITHOUT_THE_CLAIMANT = ("GetClaim", "ListClaims")
"""The answers to an assessor of another office, by method."""
SHOWING_NO_ANSWER = {"WithdrawClaim"}
"""Methods whose response never has an answer, though its type could hold one."""
ANSWERED_WITH = {"GetDiaryLinks": "NO_DIARY"}
"""The reason that a method gives to a member of staff who has the role and is nobody's assessor."""
BANK = {"sort_code", "account_number", "account_name", "building_society_roll"}


@pytest.fixture(scope="module")
def resumed(platform_under_test: PlatformUnderTest, claim: Journey) -> str:
    """Issues the token of a second operator whose call on the claim has not passed security."""
    token = claim.issue("OPERATOR", subject="OP999999")
    request = {
        "purpose": "CALL_PURPOSE_PROGRESS",
        "claimRef": claim.claim_ref,
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
        "requestId": str(uuid4()),
    }
    started = platform_under_test.doors.call("intake-svc", "StartCall", request, token=token)
    assert started["call"]["security"] == "CALL_SECURITY_REQUIRED"
    return token


@pytest.fixture(scope="module")
def ended(platform_under_test: PlatformUnderTest) -> Journey:
    """A claim whose call has ended."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    request = {"callId": journey.call_id, "outcome": "CALL_OUTCOME_ABANDONED", "requestId": str(uuid4())}
    platform_under_test.doors.call("intake-svc", "EndCall", request, token=journey.operator)
    return journey


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", sorted(methods()))
def test_a_method_is_open_only_to_the_roles_that_the_contract_names(
    raw: RawDoors, claim: Journey, door: Door, role: str, method: str
) -> None:
    allowed = contract.allowed_roles(methods()[method])
    subject = caller_of(methods()[method]) if role == "SERVICE" and role in allowed else ""
    given = raw.ask(door, method, {}, **bearer(claim, role, subject, office="100101", authority="W06000015"))

    if role in allowed:
        assert given.reason != "ROLE"
        assert given.code in {"ok", "invalid_argument"} or given.reason == ANSWERED_WITH.get(method), given
    else:
        assert given.refusal == ("permission_denied", "ROLE", frozenset())


def expect_refused(given: Answer, reason: str) -> None:
    """Checks that the call is refused for this reason and shows no answer."""
    assert given.refusal == ("permission_denied", reason, frozenset()), given
    assert is_silent(given)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "method",
    [
        "GetInterview",
        "GetHistory",
        "RecordAnswers",
        "AmendAnswers",
        "ChangeSchemes",
        "MoveToCatalogue",
        "SubmitClaim",
        "DecideDuplicate",
    ],
)
def test_operators_can_read_answers_only_in_an_open_call_with_security_passed(
    raw: RawDoors, claim: Journey, ended: Journey, resumed: str, *, door: Door, method: str
) -> None:
    purpose = {"cms_purpose": f"work item {claim.claim_ref}"}
    own, other = {"authorization": f"Bearer {claim.operator}"}, bearer(claim, "OPERATOR", "OP000777")
    unpassed = {"authorization": f"Bearer {resumed}"}
    over = {"authorization": f"Bearer {ended.operator}"}

    assert raw.ask(door, method, attempts(claim)[method], **own).code != "permission_denied"
    expect_refused(raw.ask(door, method, attempts(claim)[method], **other, **purpose), "CALL_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(claim)[method], **unpassed), "CALL_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(ended)[method], **over), "CALL_REQUIRED")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["EndCall", "PassSecurity", "HoldCall", "ResumeCall", "EndWrapUp"])
def test_only_the_operator_of_a_call_can_use_it(raw: RawDoors, claim: Journey, door: Door, method: str) -> None:
    request = {"callId": claim.call_id, "requestId": str(uuid4())}
    more: dict[str, Any] = {
        "EndCall": {"outcome": "CALL_OUTCOME_COMPLETED"},
        "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1984-02-29"}]},
    }

    given = raw.ask(door, method, request | more.get(method, {}), **bearer(claim, "OPERATOR", "OP000777"))

    expect_refused(given, "CALL_REQUIRED")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("method", "role"),
    [
        ("GetInterview", "ASSESSOR"),
        ("GetHistory", "ASSESSOR"),
        ("GetHistory", "SERVICE_MANAGER"),
        ("AmendAnswers", "ASSESSOR"),
        ("AmendAnswers", "PROCESSING_OFFICER"),
    ],
)
def test_other_roles_can_read_answers_for_a_named_purpose(
    raw: RawDoors, claim: Journey, door: Door, method: str, role: str
) -> None:
    passport = bearer(claim, role, office=own_office(claim))

    expect_refused(raw.ask(door, method, attempts(claim)[method], **passport), "PURPOSE_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(claim)[method], **passport, cms_purpose=""), "PURPOSE_REQUIRED")
    named = raw.ask(door, method, attempts(claim)[method], **passport, cms_purpose=f"work item {claim.claim_ref}")

    assert named.code == "ok", named


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ROLES)
def test_claimants_are_shown_only_to_an_open_call_or_a_named_purpose(
    raw: RawDoors, claim: Journey, door: Door, role: str
) -> None:
    sees = {"ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"}
    request = {"claimRef": claim.claim_ref}
    passport = bearer(claim, role, office=own_office(claim))

    plain = raw.ask(door, "GetClaim", request, **passport)
    named = raw.ask(door, "GetClaim", request, **passport, cms_purpose=f"work item {claim.claim_ref}")

    if role in {"COUNCIL_OFFICER", "SERVICE"}:
        expect_refused(plain, "ROLE")
    else:
        assert plain.body is not None
        assert named.body is not None
        assert "claimant" not in plain.body["claim"]
        assert ("claimant" in named.body["claim"]) == (role in sees)


def test_the_table_covers_every_intake_method_that_shows_answers_to_assessors() -> None:
    showing = {
        name
        for name, method in methods().items()
        if method.containing_service.full_name == SERVICE_NAMES["intake-svc"]
        and "ASSESSOR" in contract.allowed_roles(method)
        and contract.may_hold_personal(method.output_type)
    }

    assert showing == {*REFUSED_ELSEWHERE, *SHOWN_WITHOUT_THE_CLAIMANT, *SHOWING_NO_ANSWER}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", REFUSED_ELSEWHERE)
def test_assessors_can_read_answers_of_their_own_offices_claims_only(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, unbooked: Journey, *, door: Door, method: str
) -> None:
    def ask(of: Journey, **office: str) -> Answer:
        return raw.ask(door, method, attempts(of)[method], **bearer(claim, "ASSESSOR", "AS000077", **office), **purpose)

    purpose = {"cms_purpose": f"work item {claim.claim_ref}"}
    before = logged(platform_under_test, "intake-svc", method, "DENIED", "AS000077")

    expect_refused(ask(claim, office=other_office(claim)), "OTHER_OFFICE")
    expect_refused(ask(claim), "OFFICE_REQUIRED")
    expect_refused(ask(unbooked, office=own_office(claim)), "NO_APPOINTMENT")
    own = ask(claim, office=own_office(claim))

    assert own.code == "ok", own
    assert logged(platform_under_test, "intake-svc", method, "DENIED", "AS000077") == before + 3


@pytest.mark.parametrize("door", DOORS)
def test_assessors_can_withdraw_only_their_own_offices_claims(
    raw: RawDoors, claim: Journey, unbooked: Journey, door: Door
) -> None:
    def ask(of: Journey, **office: str) -> Answer:
        request = attempts(of)["WithdrawClaim"]
        return raw.ask(
            door,
            "WithdrawClaim",
            request,
            **bearer(claim, "ASSESSOR", **office),
            cms_purpose=f"work item {claim.claim_ref}",
        )

    expect_refused(ask(claim, office=other_office(claim)), "OTHER_OFFICE")
    expect_refused(ask(claim), "OFFICE_REQUIRED")
    expect_refused(ask(unbooked, office=own_office(claim)), "NO_APPOINTMENT")
    assert ask(claim, office=own_office(claim)).reason == "STALE_VERSION"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", SHOWN_WITHOUT_THE_CLAIMANT)
def test_assessors_are_shown_claimants_of_their_own_office_only(
    raw: RawDoors, claim: Journey, unbooked: Journey, door: Door, method: str
) -> None:
    def seen(of: Journey, **office: str) -> bool:
        request = {"GetClaim": {"claimRef": of.claim_ref}, "ListClaims": {"nino": nino_of(of)}}[method]
        given = raw.ask(
            door, method, request, **bearer(claim, "ASSESSOR", **office), cms_purpose=f"work item {claim.claim_ref}"
        )
        assert given.body is not None, given
        [found] = given.body["claims"] if method == "ListClaims" else [given.body["claim"]]
        assert found["claimRef"] == of.claim_ref
        return "claimant" in found

    assert seen(claim, office=own_office(claim))
    assert not seen(claim, office=other_office(claim))
    assert not seen(claim)
    assert not seen(unbooked, office=own_office(claim))


@pytest.mark.parametrize("door", DOORS)
def test_a_list_by_office_holds_only_that_office(raw: RawDoors, claim: Journey, unbooked: Journey, door: Door) -> None:
    def listed(office: str) -> list[Any]:
        token = bearer(claim, "ASSESSOR", office=office)
        given = raw.ask(door, "ListClaims", {"office": office, "pageSize": 200}, **token)
        assert given.body is not None, given
        return list(given.body.get("claims", []))

    own = listed(own_office(claim))

    assert claim.claim_ref in [found["claimRef"] for found in own]
    assert {found["officeCode"] for found in own} == {own_office(claim)}
    assert not any("claimant" in found for found in own)
    elsewhere = [found["claimRef"] for found in listed(other_office(claim))]
    assert not {claim.claim_ref, unbooked.claim_ref} & set(elsewhere)


@pytest.mark.parametrize("door", DOORS)
def test_assessors_can_work_in_their_own_office_only(raw: RawDoors, claim: Journey, door: Door) -> None:
    own, other = own_office(claim), other_office(claim)
    eventually(lambda: starts(raw, claim), seconds=20, what="the work item with its appointment")

    requests: dict[str, dict[str, Any]] = {
        "GetAppointment": {"claimRef": claim.claim_ref},
        "StartAssessment": {"claimRef": claim.claim_ref, "requestId": str(uuid4())},
        "GetAssessment": {"claimRef": claim.claim_ref},
        "VerifyItems": work(claim) | {"items": [{"fact": "surname", "status": "ITEM_STATUS_CONFIRMED"}]},
        "CorrectItem": work(claim) | {"fact": "capital", "value": "1.00", "reason": "As seen"},
        "ConfirmAssessment": work(claim),
        "CloseAssessment": work(claim) | {"reason": "CLOSED_REASON_NOT_PURSUED"},
        "GetEvidence": {"claimRef": claim.claim_ref},
        "RequestEvidence": evidence_of(claim) | {"kinds": ["EVIDENCE_KIND_PASSPORT"]},
        "RecordEvidence": evidence_of(claim)
        | {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2005, "month": 7, "day": 11}},
        "WaiveEvidence": evidence_of(claim) | {"kinds": ["EVIDENCE_KIND_PASSPORT"], "reason": "burnt"},
        "GetCrisisLoan": {"claimRef": claim.claim_ref},
        "DecideCrisisLoan": work(claim) | {"outcome": "LOAN_OUTCOME_REFUSED", "reason": "has other means"},
        "MoveAppointment": interview(claim) | {"slotId": a_free_slot(raw, claim)},
        "CancelAppointment": interview(claim) | {"reason": "ill"},
        "RecordAttendance": interview(claim) | {"attended": True},
        "JoinWaitingList": {"appointmentId": claim.appointment["appointmentId"], "requestId": str(uuid4())},
        "LeaveWaitingList": {"appointmentId": claim.appointment["appointmentId"], "requestId": str(uuid4())},
    }
    for method, request in requests.items():
        elsewhere = raw.ask(door, method, request, **bearer(claim, "ASSESSOR", office=other))
        nowhere = raw.ask(door, method, request, **bearer(claim, "ASSESSOR"))

        assert (elsewhere.code, elsewhere.reason) == ("permission_denied", "OTHER_OFFICE"), method
        assert (nowhere.code, nowhere.reason) in {
            ("permission_denied", "OFFICE_REQUIRED"),
            ("permission_denied", "OTHER_OFFICE"),
        }, method
    for method in ("ListWork", "ListAppointments"):
        listed = raw.ask(door, method, {"office": own}, **bearer(claim, "ASSESSOR", office=other))
        assert listed.refusal == ("permission_denied", "OTHER_OFFICE", frozenset()), method
    own_desk = bearer(claim, "ASSESSOR", office=own)
    assert raw.ask(door, "GetAppointment", {"claimRef": claim.claim_ref}, **own_desk).reason == "PURPOSE_REQUIRED"
    assert raw.ask(door, "GetAppointment", {"claimRef": claim.claim_ref}, **own_desk, cms_purpose=claim.work_item).body


def work(claim: Journey) -> dict[str, Any]:
    """The fields that every act of an assessor has."""
    return {"claimRef": claim.claim_ref, "version": 2, "requestId": str(uuid4())}


WHEREABOUTS = {
    "GetAppointment": "scheduling-svc",
    "ListAppointments": "scheduling-svc",
    "GetTransfers": "legacy-gateway",
    "GetNotices": "la-notifier",
}
"""Methods that show where and when somebody will be, who is told of a claim or who pays it, with the service that logs it."""


OF_OTHER_TABLES = {"GetAcceptedRecord", "CheckRecord", "ListWorkItems"}
"""Methods about one claim that show its answers, or a desk its own work: see test_who_may_see_records."""


def test_the_table_covers_every_method_that_shows_whereabouts_of_one_claim() -> None:
    holders = {SERVICE_NAMES[service] for service in ("scheduling-svc", "legacy-gateway", "la-notifier")}
    showing = {
        name
        for name, method in methods().items()
        if contract.only_reads(method)
        and "claim_ref" in method.input_type.fields_by_name
        and contract.may_hold_personal(method.output_type)
        and method.containing_service.full_name in holders
    }

    assert showing - OF_OTHER_TABLES == set(WHEREABOUTS)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", sorted(WHEREABOUTS))
def test_whereabouts_are_shown_only_in_an_own_call_or_for_own_work_and_logged(
    *, platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, ended: Journey, door: Door, method: str
) -> None:
    def ask(passport: dict[str, str], purpose: str = "") -> Answer:
        return raw.ask(door, method, {"claimRef": claim.claim_ref}, **passport, cms_purpose=purpose)

    before = logged(platform_under_test, WHEREABOUTS[method], method, "SHOWN", "SU000042")

    expect_refused(ask(bearer(claim, "OPERATOR", "OP000777"), claim.work_item), "CALL_REQUIRED")
    for role in ("PROCESSING_OFFICER", "SUPPORT"):
        expect_refused(ask(bearer(claim, role)), "PURPOSE_REQUIRED")
        expect_refused(ask(bearer(claim, role), ended.work_item), "PURPOSE_NOT_YOURS")
    assert ask({"authorization": f"Bearer {claim.operator}"}).code == "ok"
    assert ask(bearer(claim, "SUPPORT", "SU000042"), claim.work_item).code == "ok"
    assert logged(platform_under_test, WHEREABOUTS[method], method, "SHOWN", "SU000042") == before + 1


def evidence_of(claim: Journey) -> dict[str, Any]:
    """The fields that every change of a claim's evidence has."""
    return {"claimRef": claim.claim_ref, "requestId": str(uuid4())}


def interview(claim: Journey) -> dict[str, Any]:
    """The fields that every change of an appointment has."""
    appointment_id, version = claim.appointment["appointmentId"], claim.appointment["version"]
    return {"appointmentId": appointment_id, "version": version, "requestId": str(uuid4())}


def a_free_slot(raw: RawDoors, claim: Journey) -> str:
    """A slot of the claim's own office."""
    found = raw.ask("json", "FindSlots", {"officeCode": own_office(claim)}, **bearer(claim, "OPERATOR")).body or {}
    return str(found["slots"][0]["slotId"])


def starts(raw: RawDoors, claim: Journey) -> bool:
    """Whether the work item has arrived with its office: an assessor of another office is then refused."""
    request = {"claimRef": claim.claim_ref, "requestId": str(uuid4())}
    passport = bearer(claim, "ASSESSOR", office=other_office(claim))
    return raw.ask("json", "StartAssessment", request, **passport).reason == "OTHER_OFFICE"


@pytest.mark.parametrize("door", DOORS)
def test_a_service_gets_only_the_facts_that_it_may_see(raw: RawDoors, claim: Journey, door: Door) -> None:
    facts = {}
    others = {"scheduling-svc", "assessment-svc", "intake-svc", "telephone-switch", "somebody-else"}
    for service in others:
        given = raw.ask(door, "GetClaimFacts", {"claimRef": claim.claim_ref}, **bearer(claim, "SERVICE", service))
        assert given.refusal == ("permission_denied", "CALLING_SERVICE", frozenset())
    for service in SERVICES.keys() - others:
        given = raw.ask(door, "GetClaimFacts", {"claimRef": claim.claim_ref}, **bearer(claim, "SERVICE", service))
        assert given.body is not None
        facts[service] = {**given.body["facts"]["answers"], **given.body["facts"].get("recordForms", {})}

    assert {"sort_code", "account_number"} <= set(facts["legacy-gateway"])
    assert "rent_period" in facts["la-notifier"]
    assert not BANK & set(facts["la-notifier"])
    assert not {"55779911", "200000"} & {str(value) for value in facts["la-notifier"].values()}
    assert "rent_period" not in facts["legacy-gateway"]
