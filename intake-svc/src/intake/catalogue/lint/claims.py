"""Makes whole claims: every question that some given answers leave open gets the first of its samples that is sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from chassis.errors import InvalidArgument
from intake.catalogue.lint.values import Sample, Samples, months_before, sample
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Interview, evaluate, known_values
from intake.domain.rules import Rule
from intake.domain.script import Check, Question, Script

_MOST_ROUNDS = 6
_DISTANCE = {"years", "months", "days"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim that was tried."""

    answers: Mapping[str, Answer]
    interview: Interview


class Claims:
    """Makes claims with one script, for a first contact on one day."""

    def __init__(self, script: Script, samples: Samples, contact: date) -> None:
        self._script = script
        self._samples = samples
        self._contact = contact

    def read(self, name: str, value: Any) -> Sample:
        """An answer as it is given. Raises InvalidArgument as for any answer."""
        question = self._script.questions[name]
        given = dated(value, self._contact)
        canonical = validate_answer(self._script.questions, name, given, today=self._contact)
        return sample(question, canonical)

    def completed(
        self,
        given: Mapping[str, Sample],
        without: frozenset[str] = frozenset(),
        *,
        base: Mapping[str, Answer] = MappingProxyType({}),
    ) -> Claim:
        """A claim with these answers, and those of `base`; what else it needs is answered, but for `without`.

        It may still not be whole: the answers may be such that nothing makes it so.
        """
        fixed = frozenset(given) | without
        answers = {name: answer for name, answer in base.items() if name not in without}
        answers |= {name: part.answer() for name, part in given.items()}
        interview = self._evaluated(answers)
        for _ in range(_MOST_ROUNDS):
            if {part.question_id for part in interview.missing} <= fixed:
                break
            self._fill(answers, fixed)
            interview = self._evaluated(answers)
        return Claim(answers=answers, interview=interview)

    def _evaluated(self, answers: Mapping[str, Answer]) -> Interview:
        return evaluate(self._script, answers, language="EN", contact_date=self._contact)

    def _fill(self, answers: dict[str, Answer], fixed: frozenset[str]) -> None:
        """Answers what is relevant, required and not soundly answered, in the order in which relevance becomes known."""
        seen: dict[str, Any] = dict(known_values(self._script, answers, self._contact).rule_values)
        for name in self._script.order:
            question = self._script.questions[name]
            if name in fixed or (question.relevant is not None and not question.relevant.holds(seen)):
                continue
            if self._is_required(question, seen) and not self._is_sound_already(question, answers, seen):
                chosen = self._chosen(question, seen)
                if chosen is None:
                    continue
                answers[name] = chosen.answer()
                seen[name] = chosen.seen
                if name == self._script.claim_date:  # the dated tables change with it
                    seen = dict(known_values(self._script, answers, self._contact).rule_values)

    def _is_required(self, question: Question, seen: Mapping[str, Any]) -> bool:
        return question.required.holds(seen) if isinstance(question.required, Rule) else question.required

    def _is_sound_already(self, question: Question, answers: Mapping[str, Answer], seen: Mapping[str, Any]) -> bool:
        return question.id in answers and not any(
            check.rule.result(seen) is False for check in self._checks(question.id)
        )

    def _chosen(self, question: Question, seen: Mapping[str, Any]) -> Sample | None:
        """The first sample with which no check fails; the first of all where each fails one, None where there is none."""
        found = self._samples.of(question.id)
        checks = self._checks(question.id)
        for candidate in found:
            values = {**seen, question.id: candidate.seen}
            if not any(check.rule.result(values) is False for check in checks):
                return candidate
        return found[0] if found else None

    def _checks(self, name: str) -> list[Check]:
        return [
            check
            for question in self._script.questions.values()
            for check in question.cross_checks
            if question.id == name or name in check.rule.names
        ]


def dated(value: Any, contact: date) -> Any:
    """A value with each distance, such as {"months": -3}, turned into the day at that distance from the first contact."""
    if isinstance(value, dict) and value and value.keys() <= _DISTANCE:
        months = months_before(contact, -12 * value.get("years", 0) - value.get("months", 0))
        return (months + timedelta(days=value.get("days", 0))).isoformat()
    if isinstance(value, dict):
        return {name: dated(part, contact) for name, part in value.items()}
    return [dated(part, contact) for part in value] if isinstance(value, list) else value


def refusal_of(claims: Claims, name: str, value: Any) -> InvalidArgument | None:
    """The refusal of an answer when it is given; None where it is taken."""
    try:
        claims.read(name, value)
    except InvalidArgument as refusal:
        return refusal
    return None
