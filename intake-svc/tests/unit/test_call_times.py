import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from intake.domain.call import Call, Caller, CallState, Outcome, Security, answers_of_call, needs_in
from intake.domain.interview import Answer

STARTED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ASKED = ("date_of_birth",)


def at(minutes: float) -> datetime:
    return STARTED + timedelta(minutes=minutes)


def call(**more: Any) -> Call:
    made = Call(
        call_id=uuid4(),
        claim_ref="C0000000000A",
        operator="OP000001",
        purpose="NEW",
        language="EN",
        security=Security.PASSED,
        catalogue=1,
        started=STARTED,
    )
    return replace(made, **more)


def end(made: Call, minutes: float, outcome: Outcome = Outcome.COMPLETED) -> Call:
    return made.end(outcome, at=at(minutes), call_back_time=None)


def resume(made: Call, minutes: float, operator: str = "OP000001") -> Call:
    return made.resume(operator=operator, questions=ASKED, catalogue=1, at=at(minutes))


def times(made: Call) -> tuple[int, int, int]:
    return made.talk_seconds, made.hold_seconds, made.wrap_up_seconds


def test_talk_hold_and_wrap_up_are_counted_apart() -> None:
    held = call().put_on_hold(at=at(4))
    again = resume(held, 6).put_on_hold(at=at(10))
    ended = end(resume(again, 11), 15)
    over = ended.end_wrap_up(at=at(18))

    assert [made.state for made in (held, ended, over)] == [CallState.ON_HOLD, CallState.WRAP_UP, CallState.OVER]
    assert times(over) == (12 * 60, 3 * 60, 3 * 60)
    assert over.call_seconds == 15 * 60


def test_a_call_that_ends_on_hold_counts_the_hold() -> None:
    assert times(end(call().put_on_hold(at=at(4)), 9)) == (4 * 60, 5 * 60, 0)


def test_a_dropped_call_goes_on_as_one_record_of_time() -> None:
    dropped = end(call(), 8, Outcome.ABANDONED).end_wrap_up(at=at(9))

    over = end(resume(dropped, 20), 26).end_wrap_up(at=at(27))

    assert resume(dropped, 20).state is CallState.TALKING
    assert times(over) == (14 * 60, 0, 2 * 60)


def test_another_operator_asks_the_security_questions_of_a_dropped_call() -> None:
    dropped = end(call(), 8, Outcome.ABANDONED)

    own, others = resume(dropped, 10), resume(dropped, 10, "OP000002")

    assert (own.operator, own.security) == ("OP000001", Security.PASSED)
    assert (others.operator, others.security, others.security_questions) == ("OP000002", Security.REQUIRED, ASKED)


def test_an_open_call_whose_line_was_dropped_goes_on_with_another_operator() -> None:
    taken = resume(call().put_on_hold(at=at(4)), 6, "OP000002")

    assert (taken.operator, taken.state, taken.hold_seconds) == ("OP000002", CallState.TALKING, 120)


def test_three_wrong_tries_stay_wrong_for_the_operator_who_resumes() -> None:
    dropped = end(call(security=Security.FAILED, tries_left=0), 8, Outcome.ABANDONED)

    assert resume(dropped, 9).security is Security.FAILED


@pytest.mark.parametrize(
    ("outcome", "minutes"), [(Outcome.COMPLETED, 9), (Outcome.WRONG_NUMBER, 9), (Outcome.ABANDONED, 8 + 121)]
)
def test_only_a_call_that_was_dropped_lately_goes_on(outcome: Outcome, minutes: float) -> None:
    with pytest.raises(FailedPrecondition) as raised:
        resume(end(call(), 8, outcome), minutes)

    assert raised.value.reason == "NO_DROPPED_CALL"


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (lambda: call().put_on_hold(at=at(1)).put_on_hold(at=at(2)), "CALL_ON_HOLD"),
        (lambda: end(call(), 1).put_on_hold(at=at(2)), "CALL_ENDED"),
        (lambda: resume(call(), 1), "CALL_NOT_ON_HOLD"),
        (lambda: call().end_wrap_up(at=at(1)), "CALL_NOT_ENDED"),
        (lambda: end(call(), 1).end_wrap_up(at=at(2)).end_wrap_up(at=at(3)), "CALL_OVER"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(refused: Any, reason: str) -> None:
    with pytest.raises(FailedPrecondition) as raised:
        refused()

    assert raised.value.reason == reason


def test_a_wrap_up_that_nobody_ended_counts_half_an_hour() -> None:
    assert end(call(), 8).end_wrap_up(at=at(600)).wrap_up_seconds == 30 * 60


def test_the_first_response_shows_the_call_as_it_began() -> None:
    began = call(needs=("TEXTPHONE",))

    over = end(resume(began.put_on_hold(at=at(1)), 2), 5).end_wrap_up(at=at(6))

    assert over.as_started() == began


@pytest.mark.parametrize(
    ("stated", "at_fault"),
    [
        ({}, {"authority"}),
        ({"name": ""}, {"name", "authority"}),
        ({"authority": "Form BF57"}, set()),
        ({"capacity": "APPOINTEE"}, {"authority"}),
        ({"capacity": "POWER_OF_ATTORNEY", "authority": "Enduring power of 2004"}, set()),
        ({"capacity": "HELPER"}, {"claimant_present"}),
        ({"capacity": "HELPER", "claimant_present": True}, set()),
        ({"relation": "SELF", "name": "", "capacity": "HELPER"}, {"capacity"}),
        ({"relation": "SELF", "name": ""}, set()),
    ],
)
def test_each_kind_of_caller_says_what_it_needs(stated: dict[str, Any], at_fault: set[str]) -> None:
    caller = Caller(**{"relation": "REPRESENTATIVE", "name": "J Price", "authority": "", **stated})

    assert {field for field, _ in caller.problems()} == at_fault


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ({"relation": "SELF", "name": ""}, {"caller_role": "SELF"}),
        ({"authority": "Form BF57"}, {"caller_name": "J Price"}),
        ({"capacity": "APPOINTEE"}, {"caller_role": "APPOINTEE", "caller_name": "J Price"}),
        ({"capacity": "POWER_OF_ATTORNEY"}, {"caller_role": "ATTORNEY", "caller_name": "J Price"}),
        ({"capacity": "HELPER"}, {"caller_role": "HELPER", "caller_name": "J Price"}),
    ],
)
def test_the_caller_and_their_needs_are_not_asked_again(stated: dict[str, Any], known: dict[str, Any]) -> None:
    caller = Caller(**{"relation": "REPRESENTATIVE", "name": "J Price", "authority": "", **stated})

    of_needs = {"needs_interpreter": True, "contact_format": "TEXTPHONE"}
    assert answers_of_call(caller, ()) == known
    assert answers_of_call(caller, ("TEXTPHONE", "MORE_TIME", "INTERPRETER")) == known | of_needs


def test_needs_are_read_from_a_record() -> None:
    record = {"needs_interpreter": Answer(value=True, version=2), "contact_format": Answer(value="BRAILLE", version=2)}

    assert needs_in(record) == {"INTERPRETER"}


STEPS = st.lists(st.tuples(st.sampled_from(["hold", "go_on", "drop", "take_over"]), st.integers(0, 90)), max_size=12)


@settings(max_examples=int(os.environ.get("CMS_EXAMPLES", "50")), deadline=None)
@given(steps=STEPS)
def test_every_second_of_a_call_is_counted_once(steps: list[tuple[str, int]]) -> None:
    made, minutes = call(), 0
    for step, passing in steps:
        minutes += passing
        with suppress(FailedPrecondition):
            match step:
                case "hold":
                    made = made.put_on_hold(at=at(minutes))
                case "go_on":
                    made = resume(made, minutes, made.operator)
                case "drop":
                    made = end(made, minutes, Outcome.ABANDONED)
                case _:
                    made = resume(made, minutes, "OP000002" if made.operator == "OP000001" else "OP000001")

    if made.ended is None:
        made = end(made, minutes + 1)
    assert made.ended is not None
    over = made.end_wrap_up(at=at(minutes + 2)) if made.state is CallState.WRAP_UP else made

    talk, hold, wrap_up = times(over)
    assert min(talk, hold, wrap_up) >= 0
    assert timedelta(seconds=talk) + over.hold + over.gap == made.ended - STARTED
    assert timedelta(seconds=wrap_up) <= over.gap + timedelta(minutes=30)
