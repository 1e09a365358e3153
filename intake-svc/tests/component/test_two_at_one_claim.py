"""Two people at one claim: the second is told what changed, and the history says who, when, old, new and why."""

import json
from typing import Any

import pytest

RIGHT = [{"questionId": "date_of_birth", "value": "1980-02-29"}]


@pytest.fixture
def claim(desk: Any) -> Any:
    """A draft with some answers, open in a call of OP000001."""
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    version = operator.record(claim_ref, 1, surname="Hughes", forenames="Ann", date_of_birth="1980-02-29")["version"]
    return {"claimRef": claim_ref, "version": version}


def second_at(desk: Any, claim: Any) -> Any:
    second = desk(subject="OP000002")
    call = second.start()["call"]
    second.once("PassSecurity", callId=call["callId"], answers=RIGHT)
    return second


def test_the_second_of_two_is_told_what_changed_and_who_changed_it_but_no_value(desk: Any, claim: Any) -> None:
    second = second_at(desk, claim)
    second.record(claim["claimRef"], 2, capital="4711.00", telephone="0113 496 0999")
    second.record(claim["claimRef"], 3, capital="4712.00")

    late = desk().try_record(claim["claimRef"], 2, surname="Hewes")

    assert (late.code, late.reason) == ("aborted", "STALE_VERSION")
    assert "4712" not in late.text
    assert "0999" not in late.text
    [_, changed] = json.loads(late.text)["details"]
    assert changed["type"] == "cms.common.v1.RecordChanged"
    told = [
        (change["field"], change["by"], change["roles"], change["version"]) for change in changed["debug"]["changes"]
    ]
    assert told == [("capital", "OP000002", ["ROLE_OPERATOR"], 4), ("telephone", "OP000002", ["ROLE_OPERATOR"], 3)]


def test_a_history_of_many_changes_comes_in_pages(desk: Any, claim: Any) -> None:
    operator = desk()
    operator.amend(claim, surname="Hewes", capital="12.00")
    whole = operator.get("GetHistory", claimRef=claim["claimRef"])["entries"]

    pages: list[Any] = []
    token = ""
    while not pages or token:
        page = operator.get("GetHistory", claimRef=claim["claimRef"], pageSize=2, pageToken=token)
        pages.append(page["entries"])
        token = page["nextPageToken"]

    assert {len(page) for page in pages[:-1]} == {2}
    assert [entry for page in pages for entry in page] == whole
    assert [entry["questionId"] for entry in whole][-2:] == ["capital", "surname"]
    last = whole[-1]
    assert (last["old"], last["new"], last["by"], last["roles"]) == ("Hughes", "Hewes", "OP000001", ["ROLE_OPERATOR"])
    assert (last["reason"], last["version"]) == ("corrected", 3)
    assert "old" not in whole[0]


def test_a_page_of_another_claims_history_is_refused(desk: Any, claim: Any) -> None:
    operator = desk()
    token = operator.get("GetHistory", claimRef=claim["claimRef"], pageSize=1)["nextPageToken"]
    other = operator.start("CE123456A")["claim"]["claimRef"]

    reply = operator.call("GetHistory", claimRef=other, pageToken=token)

    assert (reply.code, reply.fields) == ("invalid_argument", {"page_token"})
