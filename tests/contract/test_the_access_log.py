"""The access log has a row for every response with answers and every refusal; without it no answer is shown."""

import json
from typing import Any, get_args

import jwt
import psycopg
import pytest
from typer.testing import CliRunner

from chassis.seals import COLUMNS
from chassis.testing import eventually
from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from cms_local.layout import DATABASES, SERVICES
from cms_local.main import app
from tests.support.callers import attempts, bearer, is_silent, logged, own_office
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Door, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)


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
def test_every_response_with_answers_has_a_row_in_the_access_log(
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
    given = raw.ask(door, method, request[method], **passport, cms_purpose=f"work item {claim.claim_ref}")

    assert given.code == "ok", given
    listed = given.body.get("claims", []) if given.body else []
    personal = [found for found in listed if "claimant" in found or found["officeCode"]]
    shown = len(personal) if method == "ListClaims" else 1
    assert shown > 0
    assert logged(platform_under_test, "intake-svc", method, "SHOWN", subject) == before + shown


def operator_of(claim: Journey) -> str:
    """Returns the subject of the token that took the call."""
    return str(jwt.decode(claim.operator, options={"verify_signature": False})["sub"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_is_in_the_access_log_of_every_service(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey, service: str
) -> None:
    method = next(name for name, of in methods().items() if of.containing_service.full_name == SERVICE_NAMES[service])
    before = logged(platform_under_test, service, method, "DENIED", "CO000001")

    refused = raw.ask("json", method, {}, **bearer(claim, "COUNCIL_OFFICER", "CO000001"))

    assert refused.refusal == ("permission_denied", "ROLE", frozenset())
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
def test_the_app_role_cannot_read_or_change_the_access_log(
    platform_under_test: PlatformUnderTest, service: str, statement: str
) -> None:
    database = DATABASES[service]
    url = f"postgresql://{database}_app@127.0.0.1:{platform_under_test.layout.postgres_port}/{database}"

    with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.encode())


def test_answers_are_refused_when_the_access_log_cannot_be_written(
    platform_under_test: PlatformUnderTest, raw: RawDoors, claim: Journey
) -> None:
    url = f"postgresql://intake_owner@127.0.0.1:{platform_under_test.layout.postgres_port}/intake"
    own = {"authorization": f"Bearer {claim.operator}"}
    assessor = bearer(claim, "ASSESSOR", office=own_office(claim)) | {"cms_purpose": f"work item {claim.claim_ref}"}
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
            conn.execute(f"GRANT INSERT ({', '.join(COLUMNS)}) ON access_log TO intake_app")

    assert {answer.refusal for answer in refused} == {("unavailable", "ACCESS_LOG_AWAY", frozenset())}
    assert all(is_silent(answer) for answer in refused)
    assert denied.refusal == ("permission_denied", "ROLE", frozenset())
    assert unpersonal.code == "ok"
    assert raw.ask("json", "GetInterview", reference, **own).code == "ok"


def test_a_changed_row_is_found_by_the_command(
    platform_under_test: PlatformUnderTest, claim: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = platform_under_test
    monkeypatch.setattr("cms_local.commands.accesslog.this_layout", lambda: platform.layout)
    eventually(lambda: platform.count("intake-svc", SEALED, claim.claim_ref) > 0, what="a seal")
    assert verified() == (0, [])

    [(row, subject)] = platform.rows("intake-svc", NEWEST, claim.claim_ref)
    platform.execute("intake-svc", ALTER, "NOBODY", row)
    try:
        status, found = verified()
    finally:
        platform.execute("intake-svc", ALTER, subject, row)

    assert status == 1
    assert {(one["service"], one["row"], one["kind"]) for one in found} == {("intake-svc", row, "altered")}
    assert verified() == (0, [])


SEALED = "SELECT count(*) FROM access_log WHERE claim_ref = %s AND place IS NOT NULL"
NEWEST = """
    SELECT access_id, subject FROM access_log WHERE claim_ref = %s AND place IS NOT NULL ORDER BY place DESC LIMIT 1
"""
ALTER = "UPDATE access_log SET subject = %s WHERE access_id = %s"


def verified() -> tuple[int, list[dict[str, Any]]]:
    """The exit status of `cms accesslog verify`, and what it found."""
    given = CliRunner().invoke(app, ["accesslog", "verify", "--json"])
    return given.exit_code, json.loads(given.stdout.splitlines()[0])
