from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from intake.domain.call import Call, Outcome, Security, folded, questions_to_ask
from intake.domain.script import Script, Sensitivity

CONTACT = date(2026, 3, 2)
STARTED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def call(*questions: str, **more: Any) -> Call:
    return Call(
        call_id=uuid4(),
        claim_ref="C0000000000A",
        operator="OP000001",
        purpose="CHANGE",
        language="EN",
        security=Security.REQUIRED if questions else Security.PASSED,
        security_questions=questions,
        catalogue=1,
        started=STARTED,
        **more,
    )


def test_the_right_answers_pass_security(answered: Any, single_tenant: Any) -> None:
    record = answered(**single_tenant)

    tried = call("date_of_birth", "telephone").identify(
        {"date_of_birth": "1980-02-29", "telephone": "+441134960999"}, record
    )

    assert (tried.security, tried.tries_left) == (Security.PASSED, 3)


def test_the_third_wrong_try_ends_the_calls_access(answered: Any, single_tenant: Any) -> None:
    record, tried = answered(**single_tenant), call("date_of_birth")

    seen = []
    for _ in range(3):
        tried = tried.identify({"date_of_birth": "1980-02-28"}, record)
        seen.append((tried.security, tried.tries_left))

    assert seen == [(Security.REQUIRED, 2), (Security.REQUIRED, 1), (Security.FAILED, 0)]
    with pytest.raises(FailedPrecondition, match="are closed"):
        tried.identify({"date_of_birth": "1980-02-29"}, record)


@pytest.mark.parametrize("spelt", ["o'brien lukasz", "O’BRIEN-ŁUKASZ", "Obrien Łukasz"])
def test_names_match_by_their_letters(answered: Any, spelt: str) -> None:
    record = answered(surname="O’Brien-Łukasz")

    assert call("surname").identify({"surname": spelt}, record).security is Security.PASSED


@pytest.mark.parametrize("wrong", ["Łukas", None, {"gap": "NOT_KNOWN"}, True])
def test_near_misses_and_missing_answers_are_wrong(answered: Any, wrong: Any) -> None:
    record = answered(surname="Łukasz")

    assert call("surname").identify({"surname": wrong}, record).security is Security.REQUIRED


def test_a_cleared_answer_matches_nothing(answered: Any) -> None:
    assert call("telephone").identify({"telephone": None}, answered(telephone=None)).security is Security.REQUIRED


def test_a_try_must_answer_exactly_the_questions_asked(answered: Any, single_tenant: Any) -> None:
    with pytest.raises(InvalidArgument) as raised:
        call("date_of_birth", "telephone").identify({"telephone": "1", "sex": "F"}, answered(**single_tenant))

    assert {violation.field for violation in raised.value.violations} == {"date_of_birth", "sex"}


def test_at_most_three_security_questions_are_asked(script: Script, answered: Any, couple_with_children: Any) -> None:
    asked = questions_to_ask(script, answered(**couple_with_children), contact_date=CONTACT)

    assert asked == ("date_of_birth", "partner_date_of_birth", "telephone")


def test_answers_hidden_before_security_are_not_asked_for_to_pass_it(script: Script, answered: Any) -> None:
    surname = replace(script.questions["surname"], sensitivity=frozenset({Sensitivity.NOT_BEFORE_SECURITY}))
    marked = replace(script, questions={**script.questions, "surname": surname})

    held = answered(language="EN", nino="AB123456C", surname="Hughes")

    assert questions_to_ask(marked, held, contact_date=CONTACT) == ("nino",)


def test_a_record_without_security_answers_asks_for_everything_it_holds(script: Script, answered: Any) -> None:
    assert questions_to_ask(
        script, answered(language="EN", nino="AB123456C", surname="Hughes"), contact_date=CONTACT
    ) == ("surname", "nino")
    assert questions_to_ask(script, answered(language="EN"), contact_date=CONTACT) == ("language",)
    stated = answered(language="EN", caller_role="SELF", contact_format="TEXTPHONE", nino="AB123456C")
    assert questions_to_ask(script, stated, contact_date=CONTACT) == ("nino",)


def test_talk_time_runs_from_the_start_of_a_call_to_its_end() -> None:
    ended = call().end(Outcome.COMPLETED, at=STARTED + timedelta(minutes=19, seconds=2.9), call_back_time=None)

    assert (call().talk_seconds, ended.talk_seconds) == (0, 1142)


def test_a_call_ends_once() -> None:
    ended = call("surname").end(Outcome.ABANDONED, at=STARTED, call_back_time=None)

    with pytest.raises(FailedPrecondition, match="has ended"):
        ended.end(Outcome.COMPLETED, at=STARTED, call_back_time=None)
    with pytest.raises(FailedPrecondition, match="has ended"):
        ended.identify({"surname": "Hughes"}, {})


@pytest.mark.parametrize(
    ("outcome", "call_back_time"),
    [
        (Outcome.CALL_BACK, None),
        (Outcome.CALL_BACK, STARTED),
        (Outcome.COMPLETED, STARTED + timedelta(days=1)),
    ],
)
def test_only_a_call_back_has_a_call_back_time_and_it_lies_in_the_future(
    outcome: Outcome, call_back_time: datetime | None
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        call().end(outcome, at=STARTED, call_back_time=call_back_time)

    assert [violation.field for violation in raised.value.violations] == ["call_back_time"]


def test_as_started_gives_the_call_as_it_began(answered: Any) -> None:
    began = call("surname")
    later = began.identify({"surname": "Hughes"}, answered(surname="Hughes")).end(
        Outcome.COMPLETED, at=STARTED + timedelta(minutes=1), call_back_time=None
    )

    assert later.as_started() == began


@pytest.mark.parametrize(("text", "letters"), [("Siân", "sian"), ("李", "li"), ("St. John-Smith ", "stjohnsmith")])
def test_folding_keeps_only_the_letters_of_a_name(text: str, letters: str) -> None:
    assert folded(text) == letters
