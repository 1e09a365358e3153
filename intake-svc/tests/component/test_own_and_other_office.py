"""Assessors can see only their own office's claims, whatever purpose they name."""

from typing import Any

import psycopg
import pytest

from chassis.testing import DatabaseUrls

OWN, OTHER = "100101", "100102"
LISTS: list[dict[str, Any]] = [
    {"office": OWN},
    {"state": "CLAIM_STATE_SUBMITTED"},
    {"nino": "AB123456C"},
    {"surname": "Hughes", "dateOfBirth": {"year": 1980, "month": 2, "day": 29}},
]


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim without an appointment."""
    return desk().submitted(single_tenant)


def assessor(desk: Any, office: str | None) -> Any:
    return desk("ASSESSOR", "AS1", purpose="appointment A1", office=office)


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
        own = assessor(desk, office)
        found = [own.get("GetClaim", claimRef=claim["claimRef"])["claim"]]
        for search in LISTS:
            found += own.get("ListClaims", **search)["claims"]
        return ["claimant" in shown for shown in found]

    assert sees(OWN) == [False] * 4
    book(claim["claimRef"], OWN)

    assert (sees(OWN), sees(OTHER), sees(None)) == ([True] * 5, [False] * 5, [False] * 5)


def test_a_list_shows_and_logs_only_the_claimants_of_the_assessors_own_office(
    desk: Any, book: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk()
    started = [operator.start(f"AB{number:06}C")["claim"]["claimRef"] for number in range(3)]
    for claim_ref, office in zip(started, [OWN, OTHER, OWN], strict=True):
        book(claim_ref, office)

    listed = assessor(desk, OWN).get("ListClaims", state="CLAIM_STATE_DRAFT")["claims"]

    with psycopg.connect(database_urls.owner) as conn:
        query = "SELECT claim_ref FROM access_log WHERE method LIKE '%/ListClaims' ORDER BY access_id"
        logged = [claim_ref for (claim_ref,) in conn.execute(query)]
    assert [shown["claimRef"] for shown in listed if "claimant" in shown] == [started[2], started[0]] == logged


def test_the_office_of_the_later_appointment_counts(desk: Any, book: Any, claim: Any) -> None:
    book(claim["claimRef"], OWN)
    book(claim["claimRef"], OTHER, appointment_id="A2")

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
    refused = ((office, claim["claimRef"], "appointment A1", "DENIED", reason) for office, reason in reasons.items())
    assert rows == list(refused)


def test_roles_that_belong_to_no_office_see_every_claim(desk: Any, claim: Any) -> None:
    officer = desk("PROCESSING_OFFICER", "PO1", purpose="work item 7")
    manager = desk("SERVICE_MANAGER", "SM1", purpose="complaint 7")

    assert officer.amend(claim, capital="1.00")["changes"]
    assert manager.get("GetHistory", claimRef=claim["claimRef"])["entries"]


def test_an_assessor_who_is_also_a_processing_officer_may_do_what_officers_may(desk: Any, claim: Any) -> None:
    both = desk("ASSESSOR", "AS1", purpose="work item 7", office=OTHER, roles=["ASSESSOR", "PROCESSING_OFFICER"])

    assert both.call("GetInterview", claimRef=claim["claimRef"]).reason == "NO_APPOINTMENT"
    assert both.amend(claim, capital="1.00")["changes"]


def test_a_retried_amendment_gets_its_response_although_the_claim_moved_to_another_office(
    desk: Any, book: Any, claim: Any
) -> None:
    book(claim["claimRef"], OWN)
    own = assessor(desk, OWN)
    request = own.amendment(claim, capital="1.00")
    first = own.get("AmendAnswers", **request)
    book(claim["claimRef"], OTHER, appointment_id="A2")

    assert own.get("AmendAnswers", **request) == first
    assert own.call("GetInterview", claimRef=claim["claimRef"]).reason == "OTHER_OFFICE"


def caseworker(desk: Any, purpose: str = "work item C1") -> Any:
    return desk("CASEWORKER", "CW1", purpose=purpose)


def test_caseworkers_read_by_purpose_only_claims_for_child_maintenance(desk: Any) -> None:
    operator = desk()
    theirs = operator.start("AB123456C", schemes=["SCHEME_CHILD_MAINTENANCE", "SCHEME_INCOME_SUPPORT"])["claim"]
    other = operator.start("AB123457C")["claim"]

    def reason(claim: Any, purpose: str) -> str:
        return str(caseworker(desk, purpose).call("GetInterview", claimRef=claim["claimRef"]).reason)

    assert caseworker(desk).call("GetInterview", claimRef=theirs["claimRef"]).code == "ok"
    assert reason(theirs, "") == "PURPOSE_REQUIRED"
    assert reason(other, "work item C1") == "CALL_REQUIRED"


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
