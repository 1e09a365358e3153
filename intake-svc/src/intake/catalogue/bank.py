"""Makes the questions of a bank from its files, and refuses those that contradict themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from chassis.errors import Text
from intake.catalogue import schema
from intake.domain.binding import CATALOGUE
from intake.domain.rules import OF_THE_CLAIM, Rule, RuleCompiler, RuleError
from intake.domain.script import USUAL_LIMITS, Check, Choice, Field, Kind, Limits, Question, ScriptError, Sensitivity
from intake.domain.transliteration import RecordRule

_WITH_CHOICES = frozenset({Kind.CHOICE, Kind.CHOICES})
_WITH_RECORD = frozenset({Kind.NAME, Kind.TEXT, Kind.ADDRESS})
_LIMITS = (("number", Kind.NUMBER, True), ("maximum_pence", Kind.MONEY, False), ("max_entries", Kind.GROUP, True))
"""Keys of limits, the kind that may have each, and whether it must."""


def bank(
    sections: Iterable[tuple[str, str, tuple[schema.QuestionOf, ...]]], compiler: RuleCompiler
) -> dict[str, Question]:
    """The questions by id, in the order of asking. A section is its id, its file's name and its questions.

    Raises ScriptError, which names the place.
    """
    found: dict[str, Question] = {}
    for section, name, questions in sections:
        for given in questions:
            place = f"{name}: questions[{given.id}]"
            refuse_unless(place, given.id not in found, "another question has this id")
            found[given.id] = _question(place, section, given, compiler)
    for question in found.values():
        refuse_unless(question.id, _is_chosen_from(found, question), "choices_from names no located address")
    return found


def refuse_unless(place: str, condition: object, problem: str) -> None:
    """Raises ScriptError with the place, unless the condition is true."""
    if not condition:
        raise ScriptError(f"{place}: {problem}")


def compiled(place: str, expression: str, compiler: RuleCompiler) -> Rule:
    """A rule that is true or false. Raises ScriptError with the place."""
    try:
        return compiler.condition(expression)
    except RuleError as fault:
        raise ScriptError(f"{place}: {fault}") from fault


def text(given: schema.Spoken) -> Text:
    """A text in both languages."""
    return Text(en=given.en, cy=given.cy)


def record_rule(given: schema.RecordOf | None) -> RecordRule | None:
    """The rule of a record's field."""
    return None if given is None else RecordRule(characters=given.characters, maximum=given.max_length)


def check(place: str, given: schema.CheckOf | schema.CrossCheckOf, compiler: RuleCompiler) -> Check:
    """A check. Raises ScriptError with the place."""
    rule = compiled(f"{place}.checks", given.rule, compiler)
    if isinstance(given, schema.CrossCheckOf):
        return Check(rule=rule, problem=text(given.problem), entitlement=given.entitlement)
    return Check(rule=rule, problem=text(given.problem), field=given.field)


def _question(place: str, section: str, given: schema.QuestionOf, compiler: RuleCompiler) -> Question:
    seen_by = frozenset(given.seen_by)
    refuse_unless(place, given.id not in {*OF_THE_CLAIM, CATALOGUE}, "this name is the platform's")
    _refuse_wrong_parts(place, given)
    question = Question(
        **_parts(place, given, seen_by),
        section=section,
        help=text(given.help) if given.help else None,
        fields=tuple(_group_field(f"{place}.fields[{field.id}]", field, seen_by) for field in given.fields),
        required=True,
        relevant=None,
        seconds=given.seconds,
        checks=tuple(check(place, rule, compiler) for rule in given.checks),
        record=record_rule(given.record),
        security=given.security,
        gap_allowed=given.gap_allowed,
        located=given.located,
        choices_from=given.choices_from,
        sensitivity=frozenset(given.sensitivity),
        answered_by=given.answered_by,
    )
    _refuse_wrong_checks(place, question)
    return question


def _refuse_wrong_parts(place: str, given: schema.QuestionOf) -> None:
    refuse_unless(place, not given.located or given.kind is Kind.ADDRESS, "located belongs to ADDRESS")
    refuse_unless(place, bool(given.fields) == (given.kind is Kind.GROUP), "fields belong to a GROUP, which needs them")
    refuse_unless(place, not given.record or given.kind in _WITH_RECORD, "record belongs to text")
    told = "la-notifier" in given.seen_by or any(name.startswith("notice.") for name in given.needed_by)
    refuse_unless(
        place,
        not told or Sensitivity.NOT_TO_COUNCIL not in given.sensitivity,
        "NOT_TO_COUNCIL, but the notice needs it",
    )
    ids = [field.id for field in given.fields]
    refuse_unless(place, len(ids) == len(set(ids)), "two fields have one id")


def _refuse_wrong_checks(place: str, question: Question) -> None:
    known = {field.id for field in question.fields}
    for part in question.checks:
        own = part in question.own_checks
        refuse_unless(
            place, own or "today" not in part.rule.names, "a check that names another question must not hang on today"
        )
        refuse_unless(
            place,
            part.field is None or (part.field in known and own),
            "the field of a check must be one of the group's, and the check must name no other question",
        )


def _group_field(place: str, given: schema.FieldOf, seen_by: frozenset[str]) -> Field:
    """A field is seen by those who see its question, unless it names its own."""
    own = seen_by if given.seen_by is None else frozenset(given.seen_by)
    refuse_unless(place, given.kind is not Kind.GROUP, "a GROUP holds no GROUP")
    refuse_unless(place, own <= seen_by, "a field cannot be seen by a service that does not see the question")
    return Field(**_parts(place, given, own), required=given.required)


def _parts(place: str, given: schema.QuestionOf | schema.FieldOf, seen_by: frozenset[str]) -> dict[str, Any]:
    """The attributes that questions and fields of groups share, as the keywords of their classes."""
    choices = tuple(Choice(code=choice.code, text=text(choice.text)) for choice in given.choices)
    chosen_from = isinstance(given, schema.QuestionOf) and given.choices_from is not None
    has_choices = bool(choices) or (given.kind is Kind.CHOICE and chosen_from)
    refuse_unless(place, has_choices == (given.kind in _WITH_CHOICES), "choices belong to CHOICE and CHOICES")
    refuse_unless(place, len({choice.code for choice in choices}) == len(choices), "two choices have one code")
    return {
        "id": given.id,
        "kind": given.kind,
        "text": text(given.text),
        "choices": choices,
        "limits": _limits(place, given, choices),
        "seen_by": seen_by,
        "needed_by": given.needed_by,
    }


def _limits(place: str, given: schema.QuestionOf | schema.FieldOf, choices: tuple[Choice, ...]) -> Limits:
    """The kind's usual limits, with what the file says beyond them."""
    kind, own = given.kind, USUAL_LIMITS[given.kind]
    for key, owner, needed in _LIMITS:
        has = getattr(given, key, None) is not None
        refuse_unless(place, kind is owner or not has, f"{key} belongs to {owner}")
        refuse_unless(place, has or kind is not owner or not needed, f"{key} belongs to {owner}, which needs it")
    if given.number is not None:
        own = replace(own, maximum=Decimal(given.number.maximum), decimals=given.number.decimals)
    if given.maximum_pence is not None:
        own = replace(own, maximum=Decimal(given.maximum_pence) / 100)
    if isinstance(given, schema.QuestionOf) and given.max_entries is not None:
        own = replace(own, max_entries=given.max_entries)
    return replace(own, max_entries=len(choices)) if kind is Kind.CHOICES else own


def _is_chosen_from(found: Mapping[str, Question], question: Question) -> bool:
    source = found.get(question.choices_from) if question.choices_from else None
    return question.choices_from is None or (source is not None and source.located and not question.choices)
