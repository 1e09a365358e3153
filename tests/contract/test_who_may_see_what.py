"""The matrix of role, method and record, by either door: who is answered, who is refused, and what is written of it."""

from typing import Any, get_args
from uuid import uuid4

import jwt
import psycopg
import pytest

from chassis import contract
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from cms_local.layout import DATABASES, SERVICES
from cms_local.raw_doors import Answer, Door, RawDoors, methods
from cms_local.testing import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)
ROLES = [name.removeprefix("ROLE_") for name in common_pb2.Role.keys() if name != "ROLE_UNSPECIFIED"]  # noqa: SIM118
BANK = {"sort_code", "account_number", "account_name", "building_society_roll"}
SECRETS = ("Harbour Foods Ltd", "55779911", "20-00-00")
"""Words of the claim's answers: nobody who is refused is told any of them."""


def bearer(call: Journey, role: str, subject: str = "", **claims: str) -> dict[str, str]:
    """The metadata of a caller."""
    name = subject or ("legacy-gateway" if role == "SERVICE" else "ST000099")
    return {"authorization": f"Bearer {call.issue(role, subject=name, **claims)}"}


@pytest.fixture(scope="module")
def claim(platform_under_test: PlatformUnderTest) -> Journey:
    """A submitted and booked claim, whose operator's call is still open."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    journey.answer(journey.case.answers)
    journey.book()
    journey.submit()
    request = {"claimRef": journey.claim_ref}
    shown = platform_under_test.doors.call("intake-svc", "GetInterview", request, token=journey.operator)
    journey.interview = shown["interview"]
    eventually(lambda: office_known_to_intake(platform_under_test, journey), what="the booking's coming to intake")
    return journey


@pytest.fixture(scope="module")
def unbooked(platform_under_test: PlatformUnderTest) -> Journey:
    """A claim without an appointment, in its operator's open call."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    return journey


def office_known_to_intake(platform: PlatformUnderTest, journey: Journey) -> bool:
    """Whether intake knows the claim's office."""
    request = {"claimRef": journey.claim_ref}
    found = platform.doors.call("intake-svc", "GetClaim", request, token=journey.operator)["claim"]
    return bool(found["officeCode"] == own_office(journey))


def own_office(claim: Journey) -> str:
    """The office that holds the claim's interview."""
    return str(claim.appointment["office"]["code"])


def other_office(claim: Journey) -> str:
    """An office that does not."""
    return "100102" if own_office(claim) == "100101" else "100101"


@pytest.fixture(scope="module")
def resumed(platform_under_test: PlatformUnderTest, claim: Journey) -> str:
    """The token of a second operator, in a call on the claim whose security is not passed."""
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
def test_a_method_is_open_to_the_roles_that_the_contract_names_and_to_no_other(
    raw: RawDoors, claim: Journey, door: Door, role: str, method: str
) -> None:
    given = raw.ask(door, method, {}, **bearer(claim, role, office="100101"))

    if role in contract.allowed_roles(methods()[method]):
        assert given.reason != "ROLE"
        assert given.code in {"ok", "invalid_argument"}, given
    else:
        assert given.refusal == ("permission_denied", "ROLE", frozenset())


def attempts(claim: Journey) -> dict[str, dict[str, Any]]:
    """Every method that reads or writes the claim's answers, with a request that changes nothing if it is served."""
    change = {
        "claimRef": claim.claim_ref,
        "answers": [{"questionId": "capital", "value": claim.case.answers["capital"]}],
        "version": claim.interview["version"],
        "requestId": str(uuid4()),
    }
    return {
        "GetInterview": {"claimRef": claim.claim_ref},
        "GetHistory": {"claimRef": claim.claim_ref},
        "RecordAnswers": change,
        "AmendAnswers": change | {"reason": "Misheard", "requestId": str(uuid4())},
        "SubmitClaim": {"claimRef": claim.claim_ref, "version": 1, "requestId": str(uuid4())},
    }


def expect_refused(given: Answer, reason: str) -> None:
    """Refused for this reason, and told nothing."""
    assert given.refusal == ("permission_denied", reason, frozenset()), given
    assert not any(secret in given.text for secret in SECRETS)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["GetInterview", "GetHistory", "RecordAnswers", "AmendAnswers", "SubmitClaim"])
def test_an_operator_reaches_answers_by_an_open_call_with_security_passed_alone(
    raw: RawDoors, claim: Journey, ended: Journey, resumed: str, *, door: Door, method: str
) -> None:
    purpose = {"cms_purpose": f"call {claim.call_id}"}
    own, other = {"authorization": f"Bearer {claim.operator}"}, bearer(claim, "OPERATOR", "OP000777")
    unpassed = {"authorization": f"Bearer {resumed}"}
    over = {"authorization": f"Bearer {ended.operator}"}

    assert raw.ask(door, method, attempts(claim)[method], **own).code != "permission_denied"
    expect_refused(raw.ask(door, method, attempts(claim)[method], **other, **purpose), "CALL_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(claim)[method], **unpassed), "CALL_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(ended)[method], **over), "CALL_REQUIRED")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["EndCall", "PassSecurity"])
def test_a_call_is_nobodys_but_its_operators(raw: RawDoors, claim: Journey, door: Door, method: str) -> None:
    request = {"callId": claim.call_id, "requestId": str(uuid4())}
    more: dict[str, Any] = {
        "EndCall": {"outcome": "CALL_OUTCOME_COMPLETED"},
        "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1984-02-29"}]},
    }

    given = raw.ask(door, method, request | more[method], **bearer(claim, "OPERATOR", "OP000777"))

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
def test_others_reach_answers_for_a_purpose_that_they_name(
    raw: RawDoors, claim: Journey, door: Door, method: str, role: str
) -> None:
    passport = bearer(claim, role, office=own_office(claim))

    expect_refused(raw.ask(door, method, attempts(claim)[method], **passport), "PURPOSE_REQUIRED")
    expect_refused(raw.ask(door, method, attempts(claim)[method], **passport, cms_purpose=""), "PURPOSE_REQUIRED")
    named = raw.ask(door, method, attempts(claim)[method], **passport, cms_purpose="work item 7")

    assert named.code == "ok", named


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ROLES)
def test_who_claims_is_shown_to_the_call_and_to_a_purpose_and_to_no_other(
    raw: RawDoors, claim: Journey, door: Door, role: str
) -> None:
    sees = {"ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"}
    request = {"claimRef": claim.claim_ref}
    passport = bearer(claim, role, office=own_office(claim))

    plain = raw.ask(door, "GetClaim", request, **passport)
    named = raw.ask(door, "GetClaim", request, **passport, cms_purpose="work item 7")

    if role == "COUNCIL_OFFICER":
        expect_refused(plain, "ROLE")
    else:
        assert plain.body is not None
        assert named.body is not None
        assert "claimant" not in plain.body["claim"]
        assert ("claimant" in named.body["claim"]) == (role in sees)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["GetInterview", "GetHistory", "AmendAnswers"])
def test_an_assessor_reaches_the_answers_of_the_own_offices_claims_alone(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, unbooked: Journey, *, door: Door, method: str
) -> None:
    def ask(of: Journey, **office: str) -> Answer:
        return raw.ask(door, method, attempts(of)[method], **bearer(claim, "ASSESSOR", "AS000077", **office), **purpose)

    purpose = {"cms_purpose": f"appointment {claim.appointment['appointmentId']}"}
    before = logged(platform_under_test, "intake-svc", method, "DENIED", "AS000077")

    expect_refused(ask(claim, office=other_office(claim)), "OTHER_OFFICE")
    expect_refused(ask(claim), "OFFICE_REQUIRED")
    expect_refused(ask(unbooked, office=own_office(claim)), "NO_APPOINTMENT")
    own = ask(claim, office=own_office(claim))

    assert own.code == "ok", own
    assert logged(platform_under_test, "intake-svc", method, "DENIED", "AS000077") == before + 3


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["GetClaim", "ListClaims"])
def test_an_assessor_is_shown_who_claims_at_the_own_office_alone(
    raw: RawDoors, claim: Journey, unbooked: Journey, door: Door, method: str
) -> None:
    def seen(of: Journey, **office: str) -> bool:
        request = {"GetClaim": {"claimRef": of.claim_ref}, "ListClaims": {"nino": nino_of(of)}}[method]
        given = raw.ask(door, method, request, **bearer(claim, "ASSESSOR", **office), cms_purpose="work item 7")
        assert given.body is not None, given
        [found] = given.body["claims"] if method == "ListClaims" else [given.body["claim"]]
        assert found["claimRef"] == of.claim_ref
        return "claimant" in found

    assert seen(claim, office=own_office(claim))
    assert not seen(claim, office=other_office(claim))
    assert not seen(claim)
    assert not seen(unbooked, office=own_office(claim))


@pytest.mark.parametrize("door", DOORS)
def test_a_list_by_office_is_of_that_office(raw: RawDoors, claim: Journey, unbooked: Journey, door: Door) -> None:
    def listed(office: str) -> list[Any]:
        given = raw.ask(door, "ListClaims", {"office": office, "pageSize": 200}, **bearer(claim, "SUPPORT"))
        assert given.body is not None, given
        return list(given.body.get("claims", []))

    own = listed(own_office(claim))

    assert claim.claim_ref in [found["claimRef"] for found in own]
    assert {found["officeCode"] for found in own} == {own_office(claim)}
    assert not any("claimant" in found for found in own)
    elsewhere = [found["claimRef"] for found in listed(other_office(claim))]
    assert not {claim.claim_ref, unbooked.claim_ref} & set(elsewhere)


def nino_of(journey: Journey) -> str:
    """As its operator was told it."""
    return str(next(part["answer"] for part in journey.interview["questions"] if part["id"] == "nino"))


@pytest.mark.parametrize("door", DOORS)
def test_an_assessor_works_in_the_own_office_alone(raw: RawDoors, claim: Journey, door: Door) -> None:
    own, other = own_office(claim), other_office(claim)
    eventually(lambda: starts(raw, claim), seconds=20, what="the work item with its appointment")

    requests: dict[str, dict[str, Any]] = {
        "GetAppointment": {"claimRef": claim.claim_ref},
        "StartAssessment": {"claimRef": claim.claim_ref, "requestId": str(uuid4())},
        "VerifyItems": work(claim) | {"items": [{"fact": "surname", "status": "ITEM_STATUS_CONFIRMED"}]},
        "CorrectItem": work(claim) | {"fact": "capital", "value": "1.00", "reason": "As seen"},
        "ConfirmAssessment": work(claim),
    }
    for method, request in requests.items():
        elsewhere = raw.ask(door, method, request, **bearer(claim, "ASSESSOR", office=other))
        nowhere = raw.ask(door, method, request, **bearer(claim, "ASSESSOR"))

        assert (elsewhere.code, elsewhere.reason) == ("permission_denied", "OTHER_OFFICE"), method
        assert (nowhere.code, nowhere.reason) in {
            ("permission_denied", "OFFICE_REQUIRED"),
            ("permission_denied", "OTHER_OFFICE"),
        }, method
    listed = raw.ask(door, "ListWork", {"office": own}, **bearer(claim, "ASSESSOR", office=other))
    assert listed.refusal == ("permission_denied", "OTHER_OFFICE", frozenset())
    assert raw.ask(door, "GetAppointment", {"claimRef": claim.claim_ref}, **bearer(claim, "ASSESSOR", office=own)).body


def work(claim: Journey) -> dict[str, Any]:
    """What every act of an assessor bears."""
    return {"claimRef": claim.claim_ref, "version": 2, "requestId": str(uuid4())}


def starts(raw: RawDoors, claim: Journey) -> bool:
    """Whether the work item is there with its office: one of another is refused."""
    request = {"claimRef": claim.claim_ref, "requestId": str(uuid4())}
    passport = bearer(claim, "ASSESSOR", office=other_office(claim))
    return raw.ask("json", "StartAssessment", request, **passport).reason == "OTHER_OFFICE"


@pytest.mark.parametrize("door", DOORS)
def test_a_service_gets_the_facts_that_are_its_own(raw: RawDoors, claim: Journey, door: Door) -> None:
    facts = {}
    for service in [*SERVICES, "somebody-else"]:
        given = raw.ask(door, "GetClaimFacts", {"claimRef": claim.claim_ref}, **bearer(claim, "SERVICE", service))
        assert given.body is not None
        facts[service] = {**given.body["facts"]["answers"], **given.body["facts"].get("recordForms", {})}

    assert {"sort_code", "account_number"} <= set(facts["legacy-gateway"])
    assert "tenure" in facts["la-notifier"]
    assert not BANK & set(facts["la-notifier"])
    assert not {"55779911", "200000"} & {str(value) for value in facts["la-notifier"].values()}
    assert "tenure" not in facts["legacy-gateway"]
    assert all(not facts[service] for service in ("scheduling-svc", "assessment-svc", "intake-svc", "somebody-else"))


def logged(platform: PlatformUnderTest, service: str, method: str, outcome: str, subject: str) -> int:
    """Rows of the access log."""
    query = "SELECT count(*) FROM access_log WHERE method LIKE %s AND outcome = %s AND subject = %s"
    return platform.count(service, query, f"%/{method}", outcome, subject)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("method", "role"),
    [
        ("GetInterview", "OPERATOR"),
        ("GetHistory", "OPERATOR"),
        ("AmendAnswers", "OPERATOR"),
        ("GetClaim", "ASSESSOR"),
        ("ListClaims", "ASSESSOR"),
        ("GetInterview", "ASSESSOR"),
        ("GetClaimFacts", "SERVICE"),
    ],
)
def test_every_response_that_carries_answers_has_its_row_in_the_access_log(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, *, door: Door, method: str, role: str
) -> None:
    subject = operator_of(claim) if role == "OPERATOR" else "la-notifier" if role == "SERVICE" else "AS000042"
    born = {"year": 1984, "month": 2, "day": 29}
    surname = str(claim.case.answers["surname"])
    request = attempts(claim) | {
        "GetClaim": {"claimRef": claim.claim_ref},
        "ListClaims": {"surname": surname, "dateOfBirth": born},
        "GetClaimFacts": {"claimRef": claim.claim_ref},
    }
    before = logged(platform_under_test, "intake-svc", method, "SHOWN", subject)

    passport = bearer(claim, role, subject, office=own_office(claim))
    given = raw.ask(door, method, request[method], **passport, cms_purpose="work item 7")

    assert given.code == "ok", given
    listed = given.body.get("claims", []) if given.body else []
    shown = sum("claimant" in found for found in listed) if method == "ListClaims" else 1
    assert shown > 0
    assert logged(platform_under_test, "intake-svc", method, "SHOWN", subject) == before + shown


def operator_of(claim: Journey) -> str:
    """The subject of the token that took the call."""
    return str(jwt.decode(claim.operator, options={"verify_signature": False})["sub"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_is_in_the_access_log_of_every_service(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, service: str
) -> None:
    method = next(name for name, of in methods().items() if of.containing_service.full_name == SERVICE_NAMES[service])
    before = logged(platform_under_test, service, method, "DENIED", "CO000001")

    expect_refused(raw.ask("json", method, {}, **bearer(claim, "COUNCIL_OFFICER", "CO000001")), "ROLE")

    assert logged(platform_under_test, service, method, "DENIED", "CO000001") == before + 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM access_log",
        "UPDATE access_log SET subject = 'NOBODY'",
        "TRUNCATE access_log",
        "SELECT subject FROM access_log",
        "DROP TABLE access_log",
        "ALTER TABLE access_log ADD COLUMN more text",
        "CREATE RULE hide AS ON INSERT TO access_log DO INSTEAD NOTHING",
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_the_role_that_runs_a_service_cannot_read_or_change_the_access_log(
    platform_under_test: PlatformUnderTest, service: str, statement: str
) -> None:
    database = DATABASES[service]
    url = f"postgresql://{database}_app@127.0.0.1:{platform_under_test.layout.postgres_port}/{database}"

    with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.encode())


def test_where_the_access_log_cannot_be_written_no_answer_leaves(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey
) -> None:
    url = f"postgresql://intake_owner@127.0.0.1:{platform_under_test.layout.postgres_port}/intake"
    own = {"authorization": f"Bearer {claim.operator}"}
    assessor = bearer(claim, "ASSESSOR", office=own_office(claim)) | {"cms_purpose": "work item 7"}
    service = bearer(claim, "SERVICE", "legacy-gateway")
    reference = {"claimRef": claim.claim_ref}
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("REVOKE INSERT ON access_log FROM intake_app")
        try:
            refused = [
                raw.ask(door, method, request, **passport)
                for door in DOORS
                for method, request, passport in (
                    ("GetInterview", reference, own),
                    ("AmendAnswers", attempts(claim)["AmendAnswers"], own),
                    ("GetHistory", reference, assessor),
                    ("GetClaim", reference, assessor),
                    ("ListClaims", {"office": own_office(claim)}, assessor),
                    ("GetClaimFacts", reference, service),
                )
            ]
            denied = raw.ask("json", "GetClaimFacts", reference, **own)
            unpersonal = raw.ask("json", "GetClaim", reference, **bearer(claim, "SUPPORT"))
        finally:
            conn.execute("GRANT INSERT ON access_log TO intake_app")

    assert {answer.refusal for answer in refused} == {("unavailable", "ACCESS_LOG_AWAY", frozenset())}
    assert not any(secret in answer.text for answer in refused for secret in SECRETS)
    assert denied.refusal == ("permission_denied", "ROLE", frozenset())
    assert unpersonal.code == "ok"
    assert raw.ask("json", "GetInterview", reference, **own).code == "ok"
