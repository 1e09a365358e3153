from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition
from intake.domain.call_back import LEASE, CallBack, CallBackOutcome, CallBackState, in_opening_hours

REAL = datetime(2026, 11, 30, 12, tzinfo=UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


PROMISED = moment("2005-07-11T09:00")  # a Monday in summer time, ten o'clock in London


def call_back(**more: Any) -> CallBack:
    made = CallBack(call_id=uuid4(), claim_ref="C0000000000A", language="EN", needs=(), due=PROMISED)
    return replace(made, **more)


def taken(made: CallBack) -> CallBack:
    return made.take("OP000001", now=made.due, real_now=REAL)


def tried(made: CallBack, outcome: CallBackOutcome = CallBackOutcome.NO_ANSWER) -> CallBack:
    return taken(made).record(outcome, operator="OP000001", at=made.due)


def test_an_unanswered_call_back_climbs_the_ladder_to_a_letter() -> None:
    made, due = call_back(), []
    while not made.is_letter:
        made = tried(made)
        due.append(made.due)

    assert due == [moment(f"2005-07-{text}") for text in ("11T10:00", "11T12:00", "11T15:00", "12T15:00", "12T15:00")]
    assert (made.attempts, made.taken_by) == (5, None)
    assert made.state(now=made.due, real_now=REAL) is CallBackState.LETTER_DUE


def test_the_letter_ends_the_ladder() -> None:
    letter = tried(call_back(), CallBackOutcome.NO_NUMBER)

    sent = tried(letter, CallBackOutcome.LETTER_SENT)

    assert (letter.is_letter, letter.due) == (True, PROMISED)
    assert (sent.letter_ended_time, sent.letter_ended_by) == (PROMISED, "OP000001")
    assert sent.state(now=PROMISED, real_now=REAL) is CallBackState.LETTER_SENT


def test_a_letter_that_cannot_be_sent_is_given_up() -> None:
    ended = tried(tried(call_back(), CallBackOutcome.NO_NUMBER), CallBackOutcome.NO_LETTER)

    assert ended.state(now=PROMISED, real_now=REAL) is CallBackState.GIVEN_UP


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2005-07-11T09:00", "2005-07-11T09:00"),
        ("2005-07-11T18:59", "2005-07-11T18:59"),
        ("2005-07-11T19:00", "2005-07-12T07:00"),  # 20:00 in London
        ("2005-07-12T02:00", "2005-07-12T07:00"),
        ("2005-07-15T20:00", "2005-07-18T07:00"),  # a Friday evening
        ("2005-12-23T21:00", "2005-12-28T08:00"),  # Christmas on a Sunday: its bank holidays are Monday and Tuesday
        ("2005-03-25T09:00", "2005-03-29T07:00"),  # Good Friday; summer time begins on Easter Sunday
    ],
)
def test_people_are_called_back_in_opening_hours(at: str, first: str) -> None:
    assert in_opening_hours(moment(at)) == moment(first)


def test_a_taken_call_back_is_nobody_elses_until_its_lease_ends() -> None:
    mine = taken(call_back())

    with pytest.raises(FailedPrecondition) as raised:
        mine.take("OP000002", now=PROMISED, real_now=REAL)

    assert raised.value.reason == "CALL_BACK_TAKEN"
    assert mine.take(
        "OP000001", now=PROMISED, real_now=REAL + timedelta(minutes=1)
    ).taken_until == REAL + LEASE + timedelta(minutes=1)
    assert mine.take("OP000002", now=PROMISED, real_now=REAL + LEASE).taken_by == "OP000002"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"is_settled": True}, "CALL_BACK_SETTLED"),
        ({"due": PROMISED + timedelta(seconds=1)}, "CALL_BACK_WAITING"),
        ({"letter_ended_time": PROMISED, "is_letter": True}, "CALL_BACK_LETTER_SENT"),
    ],
)
def test_a_call_back_that_is_not_due_is_not_taken(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(FailedPrecondition) as raised:
        call_back(**more).take("OP000001", now=PROMISED, real_now=REAL)

    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("made", "outcome", "reason"),
    [
        (call_back(), "NO_ANSWER", "CALL_BACK_NOT_TAKEN"),
        (call_back(taken_by="OP000002", taken_until=REAL), "NO_ANSWER", "CALL_BACK_NOT_TAKEN"),
        (call_back(taken_by="OP000001", taken_until=REAL, is_settled=True), "NO_ANSWER", "CALL_BACK_SETTLED"),
        (call_back(taken_by="OP000001", taken_until=REAL), "LETTER_SENT", "NO_LETTER_DUE"),
        (call_back(taken_by="OP000001", taken_until=REAL, is_letter=True), "NO_ANSWER", "CALL_BACK_LETTER_DUE"),
        (call_back(letter_ended_time=PROMISED, is_letter=True), "LETTER_SENT", "CALL_BACK_LETTER_SENT"),
    ],
)
def test_an_outcome_that_does_not_fit_is_refused(made: CallBack, outcome: str, reason: str) -> None:
    with pytest.raises(FailedPrecondition) as raised:
        made.record(CallBackOutcome(outcome), operator="OP000001", at=PROMISED)

    assert raised.value.reason == reason
