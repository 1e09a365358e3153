"""Tries every rule of a catalogue with a full set of answers.

Types within the entries of a group show only then. It is tried with entries that hold every field, and with entries that
hold only the required ones.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from intake.domain.answers import rule_value
from intake.domain.catalogue import Catalogue
from intake.domain.rules import CelValue, Rule, timestamp
from intake.domain.script import Field, Kind, Question, ScriptError
from intake.domain.values import JsonValue

_ADDRESS: dict[str, JsonValue] = {"lines": ["A", "B"], "postcode": "AB1 2CD"}
_DAY = timestamp(date(2000, 1, 1))


def try_rules(catalogue: Catalogue) -> None:
    """Raises ScriptError, which names the place, for a rule that gives nothing although every name has a value."""
    for whole in (True, False):
        known = _known(catalogue, whole=whole)
        for place, rule in _rules(catalogue):
            if rule.result(known) is None:
                raise ScriptError(f"{place}: {rule.expression!r} gives nothing for a full set of answers")


def _known(catalogue: Catalogue, *, whole: bool) -> dict[str, CelValue]:
    of_the_claim: Mapping[str, CelValue] = {
        "today": _DAY,
        "claim_date": _DAY,
        "contact_date": _DAY,
        "schemes": list(catalogue.schemes),
    }
    tables = {table.id: table.rows[0][1] for table in catalogue.tables.values()}
    answers = {
        question.id: rule_value(question, _sample(question, whole=whole)) for question in catalogue.bank.values()
    }
    return {**of_the_claim, **tables, **answers}


def _rules(catalogue: Catalogue) -> Iterable[tuple[str, Rule]]:
    for question in catalogue.bank.values():
        yield from ((f"{catalogue.number}: questions[{question.id}]", check.rule) for check in question.checks)
    for scheme in catalogue.schemes:
        script = catalogue.script_for([scheme])
        for question in script.questions.values():
            place = f"{catalogue.number}: {scheme}: questions[{question.id}]"
            own = [question.relevant, question.required, *(check.rule for check in question.checks)]
            yield from ((place, rule) for rule in own if isinstance(rule, Rule))
        yield from ((f"{catalogue.number}: {scheme}: derived[{fact.id}]", fact.rule) for fact in script.derived)


def _sample(question: Question, *, whole: bool) -> JsonValue:
    if question.located and whole:
        return {**_ADDRESS, "listed": False, "councils": ["E06000001"]}
    if question.kind is not Kind.GROUP:
        return _sample_part(question)
    return [{field.id: _sample_part(field) for field in question.fields if whole or field.required}]


def _sample_part(field: Field) -> JsonValue:
    codes: list[JsonValue] = [choice.code for choice in field.choices]
    samples: dict[Kind, JsonValue] = {
        Kind.YES_NO: True,
        Kind.CHOICES: codes,
        Kind.DATE: "2000-01-01",
        Kind.MONEY: "1.00",
        Kind.NUMBER: 1,
        Kind.ADDRESS: _ADDRESS,
    }
    return samples.get(field.kind, codes[0] if codes else "A")
