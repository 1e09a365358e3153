"""Facts that are checked a group at once, and facts in dispute with both versions, through the doors."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls
from cms.intake.v1.events_pb2 import ClaimAmended

CLAIM = "C0123456789A"
PASSPORT = {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2020, "month": 2, "day": 29}}
DISPUTED = {"fact": "rent", "status": "ITEM_STATUS_DISPUTED", "otherValue": "85.00", "reason": "the tenancy says 85"}


@pytest.fixture(autouse=True)
def begun(intake: Any, others: Any, desk: Any) -> None:
    """A claim with two groups of facts, in progress at version 2."""
    intake.submit(surname="Jones", date_of_birth="1980-02-01", rent="70.00")
    intake.groups = {"rent": "your_home"}
    others.submit()
    others.book()
    desk.do("StartAssessment")


def items(assessment: Any) -> dict[str, Any]:
    return {item["fact"]: item for item in assessment["items"]}


def kept(database_urls: DatabaseUrls) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_urls.owner) as conn:
        return conn.execute("SELECT fact, outcome, raised_by, settled_by FROM disputes ORDER BY number").fetchall()


def test_a_group_is_confirmed_at_once_by_one_document_and_the_rest_stays(desk: Any) -> None:
    checked = items(desk.do("VerifyItems", version=2, groups=[{"group": "about_you", "evidence": PASSPORT}]))

    assert {fact: item["status"] for fact, item in checked.items()} == {
        "surname": "ITEM_STATUS_CONFIRMED",
        "date_of_birth": "ITEM_STATUS_CONFIRMED",
        "rent": "ITEM_STATUS_UNCHECKED",
    }
    assert checked["surname"]["evidence"] == checked["date_of_birth"]["evidence"] == PASSPORT
    assert checked["rent"]["group"] == "your_home"


def test_what_is_named_itself_or_in_dispute_is_not_the_groups(desk: Any) -> None:
    doubt = {"fact": "surname", "status": "ITEM_STATUS_DISPUTED"}

    first = desk.do("VerifyItems", version=2, items=[doubt], groups=[{"group": "about_you"}])
    again = desk.do("VerifyItems", version=first["version"], groups=[{"group": "about_you"}])

    for assessment in (first, again):
        assert items(assessment)["surname"]["status"] == "ITEM_STATUS_DISPUTED"
        assert items(assessment)["date_of_birth"]["status"] == "ITEM_STATUS_CONFIRMED"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"items"}),
        ({"groups": [{"group": "elsewhere"}]}, {"groups[0].group"}),
        ({"groups": [{"group": "about_you"}, {"group": "about_you"}]}, {"groups[1].group"}),
        ({"items": [{"fact": "rent", "status": "ITEM_STATUS_CONFIRMED", "reason": "so"}]}, {"items[0].status"}),
    ],
)
def test_a_check_that_says_nothing_or_of_no_group_is_named(desk: Any, body: dict[str, Any], fields: set[str]) -> None:
    refused = desk.call("VerifyItems", claimRef=CLAIM, version=2, requestId=str(uuid4()), **body)

    assert (refused.code, refused.fields) == ("invalid_argument", fields)


def test_a_disputed_fact_keeps_both_versions_until_it_is_settled(desk: Any, database_urls: DatabaseUrls) -> None:
    disputed = items(desk.do("VerifyItems", version=2, items=[DISPUTED]))["rent"]
    again = items(desk.do("StartAssessment"))["rent"]
    settled = items(desk.do("CorrectItem", version=3, fact="rent", value="85.00", reason="both agree"))["rent"]

    assert (disputed["value"], disputed["dispute"]["otherValue"]) == ("70.00", "85.00")
    assert (disputed["dispute"]["reason"], disputed["dispute"]["answeredVersion"]) == ("the tenancy says 85", 3)
    assert again == disputed
    assert (settled["value"], settled["status"], "dispute" in settled) == ("85.00", "ITEM_STATUS_CORRECTED", False)
    assert kept(database_urls) == [("rent", "CORRECTED", "AS000001", "AS000001")]


def test_a_second_doubt_replaces_the_first_and_an_amendment_drops_it(
    desk: Any, others: Any, database_urls: DatabaseUrls
) -> None:
    desk.do("VerifyItems", version=2, items=[DISPUTED])
    desk.do("VerifyItems", version=3, items=[DISPUTED | {"otherValue": "90.00"}])
    desk.do("VerifyItems", version=4, items=[{"fact": "rent", "status": "ITEM_STATUS_DISPUTED"}])
    others.send(ClaimAmended(changed_fields=["rent"]), version=8)

    assert kept(database_urls) == [("rent", "DROPPED", "AS000001", "AS000001"), ("rent", "DROPPED", "AS000001", None)]


def test_the_other_version_is_not_readable_in_the_database(desk: Any, database_urls: DatabaseUrls) -> None:
    desk.do("VerifyItems", version=2, items=[DISPUTED])

    with psycopg.connect(database_urls.owner) as conn:
        [[sealed]] = conn.execute("SELECT sealed FROM disputes").fetchall()
    assert b"85" not in bytes(sealed)
    assert b"tenancy" not in bytes(sealed)
