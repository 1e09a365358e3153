"""Every list has pages of one kind, and every method takes a claim reference as people write it."""

from typing import Any, get_args
from uuid import uuid4

import pytest

from chassis import clock, contract
from cms_local.journey import Journey
from tests.support.callers import caller_of, own_office
from tests.support.raw_doors import Answer, Door, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)
LISTS = sorted(name for name, method in methods().items() if "page_token" in method.input_type.fields_by_name)
TODAY = clock.today()
DAYS = {name: {"year": TODAY.year, "month": TODAY.month, "day": TODAY.day} for name in ("from", "until")}
QUERIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ListClaims": ({"state": "CLAIM_STATE_DRAFT"}, {"state": "CLAIM_STATE_DRAFT", "office": "100101"}),
    "FindSlots": ({"postcode": "LS1 4AP"}, {"postcode": "LS1 4AP", "channel": "CHANNEL_TELEPHONE"}),
    "ListAppointments": ({}, {"office": "600021"}),
    "ListNotMoved": ({}, {"officeCode": "600021"}),
    "GetOfficeLoad": (DAYS, DAYS | {"officeCode": "600021"}),
    "ListWork": ({}, {"state": "ASSESSMENT_STATE_READY"}),
    "ListOverdue": ({}, {"state": "DEAD_LETTER"}),
    "ListDeadLetters": ({}, {}),
    "GetHistory": ({}, {}),
    "ListCalls": ({}, {}),
    "ListLegalHolds": ({}, {}),
    "ListSecurityLocks": ({}, {}),
    "ListCallBacks": ({}, {"state": "CALL_BACK_STATE_WAITING"}),
    "ListTransfers": ({}, {"state": "TRANSFER_STATE_HELD"}),
    "ListBulkActs": ({}, {}),
    "ListDifferences": ({}, {"system": "SYSTEM_JSAPS"}),
    "GetLetters": ({"recipient": "LETTER_RECIPIENT_COUNCIL"}, {"recipient": "LETTER_RECIPIENT_CLAIMANT"}),
    "ListNotices": ({"state": "NOTICE_STATE_LOADED"}, {"state": "NOTICE_STATE_WAITING"}),
    "ListNoticesDue": ({}, {"authorityCode": "E08000035"}),
    "ListWorkItems": ({}, {"state": "WORK_ITEM_STATE_DONE"}),
    "ListInterimPayments": ({}, {}),
    "ListUndecided": ({}, {"scheme": "SCHEME_INCOME_SUPPORT"}),
}
"""A query of each list, and another that it may not be confused with."""
LONG = ("FindSlots", "ListClaims")
"""Lists that have a second page on any platform that has taken a few claims."""


def ask(raw: RawDoors, claim: Journey, door: Door, method: str, request: dict[str, Any]) -> Answer:
    """Calls a method as somebody who may."""
    roles = contract.allowed_roles(methods()[method])
    role = next(
        (known for known in ("SERVICE_MANAGER", "OPERATOR", "PROCESSING_OFFICER") if known in roles), sorted(roles)[0]
    )
    if "claim_ref" in methods()[method].input_type.fields_by_name:
        request = {"claimRef": claim.claim_ref, **request}
    subject = caller_of(methods()[method]) if role == "SERVICE" else "ST000099"
    token = claim.operator if role == "OPERATOR" else claim.issue(role, subject=subject, office=own_office(claim))
    return raw.ask(door, method, request, authorization=f"Bearer {token}", cms_purpose=f"work item {claim.claim_ref}")


def test_the_queries_know_every_list() -> None:
    assert sorted(QUERIES) == LISTS


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", LISTS)
def test_a_page_size_means_the_same_in_every_list(raw: RawDoors, claim: Journey, door: Door, method: str) -> None:
    query, _ = QUERIES[method]

    codes = {size: ask(raw, claim, door, method, {**query, "pageSize": size}).code for size in (0, 1, 501, 2**31 - 1)}
    negative = ask(raw, claim, door, method, {**query, "pageSize": -1})

    assert codes == dict.fromkeys(codes, "ok")
    assert (negative.code, negative.fields) == ("invalid_argument", frozenset({"page_size"}))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", LONG)
def test_a_page_token_belongs_to_its_query(
    raw: RawDoors, claim: Journey, unbooked: Journey, call: Journey, *, door: Door, method: str
) -> None:
    assert unbooked.claim_ref != call.claim_ref  # two drafts at least, for a second page
    query, other = QUERIES[method]
    first = ask(raw, claim, door, method, {**query, "pageSize": 1}).body
    assert first
    token = first["nextPageToken"]

    next_page = ask(raw, claim, door, method, {**query, "pageSize": 2, "pageToken": token})
    elsewhere = ask(raw, claim, door, method, {**other, "pageToken": token})

    assert next_page.code == "ok", next_page
    assert (elsewhere.code, elsewhere.fields) == ("invalid_argument", frozenset({"page_token"}))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", LISTS)
def test_a_page_token_of_another_list_is_refused(raw: RawDoors, claim: Journey, door: Door, method: str) -> None:
    other = "ListClaims" if method == "FindSlots" else "FindSlots"
    foreign = ask(raw, claim, door, other, {**QUERIES[other][0], "pageSize": 1}).body
    assert foreign

    given = ask(raw, claim, door, method, {**QUERIES[method][0], "pageToken": foreign["nextPageToken"] or "W10="})

    assert (given.code, given.fields) == ("invalid_argument", frozenset({"page_token"}))


def spoken(claim_ref: str) -> str:
    """A reference as somebody reads it out and another types it."""
    text = claim_ref.lower().replace("0", "o").replace("1", "l")
    return f" {text[:4]}-{text[4:8]}\u2011{text[8:]}\u00a0"


BY_REFERENCE = [name for name, method in methods().items() if "claim_ref" in method.input_type.fields_by_name]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", sorted(BY_REFERENCE))
def test_a_reference_is_taken_as_it_is_read_out(raw: RawDoors, claim: Journey, door: Door, method: str) -> None:
    written = ask(raw, claim, door, method, request_of(claim, method, claim.claim_ref))
    as_spoken = ask(raw, claim, door, method, request_of(claim, method, spoken(claim.claim_ref)))

    assert (as_spoken.code, as_spoken.reason, as_spoken.fields) == (written.code, written.reason, written.fields)
    assert "claim_ref" not in as_spoken.fields
    assert spoken(claim.claim_ref).strip() not in as_spoken.text


def request_of(claim: Journey, method: str, claim_ref: str) -> dict[str, Any]:
    """A request that names the claim and leaves out what may be left out."""
    names = methods()[method].input_type.fields_by_name
    more: dict[str, Any] = {"requestId": str(uuid4())} if "request_id" in names else {}
    if method == "StartCall":
        more |= {
            "purpose": "CALL_PURPOSE_PROGRESS",
            "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
            "language": "LANGUAGE_EN",
            "caller": {"relation": "CALLER_RELATION_SELF"},
        }
    return {"claimRef": claim_ref, **more}


@pytest.mark.parametrize("door", DOORS)
def test_a_retry_may_write_the_reference_otherwise(raw: RawDoors, call: Journey, door: Door) -> None:
    once = {
        "version": 1,
        "requestId": str(uuid4()),
        "answers": [{"questionId": "surname", "value": "Hughes"}],
    }
    authorization = f"Bearer {call.operator}"

    first = raw.ask(door, "RecordAnswers", {**once, "claimRef": call.claim_ref}, authorization=authorization)
    again = raw.ask(door, "RecordAnswers", {**once, "claimRef": spoken(call.claim_ref)}, authorization=authorization)

    assert first.code == "ok", first
    assert again.body == first.body
    assert first.body is not None
    assert first.body["interview"]["claimRef"] == call.claim_ref
