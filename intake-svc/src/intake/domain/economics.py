"""The worth of a question: whether its answer changed anything outside, for the time that it takes to ask.

An answer changes something where it puts more than nothing (no, none, 0, an empty list) into a field of an outside record, a
notice or a decision, or where another question applies because of it. What an answer says beyond that is not looked at.
"""

from collections.abc import Iterator

from intake.domain.interview import Answers, KnownValues
from intake.domain.script import Question, Script
from intake.domain.values import JsonValue

_NOTHING = frozenset({"NONE", "NO"})
"""Codes of choices by which a claimant says that nothing applies."""


def changing(script: Script, answers: Answers, known: KnownValues) -> frozenset[str]:
    """The questions whose answers changed something in this claim."""
    return frozenset(_told(script, answers, known)) | frozenset(_opening(script, known))


def _told(script: Script, answers: Answers, known: KnownValues) -> Iterator[str]:
    for name in known.valued:
        question = script.questions[name]
        if _is_needed(question) and not is_nothing(answers[name].value):
            yield name


def _is_needed(question: Question) -> bool:
    return bool(question.needed_by) or any(field.needed_by for field in question.fields)


def is_nothing(value: JsonValue) -> bool:
    """Whether an answer says no, none or 0."""
    if isinstance(value, str):
        return value in _NOTHING or (value[:1].isdigit() and not value.strip("0."))
    return not value


def _opening(script: Script, known: KnownValues) -> Iterator[str]:
    """The answers without which a question that applies would not."""
    for name in known.relevant:
        rule = script.questions[name].relevant
        for other in rule.names & known.valued if rule else ():
            without = {key: value for key, value in known.rule_values.items() if key != other}
            if rule is not None and not rule.holds(without):
                yield other
