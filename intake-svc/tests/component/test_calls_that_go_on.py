"""Calls on hold, calls that go on after a dropped line, wrong numbers, and who was on the line."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock

ABANDONED, COMPLETED = "CALL_OUTCOME_ABANDONED", "CALL_OUTCOME_COMPLETED"


def end(operator: Any, call: Any, outcome: str = COMPLETED) -> Any:
    return operator.once("EndCall", callId=call["callId"], outcome=outcome)["call"]


def seconds(call: Any) -> tuple[int, ...]:
    return tuple(int(call[name]) for name in ("talkSeconds", "holdSeconds", "wrapUpSeconds"))


def test_the_times_of_a_call_are_counted_apart(desk: Any, clock_file: Path) -> None:
    operator = desk()
    call = operator.start()["call"]
    for minutes, method in ((4, "HoldCall"), (1, "ResumeCall")):
        clock.advance(timedelta(minutes=minutes))
        operator.once(method, callId=call["callId"])
    clock.advance(timedelta(minutes=8))
    ended = end(operator, call)
    clock.advance(timedelta(minutes=2))
    over = operator.once("EndWrapUp", callId=call["callId"])["call"]

    assert (call["state"], ended["state"], over["state"]) == (
        "CALL_STATE_TALKING",
        "CALL_STATE_WRAP_UP",
        "CALL_STATE_OVER",
    )
    talk, hold, wrap_up = seconds(over)
    assert (talk // 60, hold // 60, wrap_up // 60) == (12, 1, 2)


def test_the_next_call_ends_the_wrap_up(desk: Any, clock_file: Path) -> None:
    operator = desk()
    first = operator.start("AB123456C")
    end(operator, first["call"])
    clock.advance(timedelta(minutes=3))

    operator.start("CE123456A")

    reader = desk("SERVICE_MANAGER", "SM000001", purpose="own work")
    [record] = reader.get("ListCalls", claimRef=first["claim"]["claimRef"])["calls"]
    assert (record["call"]["state"], seconds(record["call"])[2] // 60) == ("CALL_STATE_OVER", 3)


def test_a_dropped_call_goes_on_with_another_operator_after_security(
    desk: Any, clock_file: Path, single_tenant: Any
) -> None:
    first, second = desk(), desk(subject="OP000002")
    started = first.start()
    claim_ref = started["claim"]["claimRef"]
    first.record(claim_ref, 1, surname="Hughes", date_of_birth="1980-02-29")
    clock.advance(timedelta(minutes=8))
    end(first, started["call"], ABANDONED)
    clock.advance(timedelta(minutes=12))

    resumed = second.once("ResumeCall", claimRef=claim_ref)
    early = second.try_record(claim_ref, 2, sex="F")
    asked = resumed["call"]["securityQuestions"]
    answers = [{"questionId": part["questionId"], "value": single_tenant[part["questionId"]]} for part in asked]
    second.once("PassSecurity", callId=resumed["call"]["callId"], answers=answers)
    second.record(claim_ref, 2, sex="F")
    clock.advance(timedelta(minutes=6))
    ended = end(second, resumed["call"])

    reader = desk("SERVICE_MANAGER", "SM000001", purpose="own work")
    [record] = reader.get("ListCalls", claimRef=claim_ref)["calls"]
    assert (record["operator"], record["earlierOperators"]) == ("OP000002", ["OP000001"])
    assert resumed["call"]["callId"] == started["call"]["callId"]
    assert resumed["claim"] == {**resumed["claim"], "claimRef": claim_ref, "state": "CLAIM_STATE_DRAFT"}
    assert early.reason == "CALL_REQUIRED"
    assert seconds(ended)[0] // 60 == 14
    assert first.call("GetInterview", claimRef=claim_ref).reason == "CALL_REQUIRED"


def test_an_open_call_is_taken_over_when_its_line_was_dropped(desk: Any) -> None:
    first, second = desk(), desk(subject="OP000002")
    started = first.start()
    claim_ref = started["claim"]["claimRef"]

    resumed = second.once("ResumeCall", claimRef=claim_ref)["call"]

    assert resumed["security"] == "CALL_SECURITY_REQUIRED"
    assert first.try_once("EndCall", callId=resumed["callId"], outcome=ABANDONED).reason == "CALL_REQUIRED"
    assert first.call("GetInterview", claimRef=claim_ref).reason == "CALL_REQUIRED"


def test_the_operator_who_had_the_call_goes_on_without_security(desk: Any) -> None:
    operator = desk()
    started = operator.start()
    end(operator, started["call"], ABANDONED)

    resumed = operator.once("ResumeCall", claimRef=started["claim"]["claimRef"])["call"]

    assert resumed["security"] == "CALL_SECURITY_PASSED"
    assert operator.record(started["claim"]["claimRef"], 1, sex="F")["version"] == 2


@pytest.mark.parametrize("outcome", [COMPLETED, "CALL_OUTCOME_WRONG_NUMBER"])
def test_a_call_that_was_not_dropped_does_not_go_on(desk: Any, outcome: str) -> None:
    operator = desk()
    started = operator.start()
    end(operator, started["call"], outcome)

    reply = operator.try_once("ResumeCall", claimRef=started["claim"]["claimRef"])

    assert (reply.code, reply.reason) == ("failed_precondition", "NO_DROPPED_CALL")


def test_a_wrong_number_leaves_no_claim_behind(desk: Any) -> None:
    operator = desk()
    started = operator.start()
    claim_ref = started["claim"]["claimRef"]

    end(operator, started["call"], "CALL_OUTCOME_WRONG_NUMBER")

    reader = desk("SERVICE_MANAGER", "SM000001", purpose="own work")
    claim = reader.get("GetClaim", claimRef=claim_ref)["claim"]
    assert (claim["state"], claim["version"]) == ("CLAIM_STATE_WITHDRAWN", 2)
    assert claim["withdrawal"]["cause"] == "WITHDRAWAL_CAUSE_WRONG_NUMBER"
    assert not operator.start()["resumed"]


def test_a_wrong_number_leaves_a_claim_alone_that_was_answered_in_or_called_about(desk: Any) -> None:
    operator = desk()
    answered = operator.start("AB123456C")
    operator.record(answered["claim"]["claimRef"], 1, sex="F")
    end(operator, answered["call"], "CALL_OUTCOME_WRONG_NUMBER")
    earlier = operator.start("CE123456A")
    end(operator, earlier["call"], ABANDONED)
    end(operator, operator.start("CE123456A")["call"], "CALL_OUTCOME_WRONG_NUMBER")

    states = [
        operator.get("GetClaim", claimRef=started["claim"]["claimRef"])["claim"]["state"]
        for started in (answered, earlier)
    ]

    assert states == ["CLAIM_STATE_DRAFT"] * 2


def test_the_calls_about_a_claim_show_who_acted_and_by_what_authority(desk: Any) -> None:
    appointee = {
        "relation": "CALLER_RELATION_REPRESENTATIVE",
        "name": "Ann Price",
        "capacity": "REPRESENTATIVE_CAPACITY_APPOINTEE",
        "authority": "Form BF57 of 3 May 2005",
    }
    operator = desk()
    first = operator.start(caller=appointee, needs=["CALL_NEED_INTERPRETER"])
    claim_ref = first["claim"]["claimRef"]
    operator.record(claim_ref, 1, date_of_birth="1980-02-29")
    operator.start(needs=["CALL_NEED_TEXTPHONE"])
    reader = desk("SERVICE_MANAGER", "SM000001", purpose="own work")

    newest, oldest = reader.get("ListCalls", claimRef=claim_ref)["calls"]
    page = reader.get("ListCalls", claimRef=claim_ref, pageSize=1)
    rest = reader.get("ListCalls", claimRef=claim_ref, pageSize=1, pageToken=page["nextPageToken"])

    assert oldest["caller"] == {**appointee, "claimantPresent": False}
    assert (oldest["authorityToBeShown"], newest["authorityToBeShown"]) == (True, False)
    assert (oldest["operator"], oldest["call"]["callId"]) == ("OP000001", first["call"]["callId"])
    assert [page["calls"], rest["calls"]] == [[newest], [oldest]]
    assert desk("PROCESSING_OFFICER", "PO000001").call("ListCalls", claimRef=claim_ref).reason == "PURPOSE_REQUIRED"
    claim = desk("SUPPORT", "SU000001").get("GetClaim", claimRef=claim_ref)["claim"]
    assert claim["needs"] == ["CALL_NEED_INTERPRETER", "CALL_NEED_TEXTPHONE"]


def test_the_caller_and_their_needs_are_not_asked_again(desk: Any) -> None:
    attorney = {
        "relation": "CALLER_RELATION_REPRESENTATIVE",
        "name": "Ann Price",
        "capacity": "REPRESENTATIVE_CAPACITY_POWER_OF_ATTORNEY",
        "authority": "Enduring power of 2004",
    }
    operator = desk()

    started = operator.start(caller=attorney, needs=["CALL_NEED_INTERPRETER", "CALL_NEED_TEXTPHONE"])

    answers = {part["id"]: part["answer"] for part in started["interview"]["questions"] if "answer" in part}
    known = {name: answers[name] for name in ("caller_role", "caller_name", "needs_interpreter", "contact_format")}
    assert known == {
        "caller_role": "ATTORNEY",
        "caller_name": "Ann Price",
        "needs_interpreter": True,
        "contact_format": "TEXTPHONE",
    }


def test_needs_that_were_answered_are_told_to_those_who_may_see_the_answers(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, needs_interpreter=True)

    own = operator.get("GetClaim", claimRef=claim_ref)["claim"]
    other = desk("SUPPORT", "SU000001").get("GetClaim", claimRef=claim_ref)["claim"]

    assert (own["needs"], other["needs"]) == (["CALL_NEED_INTERPRETER"], [])
