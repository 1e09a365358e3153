"""A save can answer with what it changed, and a retry of it answers with the same."""

from typing import Any
from uuid import uuid4

import pytest

RENT = ("wishes_housing_benefit", "rent_amount", "rent_period", "moved_in_on", "non_dependants")


def ids(interview: Any) -> set[str]:
    return {question["id"] for question in interview["questions"]}


def request(claim: Any, version: int, *, view: str = "INTERVIEW_VIEW_CHANGED", **values: Any) -> dict[str, Any]:
    answers = [{"questionId": name, "value": value} for name, value in values.items()]
    return {
        "claimRef": claim["claimRef"], "version": version, "answers": answers, "view": view, "requestId": str(uuid4())
    }  # fmt: skip


def test_a_save_returns_what_it_changed(desk: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]

    changed = operator.get("RecordAnswers", **request(claim, 1, tenure="COUNCIL_TENANT"))["interview"]

    assert ids(changed) == {"tenure", "liable_for_rent", "liable_for_council_tax"}
    assert (changed["version"], changed["sections"], changed["removedQuestionIds"]) == (2, [], [])
    full = operator.get("GetInterview", claimRef=claim["claimRef"])["interview"]
    assert all(question in full["questions"] for question in changed["questions"])
    assert all(changed[name] == full[name] for name in ("nextQuestionId", "asked", "remaining", "notRelevant"))


def test_a_save_names_the_questions_that_no_longer_apply(desk: Any, rest: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    operator.record(claim["claimRef"], 1, **rest)

    changed = operator.get("RecordAnswers", **request(claim, 2, tenure="NONE"))["interview"]

    assert ids(changed) == {"tenure"}
    assert set(RENT) < set(changed["removedQuestionIds"])


def test_a_section_that_becomes_complete_is_among_the_changes(desk: Any, rest: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    operator.record(claim["claimRef"], 1, **{name: value for name, value in rest.items() if name != "pension_weekly"})

    changed = operator.get("RecordAnswers", **request(claim, 2, pension_weekly="12"))["interview"]

    assert [(section["name"], section["complete"]) for section in changed["sections"]] == [("income", True)]


def test_an_answer_given_again_changes_nothing(desk: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    operator.record(claim["claimRef"], 1, sex="F")

    changed = operator.get("RecordAnswers", **request(claim, 2, sex="F"))["interview"]

    assert (changed["version"], changed["questions"], changed["sections"]) == (2, [], [])


@pytest.mark.parametrize("view", ["INTERVIEW_VIEW_FULL", "INTERVIEW_VIEW_UNSPECIFIED"])
def test_the_whole_interview_comes_unless_only_changes_are_asked_for(desk: Any, view: str) -> None:
    operator = desk()
    claim = operator.start()["claim"]

    saved = operator.get("RecordAnswers", **request(claim, 1, view=view, sex="F"))["interview"]

    assert saved == operator.get("GetInterview", claimRef=claim["claimRef"])["interview"]


def test_a_retry_has_the_view_of_the_first_try(desk: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    body = request(claim, 1, tenure="COUNCIL_TENANT")
    first = operator.get("RecordAnswers", **body)
    operator.record(claim["claimRef"], 2, tenure="OWNER_OCCUPIER", sex="F")

    again = operator.get("RecordAnswers", **body)
    other = operator.call("RecordAnswers", **body | {"view": "INTERVIEW_VIEW_FULL"})

    assert again == first
    assert other.reason == "REQUEST_ID_REUSED"


def test_an_amendment_returns_what_it_changed(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)
    body = {**request(claim, claim["version"], capital="£400"), "reason": "misheard"}

    first = operator.get("AmendAnswers", **body)

    assert ids(first["interview"]) == {"capital"}
    assert [change["new"] for change in first["changes"]] == ["400.00"]
    assert operator.get("AmendAnswers", **body) == first


def test_the_view_of_changes_is_a_small_part_of_the_whole(desk: Any, rest: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    operator.record(claim["claimRef"], 1, **rest)

    changed = operator.call("RecordAnswers", **request(claim, 2, sex="M"))
    full = operator.call("RecordAnswers", **request(claim, 3, view="INTERVIEW_VIEW_FULL", sex="F"))

    assert len(changed.text) * 10 < len(full.text), (len(changed.text), len(full.text))


def test_a_question_says_what_it_will_take(desk: Any) -> None:
    operator = desk()
    interview = operator.record(operator.start()["claim"]["claimRef"], 1, ever_worked=False)
    questions = {question["id"]: question for question in interview["questions"]}

    assert questions["surname"]["maxLength"] == 100
    assert questions["address"]["maxLength"] == 100
    assert questions["address"]["maxEntries"] == 5
    assert (questions["part_time_hours"]["maximum"], questions["part_time_hours"]["decimals"]) == (168, 1)
    assert (questions["capital"]["maximum"], questions["capital"]["decimals"]) == (9999999.99, 2)
    assert questions["pension_weekly"]["maximum"] == 99999.99
    assert questions["education_hours"]["decimals"] == 0
    assert questions["children"]["maxEntries"] == 20
    assert questions["children"]["fields"][0]["maxLength"] == 100
    assert questions["nino"]["gapsAllowed"] == ["NOT_KNOWN", "WILL_SEND"]
    assert not {"maxLength", "maximum", "decimals", "maxEntries"} & questions["sex"].keys()
    assert [question["position"] for question in questions.values()] == sorted(
        question["position"] for question in questions.values()
    )
