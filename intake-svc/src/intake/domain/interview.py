"""The interview: which questions a claim's answers make relevant, what is still to ask, and what holds up submission.

A question is relevant when its rule is true. While a name in the rule has no value the rule is unknown, and the
question is not (yet) relevant, unless the rest of the rule decides it. Only values of relevant questions feed rules:
a gap counts as missing, and so does the answer of a question that is no longer relevant, which is kept as history
but is no fact. All of it follows from the answers alone, never from the order in which they were given.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from intake.domain.answers import is_gap, rule_value
from intake.domain.rules import CelValue, Named
from intake.domain.script import Check, Question, Script, Section
from intake.domain.transliteration import record_form
from intake.domain.values import JsonValue


class Answer(Struct, frozen=True, kw_only=True):
    """An answer that was given: `value` is canonical (see `validate_answer`), None where it was cleared."""

    value: JsonValue
    record_form: JsonValue = None
    """The proposal that the claimant agreed to, where the record cannot hold the value."""
    version: int
    """The claim's version that this answer made."""

    @property
    def has_value(self) -> bool:
        """Whether it is neither cleared nor a gap."""
        value = self.value  # asked for each answer in each save: the test of `is_gap` is written out
        return value is not None and (type(value) is not dict or "gap" not in value)


Answers = Mapping[str, Answer]


class Blocker(StrEnum):
    """Why a question holds up submission."""

    REQUIRED = "REQUIRED"
    GAP_NOT_ALLOWED = "GAP_NOT_ALLOWED"
    PROPOSAL_NOT_ACCEPTED = "PROPOSAL_NOT_ACCEPTED"
    CHECK_FAILED = "CHECK_FAILED"


_DESCRIPTIONS = {
    Blocker.REQUIRED: "has no answer",
    Blocker.GAP_NOT_ALLOWED: "must be answered before the claim is submitted",
    Blocker.PROPOSAL_NOT_ACCEPTED: "needs the claimant's agreement to the form that the paying system can hold",
}


class QuestionState(Struct, frozen=True, kw_only=True):
    """A question as the interview stands; `answer` is kept also where the question is no longer relevant."""

    question: Question
    relevant: bool
    answer: Answer | None
    required: bool
    proposal: JsonValue
    """The form to agree to, while that is open; otherwise None."""
    problem: str | None
    """What a check says of the answer, in the interview's language."""
    blocker: Blocker | None
    is_open: bool
    """Whether it is still to be asked: relevant, and without an answer or with something left to put right."""
    written: dict[str, bytes] = {}
    """What a door has written of it, by language, so that it is written once: most states stay as they are.

    It follows from the rest, but states of which one was written are not equal.
    """


class SectionState(Struct, frozen=True, kw_only=True):
    """A section is complete when none of its questions holds up submission; optional ones may still be open."""

    section: Section
    complete: bool


class Missing(Struct, frozen=True, kw_only=True):
    """One thing that holds up submission; `description` fits a Violation and holds no value."""

    question_id: str
    blocker: Blocker
    description: str


class KnownValues(Struct, frozen=True, kw_only=True):
    """Which questions are relevant, which of them have a value, and the values that rules look at."""

    relevant: frozenset[str]
    valued: frozenset[str]
    rule_values: Named


class Interview(Struct, frozen=True, kw_only=True):
    """How an interview stands. Every question counts once: asked + remaining + not_relevant."""

    language: str
    answers: Answers
    """Of which all else follows."""
    sections: tuple[SectionState, ...]
    questions: tuple[QuestionState, ...]
    """All of them, in the script's order."""
    next_question_id: str | None
    """The first question that is open; None at the end."""
    asked: int
    """Relevant, and not open."""
    remaining: int
    """Open, optional ones too."""
    not_relevant: int
    known: KnownValues

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What holds up submission; empty: the claim can be submitted."""
        return tuple(_missing(self.questions))


def evaluate(
    script: Script,
    answers: Answers,
    *,
    language: str,
    known: KnownValues | None = None,
    before: Interview | None = None,
) -> Interview:
    """How the interview stands with these answers, which must be validated ones; `language` is "EN" or "CY".

    `known` is what `known_values` gives for them, where the caller has asked already. `before` is how the interview of
    this script stood before some of them changed, where the caller has it: what is the same is taken from it.
    What hangs on the day was checked when the answer was given: a claim that was sound stays so as the days go by.
    """
    values = known or known_values(script, answers)
    if before and before.language == language:
        states = _changed_states(script, answers, values, before)
    else:
        states = [
            _question_state(question, answers.get(name), values, language)
            for name, question in script.questions.items()
        ]
    still_open = [state for state in states if state.is_open]
    blocked = {state.question.section for state in still_open if state.blocker}
    return Interview(
        language=language,
        answers=answers,
        sections=tuple([_section_state(part, part.id not in blocked) for part in script.sections]),
        questions=tuple(states),
        known=values,
        next_question_id=still_open[0].question.id if still_open else None,
        asked=len(values.relevant) - len(still_open),
        remaining=len(still_open),
        not_relevant=len(states) - len(values.relevant),
    )


def facts(script: Script, answers: Answers, consumer: str, *, known: KnownValues | None = None) -> dict[str, JsonValue]:
    """What this consumer may know: values of relevant questions, without gaps, and derived facts, by name.

    `known` is what `known_values` gives for the answers, where the caller has it.
    """
    values = known or known_values(script, answers)
    seen = {
        name: _fact(question, answers[name].value, consumer)
        for name, question in script.questions.items()
        if consumer in question.seen_by and name in values.valued
    }
    derived = {fact.id: fact.rule.result(values.rule_values) for fact in script.derived if consumer in fact.seen_by}
    return seen | {name: result for name, result in derived.items() if result is not None}


def record_forms(answers: Answers, told: Iterable[str]) -> dict[str, JsonValue]:
    """For the facts that are told and that a record cannot hold: the forms to which the claimant agreed."""
    forms = {name: answers[name].record_form for name in told if name in answers}
    return {name: form for name, form in forms.items() if form is not None}


def security_questions(script: Script, answers: Answers) -> tuple[str, ...]:
    """The questions that can show who is calling: usable as a check, relevant, and answered by a value."""
    valued = known_values(script, answers).valued
    return tuple(name for name, question in script.questions.items() if question.security and name in valued)


def first_contact_known(script: Script, known: KnownValues) -> bool:
    """Whether identity, address, liability and the wish to claim are all known, be it that there is none."""
    return all(name in known.valued or name not in known.relevant for name in script.first_contact)


def open_proposal(question: Question, answer: Answer) -> JsonValue:
    """The record form to agree to; None where none is needed, or this one was agreed to."""
    if question.record is None or not answer.has_value:
        return None
    proposal = record_form(answer.value, question.record)
    return None if proposal == answer.record_form else proposal


def with_consent(question: Question, answer: Answer) -> Answer:
    """The answer with the claimant's agreement to the form that the record can hold; as it was where it needs none."""
    proposal = open_proposal(question, answer)
    return answer if proposal is None else replace(answer, record_form=proposal)


def known_values(script: Script, answers: Answers) -> KnownValues:
    """Relevance, in one pass: each rule comes after the questions at which it looks."""
    given = {name: answer.value for name, answer in answers.items() if answer.has_value}
    relevant = set(script.always_relevant)
    rule_values: dict[str, CelValue] = {}

    def look_at(names: Iterable[str]) -> None:
        for name in names:
            if name in given and name in script.named:
                rule_values[name] = rule_value(script.questions[name], given[name])

    look_at(script.always_relevant & given.keys())
    for rule, names in script.conditional:
        if rule.holds(rule_values):
            relevant.update(names)
            look_at(names)
    return KnownValues(relevant=frozenset(relevant), valued=frozenset(relevant & given.keys()), rule_values=rule_values)


def _changed_states(script: Script, answers: Answers, known: KnownValues, before: Interview) -> list[QuestionState]:
    """The states of before, and anew those that may have changed: by an answer, by relevance, or by what rules look at."""
    old = before.answers
    answered = {name for name, answer in answers.items() if old.get(name) is not answer} | (old.keys() - answers.keys())
    states = list(before.questions)
    for name in answered | (before.known.relevant ^ known.relevant) | script.ruled:
        if name in script.places:
            states[script.places[name]] = _question_state(
                script.questions[name], answers.get(name), known, before.language
            )
    return states


def _question_state(question: Question, answer: Answer | None, known: KnownValues, language: str) -> QuestionState:
    relevant = question.id in known.relevant
    required = relevant and _required(question, known.rule_values)
    if answer is None or answer.value is None:
        return _without_answer(question, relevant, required)
    if not relevant:
        return replace(_without_answer(question, relevant, required), answer=answer, written={})
    has_value = question.id in known.valued
    proposal = open_proposal(question, answer) if has_value else None
    failed = _failed_check(question, known.rule_values) if has_value else None
    blocker = _blocker(question, answer, required=required, proposal=proposal, failed=failed)
    return QuestionState(
        question=question,
        relevant=True,
        answer=answer,
        required=required,
        proposal=proposal,
        problem=failed.problem.spoken(language) if failed else None,
        blocker=blocker,
        is_open=blocker is not None,
    )


@cache
def _section_state(section: Section, complete: bool) -> SectionState:  # noqa: FBT001 - of a cached function
    return SectionState(section=section, complete=complete)


@cache
def _without_answer(question: Question, relevant: bool, required: bool) -> QuestionState:  # noqa: FBT001 - of a cached function
    """Most of an interview, and the same in each: made once."""
    return QuestionState(
        question=question,
        relevant=relevant,
        answer=None,
        required=required,
        proposal=None,
        problem=None,
        blocker=Blocker.REQUIRED if required else None,
        is_open=relevant,
    )


def _required(question: Question, values: Named) -> bool:
    return question.required if isinstance(question.required, bool) else question.required.holds(values)


def _failed_check(question: Question, values: Named) -> Check | None:
    if not question.cross_checks:
        return None
    return next((check for check in question.cross_checks if check.rule.result(values) is False), None)


def _blocker(
    question: Question, answer: Answer, *, required: bool, proposal: JsonValue, failed: Check | None
) -> Blocker | None:
    if failed:
        return Blocker.CHECK_FAILED
    if proposal is not None:
        return Blocker.PROPOSAL_NOT_ACCEPTED
    if required and is_gap(answer.value) and not question.gap_allowed:
        return Blocker.GAP_NOT_ALLOWED
    return None


def _missing(states: tuple[QuestionState, ...]) -> Iterator[Missing]:
    for state in states:
        if state.blocker:
            description = state.problem or _DESCRIPTIONS[state.blocker]
            yield Missing(question_id=state.question.id, blocker=state.blocker, description=description)


def _fact(question: Question, value: JsonValue, consumer: str) -> JsonValue:
    if isinstance(value, list) and question.fields:
        seen = {field.id for field in question.fields if consumer in field.seen_by}
        return [_only(seen, entry) for entry in value]
    return value


def _only(names: set[str], entry: JsonValue) -> JsonValue:
    return {name: part for name, part in entry.items() if name in names} if isinstance(entry, dict) else entry
