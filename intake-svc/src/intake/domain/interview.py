"""The interview: the questions that a claim's answers make relevant, those still to ask, and those that hold up submission.

A question is relevant when its rule is true. While a name in the rule has no value the rule is unknown, and the
question is not (yet) relevant, unless the rest of the rule decides it. Only values of relevant questions feed rules:
a gap counts as missing, and so does the answer of a question that is no longer relevant, which is kept as history
but is no fact. The state depends on the answers alone, never on the order in which they were given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from chassis.errors import Text
from intake.domain import problems
from intake.domain.answers import is_gap, rule_value
from intake.domain.catalogue import closed_on
from intake.domain.place import Place
from intake.domain.rules import CelValue, Named, Rule, timestamp
from intake.domain.script import Question, Script, Section
from intake.domain.transliteration import record_form
from intake.domain.values import JsonValue


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that was given: `value` is canonical (see `validate_answer`), None where it was cleared."""

    value: JsonValue
    record_form: JsonValue = None
    """The proposal that the claimant agreed to, where the record cannot hold the value."""
    place: Place | None = None
    """The directory's entry for the postcode of an address."""
    confirmed_from: str | None = field(default=None, compare=False)
    """While it is being saved: the earlier claim whose answer was confirmed."""
    version: int
    """The claim's version that this answer made."""

    @property
    def has_value(self) -> bool:
        """Whether it is neither cleared nor a gap."""
        return self.value is not None and not is_gap(self.value)


Answers = Mapping[str, Answer]


class Blocker(StrEnum):
    """The reason why a question holds up submission."""

    REQUIRED = "REQUIRED"
    GAP_NOT_ALLOWED = "GAP_NOT_ALLOWED"
    PROPOSAL_NOT_ACCEPTED = "PROPOSAL_NOT_ACCEPTED"
    CHECK_FAILED = "CHECK_FAILED"
    NOT_ENTITLED = "NOT_ENTITLED"
    """The answer may well be true: then a scheme is not due. A submitted claim takes it all the same."""


_TEXTS = {
    Blocker.REQUIRED: problems.NO_ANSWER,
    Blocker.GAP_NOT_ALLOWED: problems.GAP_NOT_ALLOWED,
    Blocker.PROPOSAL_NOT_ACCEPTED: problems.NOT_AGREED,
}


@dataclass(frozen=True, kw_only=True)
class QuestionState:
    """The state of a question; `answer` is kept also where the question is no longer relevant."""

    question: Question
    relevant: bool
    answer: Answer | None
    required: bool
    proposal: JsonValue = None
    """The form to agree to, while the claimant has not agreed; otherwise None."""
    problem: Text | None = None
    """The message of the check that failed."""
    blocker: Blocker | None = None
    options: tuple[str, ...] = ()
    """The codes to choose from, where the place of an address gives them."""
    schemes: tuple[str, ...] = ()
    """The schemes of the claim that need it; none where it is not relevant."""
    is_open: bool
    """Whether it is still to be asked: relevant, and without an answer or with something left to put right."""


@dataclass(frozen=True, kw_only=True)
class SectionState:
    """A section is complete when none of its questions holds up submission; optional ones may still be open."""

    section: Section
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Missing:
    """One thing that holds up submission; `text` fits a Violation and holds no value."""

    question_id: str
    blocker: Blocker
    text: Text
    options: tuple[str, ...] = ()
    """The codes to choose from, where the place of an address gives them."""


@dataclass(frozen=True, kw_only=True)
class KnownValues:
    """The questions that are relevant, those that also have a value, and what rules see: the values, and the claim's."""

    relevant: frozenset[str]
    valued: frozenset[str]
    rule_values: Named
    claim_date: date
    """The date of claim."""
    held: Mapping[Rule, bool]
    """Whether each rule of relevance is true: many questions have the same one."""

    def holds(self, rule: Rule) -> bool:
        """Whether a rule is true; unknown is not."""
        known = self.held.get(rule)
        return rule.holds(self.rule_values) if known is None else known


@dataclass(frozen=True, kw_only=True)
class Interview:
    """The state of an interview. Every question counts once: asked + remaining + not_relevant."""

    script: Script
    language: str
    sections: tuple[SectionState, ...]
    questions: tuple[QuestionState, ...]
    """All of them, in the script's order."""
    next_question_id: str | None
    """The first question that is open, those that the claimant could not answer yet after all others; None at the end."""
    asked: int
    """Relevant, and not open."""
    remaining: int
    """Open, optional ones too."""
    not_relevant: int

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The list of what holds up submission; where it is empty, the claim can be submitted."""
        return tuple(_missing(self.questions))

    @property
    def gaps(self) -> tuple[QuestionState, ...]:
        """The relevant questions that the claimant has left open: not known yet, or to be sent."""
        return tuple(
            state for state in self.questions if state.relevant and state.answer and is_gap(state.answer.value)
        )

    @property
    def kept_out(self) -> tuple[QuestionState, ...]:
        """The questions that have an answer and are not relevant: it is kept, and is no fact."""
        return tuple(state for state in self.questions if state.answer and not state.relevant)


def evaluate(script: Script, answers: Answers, *, language: str, contact_date: date) -> Interview:
    """The state of the interview with these validated answers.

    `language` is "EN" or "CY", `contact_date` the London day of first contact. Checks that depend on the day were made
    when the answer was given: a sound claim stays sound as days go by.
    """
    known = known_values(script, answers, contact_date)
    states = tuple(
        _with_options(_question_state(script, question, answers.get(name), known), answers)
        for name, question in script.questions.items()
    )
    still_open = [state for state in states if state.is_open]
    return Interview(
        script=script,
        language=language,
        sections=_section_states(script, still_open),
        questions=states,
        next_question_id=_next_question(still_open),
        asked=len(known.relevant) - len(still_open),
        remaining=len(still_open),
        not_relevant=len(states) - len(known.relevant),
    )


def _next_question(still_open: Sequence[QuestionState]) -> str | None:
    """The call goes on past what the claimant does not know yet: that is asked again once all else was asked."""
    unasked = (state for state in still_open if not (state.answer and is_gap(state.answer.value)))
    following = next(unasked, still_open[0] if still_open else None)
    return following.question.id if following else None


def facts(script: Script, answers: Answers, consumer: str, *, contact_date: date) -> dict[str, JsonValue]:
    """The facts that this consumer may know: values of relevant questions, without gaps, and derived facts, by name."""
    known = known_values(script, answers, contact_date)
    seen = {
        name: _fact(question, answers[name].value, consumer)
        for name, question in script.questions.items()
        if consumer in question.seen_by and name in known.valued
    }
    derived = {fact.id: fact.rule.result(known.rule_values) for fact in script.derived if consumer in fact.seen_by}
    return seen | {name: result for name, result in derived.items() if result is not None}


def record_forms(answers: Answers, names: Iterable[str]) -> dict[str, JsonValue]:
    """The forms to which the claimant agreed, for those of these facts that a record cannot hold."""
    forms = {name: answers[name].record_form for name in names if name in answers}
    return {name: form for name, form in forms.items() if form is not None}


def security_questions(script: Script, answers: Answers, *, contact_date: date) -> tuple[str, ...]:
    """The questions that can show who is calling: usable as a check, relevant, and answered by a value."""
    valued = known_values(script, answers, contact_date).valued
    return tuple(name for name, question in script.questions.items() if question.security and name in valued)


def first_contact_known(script: Script, answers: Answers, *, contact_date: date) -> bool:
    """Whether identity, address, liability and the wish to claim are all known, even if the wish is not to claim."""
    return _all_known(script, script.first_contact, answers, contact_date)


def request_known(script: Script, scheme: str, answers: Answers, *, contact_date: date) -> bool:
    """Whether all is known, and sound, with which the application for this scheme is announced at once.

    A crisis loan is not announced before an interim payment was considered: a check of the scheme demands it.
    """
    facts = script.requests.get(scheme, ())
    if not facts or not _all_known(script, facts, answers, contact_date):
        return False
    known = known_values(script, answers, contact_date)
    return not any(_failed(script, script.questions[name], known) for name in facts if name in known.valued)


def _all_known(script: Script, names: Sequence[str], answers: Answers, contact_date: date) -> bool:
    """Whether each of these has a value or is not relevant."""
    unanswered = [name for name in names if name not in answers or not answers[name].has_value]
    if any(script.questions[name].relevant is None for name in unanswered):
        return False  # one that is always relevant is open: no rule can change that
    known = known_values(script, answers, contact_date)
    return all(name in known.valued or name not in known.relevant for name in names)


def open_proposal(question: Question, answer: Answer) -> JsonValue:
    """The record form to agree to; None where none is needed, or this one was agreed to."""
    if question.record is None or not answer.has_value:
        return None
    proposal = record_form(answer.value, question.record)
    return None if proposal == answer.record_form else proposal


def with_consent(question: Question, answer: Answer) -> Answer:
    """The answer with the claimant's agreement to the form that the record can hold; unchanged where it needs none."""
    proposal = open_proposal(question, answer)
    return answer if proposal is None else replace(answer, record_form=proposal)


def known_values(script: Script, answers: Answers, contact_date: date) -> KnownValues:
    """Relevance, in one pass: `script.order` puts each question after those on which its rule depends."""
    given = {name: answer for name, answer in answers.items() if answer.has_value}
    relevant: set[str] = set()
    valued: set[str] = set()
    claim_date = contact_date
    rule_values: dict[str, CelValue] = {"contact_date": timestamp(contact_date), "schemes": list(script.schemes)}
    _set_date(rule_values, script, claim_date)
    held: dict[Rule, bool] = {}
    for name in script.order:
        question = script.questions[name]
        rule = question.relevant
        if rule is not None and rule not in held:
            held[rule] = rule.holds(rule_values)
        if rule is None or held[rule]:
            relevant.add(name)
            if name in given:
                valued.add(name)
                rule_values[name] = rule_value(question, given[name].value, given[name].place)
                if name == script.claim_date:
                    claim_date = date.fromisoformat(str(given[name].value))
                    _set_date(rule_values, script, claim_date)
    return KnownValues(
        relevant=frozenset(relevant),
        valued=frozenset(valued),
        rule_values=rule_values,
        claim_date=claim_date,
        held=held,
    )


def _set_date(rule_values: dict[str, CelValue], script: Script, claim_date: date) -> None:
    """Sets the date of claim, and the value that each table has on that day: none before its first row."""
    rule_values["claim_date"] = timestamp(claim_date)
    for table in script.tables:
        value = table.on(claim_date)
        if value is None:
            rule_values.pop(table.id, None)
        else:
            rule_values[table.id] = value


def _section_states(script: Script, still_open: Sequence[QuestionState]) -> tuple[SectionState, ...]:
    blocked = {state.question.section for state in still_open if state.blocker}
    return tuple(SectionState(section=section, complete=section.id not in blocked) for section in script.sections)


def _question_state(script: Script, question: Question, answer: Answer | None, known: KnownValues) -> QuestionState:
    given = answer if answer and answer.value is not None else None
    if question.id not in known.relevant:
        return QuestionState(question=question, relevant=False, answer=given, required=False, is_open=False)
    required = _required(question, known.rule_values)
    proposal = open_proposal(question, given) if given else None
    failed = _failed(script, question, known) if given and given.has_value else None
    blocker = _blocker(question, given, required=required, proposal=proposal, failed=failed)
    return QuestionState(
        question=question,
        relevant=True,
        answer=given,
        required=required,
        proposal=proposal,
        problem=failed.problem if failed else None,
        blocker=blocker,
        schemes=_schemes(question, known),
        is_open=given is None or blocker is not None,
    )


def _schemes(question: Question, known: KnownValues) -> tuple[str, ...]:
    """If all schemes have the same rule, it holds for all: the question is relevant."""
    return question.needed_alike or tuple(
        need.scheme for need in question.needs if need.relevant is None or known.holds(need.relevant)
    )


def _with_options(state: QuestionState, answers: Answers) -> QuestionState:
    source = answers.get(state.question.choices_from) if state.question.choices_from and state.relevant else None
    return replace(state, options=source.place.councils) if source and source.place else state


def _required(question: Question, values: Named) -> bool:
    return question.required if isinstance(question.required, bool) else question.required.holds(values)


@dataclass(frozen=True, kw_only=True)
class _Failed:
    """The fault of an answer beside others."""

    problem: Text
    blocker: Blocker


def _failed(script: Script, question: Question, known: KnownValues) -> _Failed | None:
    """A check that is false, one of entitlement last; or a scheme that is closed on the date of claim."""
    failed = [check for check in question.cross_checks if check.rule.result(known.rule_values) is False]
    closed = _closed(script, known.claim_date) if question.id == script.claim_date else None
    for check in failed:
        if not check.entitlement:
            return _Failed(problem=check.problem, blocker=Blocker.CHECK_FAILED)
    if closed:
        return _Failed(problem=closed, blocker=Blocker.CHECK_FAILED)
    return _Failed(problem=failed[0].problem, blocker=Blocker.NOT_ENTITLED) if failed else None


def _closed(script: Script, claim_date: date) -> Text | None:
    refusals = (closed_on(scheme, dates, claim_date) for scheme, dates in script.dates.items())
    return next((refusal for refusal in refusals if refusal), None)


def _blocker(
    question: Question, answer: Answer | None, *, required: bool, proposal: JsonValue, failed: _Failed | None
) -> Blocker | None:
    if answer is None:
        return Blocker.REQUIRED if required else None
    if failed:
        return failed.blocker
    if proposal is not None:
        return Blocker.PROPOSAL_NOT_ACCEPTED
    if required and is_gap(answer.value) and not question.gap_allowed:
        return Blocker.GAP_NOT_ALLOWED
    return None


def _missing(states: tuple[QuestionState, ...]) -> Iterator[Missing]:
    for state in states:
        if state.blocker:
            text = state.problem or _TEXTS[state.blocker]
            yield Missing(question_id=state.question.id, blocker=state.blocker, text=text, options=state.options)


def _fact(question: Question, value: JsonValue, consumer: str) -> JsonValue:
    if isinstance(value, list) and question.fields:
        seen = {field.id for field in question.fields if consumer in field.seen_by}
        return [_only(seen, entry) for entry in value]
    return value


def _only(names: set[str], entry: JsonValue) -> JsonValue:
    return {name: part for name, part in entry.items() if name in names} if isinstance(entry, dict) else entry
