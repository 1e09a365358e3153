"""Searches for a person are noted and limited, so that nobody finds a birth date by trying."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf import json_format

from chassis.pages import token_of
from chassis.runtime import Process
from cms.intake.v1 import intake_pb2
from intake.service.searches import MOST_BIRTH_DATES, MOST_IN_AN_HOUR


def born(day: int) -> dict[str, int]:
    return {"year": 1984, "month": 1, "day": day}


def by_birth_dates(operator: Any, surname: str, number: int) -> Iterator[Any]:
    for day in range(1, number + 1):
        yield operator.call("ListClaims", surname=surname, dateOfBirth=born(day))


def test_a_birth_date_is_not_found_by_trying(desk: Any) -> None:
    replies = list(by_birth_dates(desk(), "Hughes", MOST_BIRTH_DATES + 2))

    assert [reply.code for reply in replies[:MOST_BIRTH_DATES]] == ["ok"] * MOST_BIRTH_DATES
    assert [(reply.code, reply.reason) for reply in replies[MOST_BIRTH_DATES:]] == [
        ("resource_exhausted", "SEARCH_LIMIT")
    ] * 2


def test_a_birth_date_that_was_typed_before_and_another_surname_are_no_tries(desk: Any) -> None:
    operator = desk()
    list(by_birth_dates(operator, "Hughes", MOST_BIRTH_DATES))

    again = operator.call("ListClaims", surname="HUGHES", dateOfBirth=born(1))
    other = operator.call("ListClaims", surname="Roberts", dateOfBirth=born(28))

    assert (again.code, other.code) == ("ok", "ok")


def test_another_subject_has_searches_of_its_own(desk: Any) -> None:
    list(by_birth_dates(desk(), "Hughes", MOST_BIRTH_DATES))

    assert desk("OPERATOR", "OP000002").call("ListClaims", surname="Hughes", dateOfBirth=born(28)).code == "ok"


def test_a_subject_searches_so_often_in_an_hour_and_not_more(desk: Any, process: Process) -> None:
    operator = desk()
    for _ in range(MOST_IN_AN_HOUR):
        assert operator.call("ListClaims", nino="AB123456C").code == "ok"

    refused = operator.call("ListClaims", nino="AB123456C")
    by_state = operator.call("ListClaims", state="CLAIM_STATE_DRAFT")

    assert (refused.code, refused.reason) == ("resource_exhausted", "SEARCH_LIMIT")
    assert by_state.code == "ok"
    with process.database.transaction() as conn:
        rows = conn.execute("SELECT DISTINCT subject, nino_lookup IS NULL AS bare FROM searches").fetchall()
    assert rows == [{"subject": "OP000001", "bare": False}]


def test_the_refusal_says_until_when(desk: Any) -> None:
    *_, refused = by_birth_dates(desk(), "Hughes", MOST_BIRTH_DATES + 1)

    until = json.loads(refused.text)["details"][0]["debug"]["metadata"]["retry_time"]
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)


def test_a_page_token_that_somebody_made_up_is_no_way_round_the_limit(desk: Any) -> None:
    operator = desk()
    list(by_birth_dates(operator, "Hughes", MOST_BIRTH_DATES))
    wanted = {"surname": "Hughes", "dateOfBirth": born(28)}
    request = json_format.ParseDict(wanted, intake_pb2.ListClaimsRequest())

    made_up = token_of(request, datetime(9999, 12, 31, tzinfo=UTC), "C")
    reply = operator.call("ListClaims", **wanted, pageToken=made_up)

    assert (reply.code, reply.reason) == ("resource_exhausted", "SEARCH_LIMIT")


@pytest.mark.parametrize("page_size", [1])
def test_a_further_page_is_part_of_its_search(desk: Any, process: Process, page_size: int) -> None:
    operator = desk()
    for scheme in ("JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT"):
        operator.start(schemes=[f"SCHEME_{scheme}"])
    first = operator.get("ListClaims", nino="AB123456C", pageSize=page_size)

    operator.get("ListClaims", nino="AB123456C", pageSize=page_size, pageToken=first["nextPageToken"])

    with process.database.transaction() as conn:
        row = conn.execute("SELECT count(*) AS number FROM searches").fetchone()
    assert row == {"number": 1}
