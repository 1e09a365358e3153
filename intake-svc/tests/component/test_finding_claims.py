"""ListClaims finds claims; GetClaimFacts tells each service what it may know of one."""

from typing import Any

import psycopg

from chassis.testing import DatabaseUrls

BORN = {"year": 1980, "month": 2, "day": 29}


def references(answer: Any) -> list[str]:
    return [claim["claimRef"] for claim in answer["claims"]]


def test_claims_are_found_by_nino_and_by_name_and_birth_however_the_name_is_spelt(
    desk: Any, single_tenant: Any
) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant | {"surname": "O'Brien"})
    operator.start("CE123456A")

    by_nino = operator.get("ListClaims", nino="ab123456c")
    by_name = operator.get("ListClaims", surname="OBRIEN", dateOfBirth=BORN)
    at_home = operator.get("ListClaims", surname="O’Brien", dateOfBirth=BORN, postcode="ls14ap")
    elsewhere = operator.get("ListClaims", surname="O’Brien", dateOfBirth=BORN, postcode="LS1 4AB")
    in_draft = operator.get("ListClaims", nino="AB123456C", state="CLAIM_STATE_DRAFT")

    assert [references(found) for found in (by_nino, by_name, at_home)] == [[claim["claimRef"]]] * 3
    assert (references(elsewhere), references(in_draft)) == ([], [])


def test_a_claim_is_found_however_its_codes_are_written(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim_ref = operator.submitted(single_tenant)["claimRef"]

    for nino, postcode in [
        ("ab-12-34-56-c", "LS1-4AP"),
        ("AB\u00a012\t34 56/C", "ls1\u00a04ap"),
        ("AB–123456.C", "LS1.4AP"),
    ]:
        found = operator.get("ListClaims", nino=nino, postcode=postcode)
        resumed = operator.once("StartCall", **RESUME, nino=nino)

        assert references(found) == [claim_ref]
        assert (resumed["resumed"], resumed["claim"]["claimRef"]) == (True, claim_ref)


RESUME = {
    "purpose": "CALL_PURPOSE_PROGRESS",
    "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
    "language": "LANGUAGE_EN",
    "caller": {"relation": "CALLER_RELATION_SELF"},
}


def test_a_claim_is_found_by_its_current_answers(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname="Hughes", date_of_birth="1980-02-29")

    operator.record(claim_ref, 2, surname="Price")

    assert references(operator.get("ListClaims", surname="Hughes", dateOfBirth=BORN)) == []
    assert references(operator.get("ListClaims", surname="Price", dateOfBirth=BORN)) == [claim_ref]


def test_pages_follow_each_other_newest_first_and_lose_nothing(desk: Any) -> None:
    operator = desk()
    started = [operator.start(f"AB{number:06}C")["claim"]["claimRef"] for number in range(5)]

    pages, token = [], ""
    while True:
        page = operator.get("ListClaims", state="CLAIM_STATE_DRAFT", pageSize=2, pageToken=token)
        pages.append(references(page))
        token = page["nextPageToken"]
        if not token:
            break

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [reference for page in pages for reference in page] == started[::-1]


def test_the_claims_of_an_office_follow_each_other_newest_first(desk: Any, book: Any) -> None:
    operator = desk()
    started = [operator.start(f"AB{number:06}C")["claim"]["claimRef"] for number in range(4)]
    for claim_ref, office in zip(started, ["100101", "100102", "100101", "100101"], strict=True):
        book(claim_ref, office)

    manager = desk("SERVICE_MANAGER", "SM000001")
    first = manager.get("ListClaims", office="100101", pageSize=2)
    second = manager.get("ListClaims", office="100101", pageSize=2, pageToken=first["nextPageToken"])
    submitted = manager.get("ListClaims", office="100101", state="CLAIM_STATE_SUBMITTED")

    assert (references(first), references(second)) == ([started[3], started[2]], [started[0]])
    assert {claim["officeCode"] for claim in first["claims"]} == {"100101"}
    assert references(submitted) == references(manager.get("ListClaims", office="999999")) == []


def test_only_its_assessors_and_managers_are_told_who_is_seen_at_an_office(
    desk: Any, book: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    claim_ref = desk().submitted(single_tenant)["claimRef"]
    book(claim_ref, "100101")
    body = {"state": "CLAIM_STATE_SUBMITTED"}
    others = [desk(role, "ST000001") for role in ("SUPPORT", "PROCESSING_OFFICER", "CASEWORKER")]
    others += [desk("OPERATOR", "OP000002"), desk("ASSESSOR", "AS2", office="100102")]
    own = desk("ASSESSOR", "AS1", office="100101")

    refused = [person.call("ListClaims", office="100101") for person in others]
    offices = [person.get("ListClaims", **body)["claims"][0]["officeCode"] for person in others]
    seen = own.get("ListClaims", office="100101")["claims"][0]

    assert {(reply.code, reply.reason) for reply in refused} == {("permission_denied", "OTHER_OFFICE")}
    assert set(offices) == {""}
    assert seen["officeCode"] == "100101"
    assert "claimant" not in seen
    with psycopg.connect(database_urls.owner) as conn:
        query = "SELECT claim_ref, purpose FROM access_log WHERE subject = 'AS1' AND outcome = 'SHOWN'"
        assert conn.execute(query).fetchall() == [(claim_ref, "list of office 100101")]


def test_operators_see_in_a_list_the_claimants_of_their_own_calls(desk: Any) -> None:
    first, second = desk(), desk(subject="OP000002")
    mine = first.start("AB000001C")["claim"]["claimRef"]
    theirs = second.start("AB000002C")["claim"]["claimRef"]

    shown = first.get("ListClaims", state="CLAIM_STATE_DRAFT")["claims"]
    manager = desk("SERVICE_MANAGER", "SM1", purpose=f"work item {theirs}")
    listed = manager.get("ListClaims", state="CLAIM_STATE_DRAFT")["claims"]

    assert [claim["claimRef"] for claim in shown if "claimant" in claim] == [mine]
    assert [claim["claimant"]["nino"] for claim in listed if "claimant" in claim] == ["AB000002C"]


UNSOUND: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"nino", "surname", "state", "office"}),
    ({"office": "Canary"}, {"office"}),
    ({"office": "1001011"}, {"office"}),
    ({"surname": "Canary"}, {"date_of_birth"}),
    ({"dateOfBirth": BORN, "state": "CLAIM_STATE_DRAFT"}, {"surname"}),
    ({"surname": "Canary", "dateOfBirth": BORN | {"month": 14}}, {"date_of_birth"}),
    ({"nino": "QQ123456C"}, {"nino"}),
    ({"nino": "AB123456C", "postcode": "Canary"}, {"postcode"}),
    ({"nino": "AB123456C", "pageSize": 201, "pageToken": "Canary"}, {"page_token"}),
    ({"nino": "AB123456C", "pageSize": -1, "pageToken": "TWF5fEM="}, {"page_size", "page_token"}),
]


def test_a_search_that_cannot_be_made_names_its_fields(desk: Any) -> None:
    for body, fields in UNSOUND:
        reply = desk().call("ListClaims", **body)

        assert (body, reply.code, reply.fields) == (body, "invalid_argument", fields)
        assert "Canary" not in reply.text
        assert "QQ123456C" not in reply.text


def facts(desk: Any, service: str, claim: Any, **more: Any) -> Any:
    return desk("SERVICE", service).get("GetClaimFacts", claimRef=claim["claimRef"], **more)["facts"]


def test_each_service_gets_the_facts_that_it_may_have(desk: Any, couple_with_children: Any) -> None:
    claim = desk(grade="EO").submitted(couple_with_children)

    gateway, notifier = (facts(desk, service, claim) for service in ("legacy-gateway", "la-notifier"))

    assert gateway["answers"]["account_number"] == "12345678"
    assert not {"account_number", "sort_code", "capital"} & notifier["answers"].keys()
    assert notifier["answers"]["capital_band"] == "UP_TO_6000"
    other = desk("SERVICE", "scheduling-svc").call("GetClaimFacts", claimRef=claim["claimRef"])
    assert (other.code, other.reason) == ("permission_denied", "CALLING_SERVICE")
    assert (gateway["operator"], gateway["operatorGrade"]) == ("OP000001", "EO")
    assert gateway["state"] == "CLAIM_STATE_SUBMITTED"
    assert gateway["firstContactRecorded"]


def test_facts_are_given_as_they_were_at_a_version(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)
    operator.amend(claim, capital="999.00")

    then = facts(desk, "legacy-gateway", claim, version=claim["version"])
    now = facts(desk, "legacy-gateway", claim)

    assert [(seen["version"], seen["answers"]["capital"]) for seen in (then, now)] == [
        (claim["version"], "350.00"),
        (claim["version"] + 1, "999.00"),
    ]
    for version in (claim["version"] + 2, -1):
        reply = desk("SERVICE", "legacy-gateway").call("GetClaimFacts", claimRef=claim["claimRef"], version=version)
        assert (reply.code, reply.fields) == ("invalid_argument", {"version"})


def test_an_operator_whose_token_names_no_grade_is_an_administrative_officer(desk: Any) -> None:
    claim = desk().start()["claim"]

    assert facts(desk, "legacy-gateway", claim)["operatorGrade"] == "AO"
