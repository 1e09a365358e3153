"""Assessors can see only their own office's claims, whatever purpose they name."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls

OWN, OTHER = "100101", "100102"
LATER = "ffffffff-d9cb-469f-a165-70867728950e"
LISTS: list[dict[str, Any]] = [
    {"state": "CLAIM_STATE_SUBMITTED"},
    {"nino": "AB123456C"},
    {"surname": "Hughes", "dateOfBirth": {"year": 1980, "month": 2, "day": 29}},
]


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim without an appointment."""
    return desk().submitted(single_tenant)


def assessor(desk: Any, office: str | None) -> Any:
    return desk("ASSESSOR", "AS1", purpose="own work", office=office)


def attempt(person: Any, method: str, claim: Any) -> Any:
    if method == "AmendAnswers":
        return person.try_amend(claim, capital="1.00")
    return person.call(method, claimRef=claim["claimRef"])


@pytest.mark.parametrize("method", ["GetInterview", "GetHistory", "AmendAnswers"])
def test_assessors_can_read_and_change_only_their_own_offices_answers(
    desk: Any, book: Any, claim: Any, method: str
) -> None:
    def reason(office: str | None) -> str:
        reply = attempt(assessor(desk, office), method, claim)
        assert reply.code == "permission_denied"
        assert "Hughes" not in reply.text
        return str(reply.reason)

    assert (reason(OWN), reason(None)) == ("NO_APPOINTMENT", "OFFICE_REQUIRED")

    book(claim["claimRef"], OWN)

    assert (reason(OTHER), reason(None)) == ("OTHER_OFFICE", "OFFICE_REQUIRED")
    assert "Hughes" in attempt(assessor(desk, OWN), method, claim).text


def test_assessors_see_only_their_own_offices_claimants(desk: Any, book: Any, claim: Any) -> None:
    def sees(office: str | None) -> list[bool]:
        own = desk("ASSESSOR", "AS1", purpose=f"work item {claim['claimRef']}", office=office)
        found = [own.get("GetClaim", claimRef=claim["claimRef"])["claim"]]
        for search in LISTS:
            found += own.get("ListClaims", **search)["claims"]
        return ["claimant" in shown for shown in found]

    assert sees(OWN) == [False] * 4
    book(claim["claimRef"], OWN)

    assert (sees(OWN), sees(OTHER), sees(None)) == ([True] * 4, [False] * 4, [False] * 4)


def test_a_purpose_of_one_claim_shows_the_claimant_of_no_other(
    desk: Any, book: Any, claim: Any, single_tenant: Any
) -> None:
    other = desk(subject="OP000002").submitted(single_tenant, nino="AB123457C")
    book(claim["claimRef"], OWN)
    book(other["claimRef"], OWN, appointment_id=str(uuid4()))
    named = desk("ASSESSOR", "AS1", purpose=f"work item {claim['claimRef']}", office=OWN)

    refused = attempt(named, "GetInterview", other)
    listed = named.get("ListClaims", state="CLAIM_STATE_SUBMITTED")["claims"]

    assert (refused.code, refused.reason) == ("permission_denied", "PURPOSE_NOT_YOURS")
    assert [shown["claimRef"] for shown in listed if "claimant" in shown] == [claim["claimRef"]]


def test_an_appointment_is_a_purpose_for_the_assessor_who_holds_it(desk: Any, book: Any, claim: Any) -> None:
    def reason(subject: str, appointment_id: str) -> str:
        reader = desk("ASSESSOR", subject, purpose=f"appointment {appointment_id}", office=OWN)
        return str(attempt(reader, "GetInterview", claim).reason)

    appointment_id = str(uuid4())
    book(claim["claimRef"], OWN, appointment_id=appointment_id)

    assert reason("AS1", appointment_id) == ""
    assert reason("AS2", appointment_id) == reason("AS1", str(uuid4())) == "PURPOSE_NOT_YOURS"


def test_a_draft_is_work_of_no_assessor(desk: Any, book: Any) -> None:
    draft = desk().start()["claim"]
    book(draft["claimRef"], OWN)

    assert attempt(assessor(desk, OWN), "GetInterview", draft).reason == "PURPOSE_NOT_YOURS"


@pytest.mark.parametrize(
    "purpose",
    ["work item 7", "Mrs Hughes of Leeds", "work item AB123456C", "appointment 12345678", "call C0000000001Y"],
)
def test_a_purpose_in_free_text_is_refused_and_written_nowhere(
    desk: Any, claim: Any, database_urls: DatabaseUrls, purpose: str
) -> None:
    reply = attempt(desk("ASSESSOR", "AS1", purpose=purpose, office=OWN), "GetInterview", claim)

    assert (reply.code, reply.reason) == ("invalid_argument", "PURPOSE_MALFORMED")
    assert purpose not in reply.text
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT 1 FROM access_log WHERE purpose = %s", [purpose]).fetchall() == []


def test_the_office_of_the_later_appointment_counts(desk: Any, book: Any, claim: Any) -> None:
    book(claim["claimRef"], OWN)
    book(claim["claimRef"], OTHER, appointment_id=LATER)

    assert assessor(desk, OWN).call("GetInterview", claimRef=claim["claimRef"]).reason == "OTHER_OFFICE"
    assert assessor(desk, OTHER).get("GetInterview", claimRef=claim["claimRef"])


def test_refusals_for_the_office_are_in_the_access_log(
    desk: Any, book: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    assessor(desk, OWN).call("GetHistory", claimRef=claim["claimRef"])
    book(claim["claimRef"], OWN)
    for office in (OTHER, None):
        assessor(desk, office).call("GetHistory", claimRef=claim["claimRef"])

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(
            "SELECT office, claim_ref, purpose, outcome, reason FROM access_log WHERE method LIKE '%/GetHistory'"
            " ORDER BY access_id"
        ).fetchall()
    reasons = {OWN: "NO_APPOINTMENT", OTHER: "OTHER_OFFICE", None: "OFFICE_REQUIRED"}
    purpose = f"work item {claim['claimRef']}"
    refused = ((office, claim["claimRef"], purpose, "DENIED", reason) for office, reason in reasons.items())
    assert rows == list(refused)


def test_roles_that_belong_to_no_office_see_every_claim(desk: Any, claim: Any) -> None:
    officer = desk("PROCESSING_OFFICER", "PO1", purpose="own work")
    manager = desk("SERVICE_MANAGER", "SM1", purpose="own work")

    assert officer.amend(claim, capital="1.00")["changes"]
    assert manager.get("GetHistory", claimRef=claim["claimRef"])["entries"]


def test_an_assessor_who_is_also_a_processing_officer_may_do_what_officers_may(desk: Any, claim: Any) -> None:
    both = desk("ASSESSOR", "AS1", purpose="own work", office=OTHER, roles=["ASSESSOR", "PROCESSING_OFFICER"])

    assert both.call("GetInterview", claimRef=claim["claimRef"]).reason == "NO_APPOINTMENT"
    assert both.amend(claim, capital="1.00")["changes"]


def test_a_retried_amendment_gets_what_was_saved_and_no_answers_once_the_claim_moved_to_another_office(
    desk: Any, book: Any, claim: Any
) -> None:
    book(claim["claimRef"], OWN)
    own = assessor(desk, OWN)
    request = own.amendment(claim, capital="1.00")
    first = own.get("AmendAnswers", **request)
    book(claim["claimRef"], OTHER, appointment_id=LATER)

    again = own.get("AmendAnswers", **request)

    assert again["interview"]["version"] == first["interview"]["version"]
    assert first["changes"]
    assert not again["changes"]
    assert not again["interview"]["sections"]
    assert own.call("GetInterview", claimRef=claim["claimRef"]).reason == "OTHER_OFFICE"


def caseworker(desk: Any, purpose: str = "own work") -> Any:
    return desk("CASEWORKER", "CW1", purpose=purpose)


def test_caseworkers_read_by_purpose_only_claims_for_child_maintenance(desk: Any, database_urls: DatabaseUrls) -> None:
    operator = desk()
    theirs = operator.start("AB123456C", schemes=["SCHEME_CHILD_MAINTENANCE", "SCHEME_INCOME_SUPPORT"])["claim"]
    other = operator.start("AB123457C")["claim"]
    with psycopg.connect(database_urls.owner) as conn:  # they are work of a caseworker's from their submission
        conn.execute("UPDATE claims SET state = 'SUBMITTED', submit_time = first_contact_time")

    def reason(claim: Any, purpose: str) -> str:
        return str(caseworker(desk, purpose).call("GetInterview", claimRef=claim["claimRef"]).reason)

    assert caseworker(desk).call("GetInterview", claimRef=theirs["claimRef"]).code == "ok"
    assert reason(theirs, "") == "PURPOSE_REQUIRED"
    assert reason(other, "own work") == "CALL_REQUIRED"


def test_every_office_reads_an_unbooked_claim_for_a_crisis_loan_and_one_office_a_booked_one(
    desk: Any, book: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner) as conn:  # the scheme is closed today
        conn.execute("UPDATE claim_schemes SET scheme = 'CRISIS_LOAN' WHERE claim_ref = %s", [claim["claimRef"]])

    def outcome(office: str | None) -> str:
        reply = attempt(assessor(desk, office), "GetInterview", claim)
        return str(reply.reason or reply.code)

    assert (outcome(OWN), outcome(OTHER), outcome(None)) == ("ok", "ok", "OFFICE_REQUIRED")
    book(claim["claimRef"], OWN)
    assert (outcome(OWN), outcome(OTHER)) == ("ok", "OTHER_OFFICE")
