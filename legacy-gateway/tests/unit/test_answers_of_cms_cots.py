"""The gateway's reading of CMS-COTS's answers, also of those that no interface knows."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Unavailable
from chassis.http_line import Answer, HttpLine
from legacy_gateway.domain import ListingChanged, Result, SystemAnswer
from legacy_gateway.systems.cms_cots import CmsCots

DAY = date(2005, 7, 11)
HELD = {"application_id": "CC0000000001", "status": "REGISTERED"}


class Script:
    """A line with answers that were written beforehand; it keeps what was asked."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def call(self, method: str, path: str, **more: Any) -> Answer:
        self.asked.append((method, path, more.get("query")))
        return self.answers.pop(0)


def answer(status: int, body: Any, *, retry_after_seconds: float = 0.0) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, body=content, retry_after_seconds=retry_after_seconds)


def system(*answers: Answer) -> CmsCots:
    return CmsCots(cast(HttpLine, Script(answers)))


def sent(status: int, body: Any) -> SystemAnswer:
    return system(answer(status, body)).send(1, "T" * 26, b"{}", send_by=0.0)


def asked(status: int, body: Any) -> SystemAnswer:
    return system(answer(status, body)).ask("T" * 26)


@pytest.mark.parametrize(
    ("status", "result", "reason"),
    [
        (200, Result.HELD, "NONE"),
        (201, Result.HELD, "NONE"),
        (202, Result.NO_REPLY, "SYSTEM_ERROR"),
        (302, Result.NO_REPLY, "SYSTEM_ERROR"),
        (400, Result.SYSTEM_ERROR, "SYSTEM_ERROR"),
        (401, Result.SYSTEM_ERROR, "NOT_ADMITTED"),
        (403, Result.SYSTEM_ERROR, "NOT_ADMITTED"),
        (404, Result.SYSTEM_ERROR, "SYSTEM_ERROR"),
        (409, Result.CONFLICT, "OTHER_PAYLOAD"),
        (413, Result.SYSTEM_ERROR, "SYSTEM_ERROR"),
        (422, Result.REFUSED, "EDIT_RULE"),
        (429, Result.BUSY, "BUSY"),
        (500, Result.NO_REPLY, "SYSTEM_ERROR"),
        (502, Result.NO_REPLY, "SYSTEM_ERROR"),
        (503, Result.BUSY, "BUSY"),
    ],
)
def test_each_status_has_one_meaning_for_a_sender(status: int, result: Result, reason: str) -> None:
    found = sent(status, HELD)

    assert (found.result, found.reason) == (result, reason)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.HELD),
        (404, Result.NOT_KNOWN),
        (422, Result.SYSTEM_ERROR),
        (429, Result.BUSY),
        (500, Result.NO_REPLY),
    ],
)
def test_each_status_has_one_meaning_for_who_asks(status: int, result: Result) -> None:
    assert asked(status, HELD).result is result


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        {},
        [],
        HELD | {"status": "LOST"},
        HELD | {"application_id": ""},
        HELD | {"application_id": 1},
        HELD | {"application_id": "CC 1"},
        HELD | {"application_id": "C" * 41},
    ],
)
def test_a_success_that_cannot_be_read_is_no_answer(body: Any) -> None:
    assert sent(201, body) == SystemAnswer(result=Result.NO_REPLY, reason="UNREADABLE")
    assert asked(200, body).result is Result.NO_REPLY


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([200, 201, 422]), st.binary(max_size=300))
def test_no_body_makes_it_fail(status: int, body: bytes) -> None:
    assert sent(status, body).result in {Result.NO_REPLY, Result.REFUSED}


@settings(max_examples=20, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_no_json_makes_it_fail(body: Any) -> None:
    assert sent(422, body).result is Result.REFUSED
    assert asked(200, body).result is Result.NO_REPLY


@pytest.mark.parametrize("body", [{}, {"errors": []}, {"errors": None}, b"no JSON", {"errors": [{"code": 7}]}])
def test_a_refusal_without_a_rule_is_a_refusal_all_the_same(body: Any) -> None:
    [message] = sent(422, body).messages

    assert (message.code, message.field) == ("GW0003", "")


def test_the_same_fault_of_two_children_is_told_once() -> None:
    errors = [{"code": "CC0024", "field": f"children.{place}.date_of_birth", "message": "Kyle"} for place in range(2)]

    [message] = sent(422, {"errors": errors}).messages

    assert (message.code, message.field, message.question_id) == (
        "CC0024",
        "cots.children.date_of_birth",
        "children_nights",
    )


def row(number: int) -> dict[str, str]:
    return {"application_id": f"CC{number:010d}", "transfer_id": f"{number:026d}", "status": "REGISTERED"}


def test_pages_are_asked_for_one_after_the_other() -> None:
    first = answer(200, {"applications": [row(1), row(2)], "next": "CC0000000002"})
    line = Script([first, answer(200, {"applications": [row(3)]})])

    pages = list(CmsCots(cast(HttpLine, line)).held_on(DAY))

    assert [[one.legacy_ref for one in page] for page in pages] == [["CC0000000001", "CC0000000002"], ["CC0000000003"]]
    assert [query for _, _, query in line.asked] == [
        {"received_on": "2005-07-11"},
        {"received_on": "2005-07-11", "after": "CC0000000002"},
    ]


@pytest.mark.parametrize(
    "page",
    [
        {"applications": [], "next": "CC0000000001"},
        {"applications": [row(1)], "next": "CC0000000007"},
        {"applications": [row(number) for number in range(101)]},
        {"applications": [row(1) | {"transfer_id": "'; DROP TABLE"}]},
        {"applications": "none"},
        [],
    ],
)
def test_a_page_that_is_none_ends_the_list(page: Any) -> None:
    with pytest.raises(Unavailable):
        list(system(answer(200, page)).held_on(DAY))


def test_a_list_that_goes_round_ends() -> None:
    page = answer(200, {"applications": [row(1)], "next": "CC0000000001"})

    with pytest.raises(Unavailable):
        list(system(page, page).held_on(DAY))


def test_a_list_whose_last_page_is_gone_begins_again() -> None:
    first = answer(200, {"applications": [row(1)], "next": "CC0000000001"})

    with pytest.raises(ListingChanged):
        list(system(first, answer(422, {})).held_on(DAY))
