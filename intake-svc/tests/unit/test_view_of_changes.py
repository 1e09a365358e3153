"""A client's earlier view, with the changes that the response to a save names, is the interview after it."""

import random
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from cms.intake.v1 import intake_pb2 as pb
from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Answers, evaluate, with_consent
from intake.domain.place import Place
from intake.domain.script import Kind, Question, Script
from intake.grpc_api.messages import put_interview
from intake.service.interviews import InterviewShown

CONTACT = date(2026, 3, 2)

SCRIPT = load_catalogues().newest.script_for(["JOBSEEKERS_ALLOWANCE"])
NAMES = ["Hughes", "O’Brien-Łukasz", "李"]
COUNCILS = ["E08000035", "E08000032", "E07000165"]
PLACES = [
    Place(is_listed=True, councils=()),
    Place(is_listed=True, councils=tuple(COUNCILS[:2])),
    Place(is_listed=False, councils=tuple(COUNCILS)),
]
TEXTS = ["Bookkeeper", "Tŷ Coffi", "a" * 70]


def drawn(question: Question, draw: random.Random) -> Any:
    """An answer by the question's kind alone, now and then a gap or none."""
    if draw.random() < 0.2:
        return draw.choice([None, {"gap": "NOT_KNOWN"}])
    if question.kind is Kind.GROUP:
        return [{field.id: part(field, draw) for field in question.fields} for _ in range(draw.randrange(3))]
    return part(question, draw)


def part(field: Any, draw: random.Random) -> Any:
    makers: dict[Kind, Any] = {
        Kind.YES_NO: lambda: draw.choice([True, False]),
        Kind.CHOICE: lambda: draw.choice([choice.code for choice in field.choices] or COUNCILS),
        Kind.CHOICES: lambda: [choice.code for choice in field.choices if draw.choice([True, False])],
        Kind.POSTCODE: lambda: draw.choice(["LS1 4AP", "LS1 9ZZ"]),
        Kind.TEXT: lambda: draw.choice(TEXTS),
        Kind.NAME: lambda: draw.choice(NAMES),
        Kind.NINO: lambda: f"AB{draw.randrange(10**6):06}C",
        Kind.PHONE: lambda: "0113 496 0999",
        Kind.EMAIL: lambda: "a@example.com",
        Kind.SORT_CODE: lambda: "200001",
        Kind.ACCOUNT_NUMBER: lambda: "12345678",
        Kind.DATE: lambda: draw.choice(["1980-02-29", "2015-01-31", "2026-02-01", "2025-12-24"]),
        Kind.MONEY: lambda: f"{draw.randrange(10**4)}.50",
        Kind.NUMBER: lambda: draw.choice([0, 7, 16.5, 40]),
        Kind.ADDRESS: lambda: {"lines": [draw.choice(TEXTS), "Leeds"], "postcode": "LS1 4AP"},
    }
    return makers[field.kind]()


def after_a_save(script: Script, today: date, before: Answers, draw: random.Random, version: int) -> Answers:
    """The answers after one save of some questions, some with consent to a form."""
    changed: dict[str, Answer] = {}
    for name in draw.sample(sorted(script.questions), draw.randint(1, 6)):
        question = script.questions[name]
        try:
            value = validate_answer(script.questions, name, drawn(question, draw), today=today)
        except InvalidArgument:
            continue
        place = draw.choice(PLACES) if question.located and isinstance(value, dict) and "lines" in value else None
        answer = Answer(value=value, place=place, version=version)
        changed[name] = with_consent(question, answer) if draw.random() < 0.3 else answer
    return {**before, **changed}


def shown(script: Script, answers: Answers, version: int, language: str) -> InterviewShown:
    interview = evaluate(script, answers, language=language, contact_date=CONTACT)
    return InterviewShown(claim_ref="C00000000000", version=version, interview=interview)


def message(shown_now: InterviewShown, before: InterviewShown | None = None) -> pb.Interview:
    written = pb.Interview()
    put_interview(
        written,
        InterviewShown(
            claim_ref=shown_now.claim_ref, version=shown_now.version, interview=shown_now.interview, before=before
        ),
        None,
    )
    return written


def merged(full: pb.Interview, changes: pb.Interview) -> pb.Interview:
    """Applies the changes as a client does it, by the contract's words about the view CHANGED."""
    questions = {question.id: question for question in full.questions}
    questions |= {question.id: question for question in changes.questions}
    sections = {section.name: section for section in full.sections} | {part.name: part for part in changes.sections}
    after = pb.Interview()
    after.CopyFrom(changes)
    del after.sections[:], after.questions[:], after.removed_question_ids[:]
    after.sections.extend(sections.values())
    kept = [question for name, question in questions.items() if name not in changes.removed_question_ids]
    after.questions.extend(sorted(kept, key=lambda question: question.position))
    return after


@given(seed=st.integers(0, 2**32), saves=st.integers(1, 6), language=st.sampled_from(["EN", "CY"]))
def test_the_interview_before_with_the_changes_is_the_interview_after(
    seed: int, saves: int, language: str, today: date
) -> None:
    script, draw = SCRIPT, random.Random(seed)
    answers: Answers = {}
    before = shown(script, answers, 1, language)
    held = message(before)
    for version in range(2, saves + 2):
        answers = after_a_save(script, today, answers, draw, version)
        after = shown(script, answers, version, language)
        changes = message(after, before)

        held = merged(held, changes)

        assert held == message(after)
        assert set(changes.removed_question_ids) <= {
            state.question.id for state in before.interview.questions if state.relevant
        }
        before = after


def test_a_save_of_nothing_new_changes_nothing(script: Script) -> None:
    same = shown(script, {}, 1, "EN")

    changes = message(same, same)

    assert not changes.questions
    assert not changes.sections
    assert not changes.removed_question_ids
    assert (changes.version, changes.next_question_id, changes.remaining) == (
        1,
        "can_manage_today",
        same.interview.remaining,
    )
