"""An assessor sees the claims of the own office alone, whatever purpose they name."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls

OWN, OTHER = "100101", "100102"
BY_METHOD: dict[str, Callable[[Any, Any], Any]] = {
    "GetInterview": lambda assessor, claim: assessor.call("GetInterview", claimRef=claim["claimRef"]),
    "GetHistory": lambda assessor, claim: assessor.call("GetHistory", claimRef=claim["claimRef"]),
    "AmendAnswers": lambda assessor, claim: assessor.amend(claim["claimRef"], claim["version"], capital="1.00"),
}
LISTS: dict[str, dict[str, Any]] = {
    "by office": {"office": OWN},
    "by state": {"state": "CLAIM_STATE_SUBMITTED"},
    "by nino": {"nino": "AB123456C"},
    "by name": {"surname": "Hughes", "dateOfBirth": {"year": 1980, "month": 2, "day": 29}},
}


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim without an appointment."""
    return desk().submitted(single_tenant)


def assessor(desk: Any, office: str | None) -> Any:
    return desk("ASSESSOR", "AS1", purpose="appointment A1", office=office)


@pytest.mark.parametrize("method", BY_METHOD)
def test_answers_are_the_own_offices(desk: Any, book: Any, refused: Any, claim: Any, method: str) -> None:
    act = BY_METHOD[method]

    def reason(office: str | None) -> str:
        with pytest.raises(refused) as raised:
            act(assessor(desk, office), claim)
        assert raised.value.code == "permission_denied"
        assert "Hughes" not in raised.value.text
        return str(raised.value.reason)

    assert (reason(OWN), reason(None)) == ("NO_APPOINTMENT", "OFFICE_REQUIRED")

    book(claim["claimRef"], OWN)

    assert (reason(OTHER), reason(None)) == ("OTHER_OFFICE", "OFFICE_REQUIRED")
    assert "Hughes" in str(act(assessor(desk, OWN), claim)) or method == "AmendAnswers"


def test_who_claims_is_the_own_offices_to_see(desk: Any, book: Any, claim: Any) -> None:
    def sees(office: str | None) -> list[bool]:
        own = assessor(desk, office)
        found = [own.call("GetClaim", claimRef=claim["claimRef"])["claim"]]
        for search in LISTS.values():
            found += own.call("ListClaims", **search)["claims"]
        return ["claimant" in shown for shown in found]

    assert sees(OWN) == [False] * 4
    book(claim["claimRef"], OWN)

    assert (sees(OWN), sees(OTHER), sees(None)) == ([True] * 5, [False] * 5, [False] * 5)


def test_a_list_over_offices_shows_and_logs_the_claimants_of_the_own_alone(
    desk: Any, book: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk()
    started = [operator.start(f"AB{number:06}C")["claim"]["claimRef"] for number in range(3)]
    for claim_ref, office in zip(started, [OWN, OTHER, OWN], strict=True):
        book(claim_ref, office)

    listed = assessor(desk, OWN).call("ListClaims", state="CLAIM_STATE_DRAFT")["claims"]

    with psycopg.connect(database_urls.owner) as conn:
        query = "SELECT claim_ref FROM access_log WHERE method LIKE '%/ListClaims' ORDER BY access_id"
        logged = [claim_ref for (claim_ref,) in conn.execute(query)]
    assert [shown["claimRef"] for shown in listed if "claimant" in shown] == [started[2], started[0]] == logged


def test_the_office_of_the_later_appointment_counts(desk: Any, book: Any, refused: Any, claim: Any) -> None:
    book(claim["claimRef"], OWN)
    book(claim["claimRef"], OTHER, appointment_id="A2")

    with pytest.raises(refused) as raised:
        assessor(desk, OWN).call("GetInterview", claimRef=claim["claimRef"])

    assert raised.value.reason == "OTHER_OFFICE"
    assert assessor(desk, OTHER).call("GetInterview", claimRef=claim["claimRef"])


def test_what_was_refused_for_its_office_is_in_the_access_log(
    desk: Any, book: Any, refused: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    def attempt(office: str | None) -> None:
        with pytest.raises(refused):
            assessor(desk, office).call("GetHistory", claimRef=claim["claimRef"])

    attempt(OWN)
    book(claim["claimRef"], OWN)
    attempt(OTHER)
    attempt(None)

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(
            "SELECT office, claim_ref, purpose, outcome, reason FROM access_log WHERE method LIKE '%/GetHistory'"
            " ORDER BY access_id"
        ).fetchall()
    assert rows == [
        (OWN, claim["claimRef"], "appointment A1", "DENIED", "NO_APPOINTMENT"),
        (OTHER, claim["claimRef"], "appointment A1", "DENIED", "OTHER_OFFICE"),
        (None, claim["claimRef"], "appointment A1", "DENIED", "OFFICE_REQUIRED"),
    ]


def test_those_who_belong_to_no_office_see_the_claims_of_all(desk: Any, claim: Any) -> None:
    officer = desk("PROCESSING_OFFICER", "PO1", purpose="work item 7")
    manager = desk("SERVICE_MANAGER", "SM1", purpose="complaint 7")

    assert officer.amend(claim["claimRef"], claim["version"], capital="1.00")["changes"]
    assert manager.call("GetHistory", claimRef=claim["claimRef"])["entries"]


def test_an_assessor_who_is_a_processing_officer_too_is_bound_to_no_office_where_officers_are_not(
    desk: Any, refused: Any, claim: Any, tokens: Any
) -> None:
    both = desk("ASSESSOR", "AS1", purpose="work item 7", office=OTHER, roles=["ASSESSOR", "PROCESSING_OFFICER"])

    with pytest.raises(refused) as raised:
        both.call("GetInterview", claimRef=claim["claimRef"])

    assert raised.value.reason == "NO_APPOINTMENT"
    assert both.amend(claim["claimRef"], claim["version"], capital="1.00")["changes"]


def test_a_repeat_of_an_amendment_is_answered_although_the_claim_went_to_another_office(
    desk: Any, book: Any, refused: Any, claim: Any
) -> None:
    book(claim["claimRef"], OWN)
    own = assessor(desk, OWN)
    body: Any = {
        "requestId": str(uuid4()),
        "claimRef": claim["claimRef"],
        "version": claim["version"],
        "reason": "misheard",
        "answers": [{"questionId": "capital", "value": "1.00"}],
    }
    first = own.call("AmendAnswers", **body)
    book(claim["claimRef"], OTHER, appointment_id="A2")

    again = own.call("AmendAnswers", **body)

    assert again == first
    with pytest.raises(refused) as raised:
        own.call("GetInterview", claimRef=claim["claimRef"])
    assert raised.value.reason == "OTHER_OFFICE"
