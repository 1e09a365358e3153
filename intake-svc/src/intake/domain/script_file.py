"""Reads a script from its TOML file and refuses a faulty one: see `load_script`."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from chassis.errors import Text
from intake.domain.answers import CEL_TYPES, rule_value
from intake.domain.rules import TIMESTAMP, Rule, RuleCompiler, RuleError, timestamp
from intake.domain.script import (
    USUAL_LIMITS,
    Check,
    Choice,
    Derived,
    Field,
    Kind,
    Limits,
    Question,
    Script,
    Section,
)
from intake.domain.script_table import ScriptError, Table
from intake.domain.transliteration import Characters, RecordRule
from intake.domain.values import JsonValue

SCRIPTS = Path(__file__).parent.parent / "scripts"
"""The folder of the scripts in use, one file a scheme."""

_WITH_CHOICES = frozenset({Kind.CHOICE, Kind.CHOICES})
_WITH_RECORD = frozenset({Kind.NAME, Kind.TEXT, Kind.ADDRESS})
_LIMITS = (("number", Kind.NUMBER, True), ("maximum_pence", Kind.MONEY, False), ("max_entries", Kind.GROUP, True))
"""Keys of limits, the kind that may have each, and whether it must."""
_SAMPLE_ADDRESS: dict[str, JsonValue] = {"lines": ["A", "B"], "postcode": "AB1 2CD"}
_FIELD_OF_CHECK = "the field of a check must be one of the group's, and the check must name no other question"
_UNSTEADY_CHECK = "a check that names another question must not hang on today"


def load_script(path: Path) -> Script:
    """The script in this file.

    Raises ScriptError, which names the place, for anything missing, unknown, blank, doubled or of the wrong type, for
    a rule that does not compile against the questions' kinds, and for questions whose relevance goes in a circle.
    """
    try:
        top = Table(path.name, tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as fault:
        raise ScriptError(f"{path.name}: {fault}") from fault
    return _script(top)


def _script(top: Table) -> Script:
    sections = top.tables("sections")
    tables = [(section.name("id"), table) for section in sections for table in section.tables("questions")]
    kinds = {table.name("id"): _kind(table) for _, table in tables}
    compiler = RuleCompiler({"today": TIMESTAMP} | {name: CEL_TYPES[kind] for name, kind in kinds.items()})
    questions = _by_id(top, [_question(section, table, compiler) for section, table in tables])
    derived = tuple(_derived(table, compiler) for table in top.tables("derived"))
    script = Script(
        scheme=top.text("scheme"),
        version=top.text("version"),
        number=top.number("number"),
        sections=tuple(_section(section) for section in sections),
        questions=questions,
        derived=derived,
        first_contact=_first_contact(top.table("first_contact"), questions),
        order=_order(top, questions),
    )
    top.close()
    _try_rules(top, script)
    _refuse_unless(top, script.version.endswith(f"-{script.number}"), "version must end with the number")
    return script


def _by_id(top: Table, questions: list[Question]) -> dict[str, Question]:
    by_id = {question.id: question for question in questions}
    _refuse_unless(top, len(by_id) == len(questions), "two questions have one id")
    _refuse_unless(
        top, all(_is_chosen_from(by_id, question) for question in questions), "choices_from names no address"
    )
    _refuse_unless(top, "today" not in by_id, "today is the name of the day, not of a question")
    return by_id


def _is_chosen_from(by_id: Mapping[str, Question], question: Question) -> bool:
    source = by_id.get(question.choices_from) if question.choices_from else None
    return question.choices_from is None or (source is not None and source.located and not question.choices)


def _section(table: Table) -> Section:
    section = Section(id=table.name("id"), name=_text(table.table("name")))
    table.close()
    return section


def _question(section: str, table: Table, compiler: RuleCompiler) -> Question:
    field = _field_parts(table, frozenset(table.texts("seen_by")))
    fields = tuple(_group_field(part, field["seen_by"]) for part in table.tables("fields"))
    required = table.flag_or_text("required", default=True)
    question = Question(
        **field,
        section=section,
        help=_text(table.table("help")) if table.has("help") else None,
        fields=fields,
        required=required if isinstance(required, bool) else _steady(table, required, compiler),
        relevant=_steady(table, table.text("relevant"), compiler) if table.has("relevant") else None,
        seconds=table.number("seconds"),
        checks=tuple(_check(check, compiler) for check in table.tables("checks")),
        record=_record(table.table("record")) if table.has("record") else None,
        security=table.flag("security"),
        gap_allowed=table.flag("gap_allowed"),
        located=table.flag("located"),
        choices_from=table.name("choices_from") if table.has("choices_from") else None,
    )
    table.close()
    _refuse_unless(table, not question.located or question.kind is Kind.ADDRESS, "located belongs to ADDRESS")
    _refuse_unless(table, bool(fields) == (question.kind is Kind.GROUP), "fields belong to a GROUP, which needs them")
    _refuse_unless(table, not any("today" in check.rule.names for check in question.cross_checks), _UNSTEADY_CHECK)
    _refuse_unless(table, not question.record or question.kind in _WITH_RECORD, "record belongs to text")
    _refuse_unless(table, _fields_of_checks_are_known(question), _FIELD_OF_CHECK)
    return question


def _fields_of_checks_are_known(question: Question) -> bool:
    known = {field.id for field in question.fields}
    named = [check for check in question.checks if check.field is not None]
    return all(check.field in known and check in question.own_checks for check in named)


def _group_field(table: Table, seen_by: frozenset[str]) -> Field:
    """A field is seen by the consumers of its question, unless it names its own."""
    own = frozenset(table.texts("seen_by")) if table.has("seen_by") else seen_by
    field = Field(**_field_parts(table, own), required=table.flag("required"))
    table.close()
    _refuse_unless(table, field.kind is not Kind.GROUP, "a GROUP holds no GROUP")
    _refuse_unless(table, own <= seen_by, "a field cannot be seen by a service that does not see the question")
    return field


def _field_parts(table: Table, seen_by: frozenset[str]) -> dict[str, Any]:
    """The attributes that questions and fields of groups share, as the keywords of their classes."""
    kind = _kind(table)
    choices = tuple(_choice(choice) for choice in table.tables("choices"))
    codes = {choice.code for choice in choices}
    has_choices = bool(choices) or (kind is Kind.CHOICE and table.has("choices_from"))
    _refuse_unless(table, has_choices == (kind in _WITH_CHOICES), "choices belong to CHOICE and CHOICES")
    _refuse_unless(table, len(codes) == len(choices), "two choices have one code")
    return {
        "id": table.name("id"),
        "kind": kind,
        "text": _text(table.table("text")),
        "choices": choices,
        "limits": _limits(table, kind, choices),
        "seen_by": seen_by,
    }


def _kind(table: Table) -> Kind:
    kind = table.text("kind")
    _refuse_unless(table, kind in Kind.__members__, f"no such kind: {kind}")
    return Kind(kind)


def _text(table: Table) -> Text:
    text = Text(en=table.text("en"), cy=table.text("cy"))
    table.close()
    return text


def _choice(table: Table) -> Choice:
    choice = Choice(code=table.text("code"), text=_text(table.table("text")))
    table.close()
    return choice


def _limits(table: Table, kind: Kind, choices: tuple[Choice, ...]) -> Limits:
    """The kind's usual limits, with what the script says beyond them."""
    own = USUAL_LIMITS[kind]
    for key, owner, needed in _LIMITS:
        _refuse_unless(table, table.has(key) <= (kind is owner), f"{key} belongs to {owner}")
        _refuse_unless(
            table, table.has(key) or kind is not owner or not needed, f"{key} belongs to {owner}, which needs it"
        )
    if table.has("number"):
        number = table.table("number")
        own = replace(own, maximum=Decimal(number.number("maximum")), decimals=number.number("decimals"))
        number.close()
    if table.has("maximum_pence"):
        own = replace(own, maximum=Decimal(table.number("maximum_pence")) / 100)
    if table.has("max_entries"):
        own = replace(own, max_entries=table.number("max_entries"))
    return replace(own, max_entries=len(choices)) if kind is Kind.CHOICES else own


def _record(table: Table) -> RecordRule:
    characters = table.text("characters")
    _refuse_unless(table, characters in set(Characters), f"no such characters: {characters}")
    rule = RecordRule(characters=Characters(characters), maximum=table.number("max_length"))
    table.close()
    return rule


def _check(table: Table, compiler: RuleCompiler) -> Check:
    check = Check(
        rule=_condition(table, table.text("rule"), compiler),
        problem=_text(table.table("problem")),
        field=table.name("field") if table.has("field") else None,
    )
    table.close()
    return check


def _derived(table: Table, compiler: RuleCompiler) -> Derived:
    try:
        rule = compiler.value(table.text("rule"))
    except RuleError as fault:
        raise ScriptError(f"{table.place}: {fault}") from fault
    derived = Derived(id=table.name("id"), rule=rule, seen_by=frozenset(table.texts("seen_by")))
    table.close()
    return derived


def _condition(table: Table, expression: str, compiler: RuleCompiler) -> Rule:
    try:
        return compiler.condition(expression)
    except RuleError as fault:
        raise ScriptError(f"{table.place}: {fault}") from fault


def _steady(table: Table, expression: str, compiler: RuleCompiler) -> Rule:
    """Relevance must not change overnight: only checks made when the answer is given may use today."""
    rule = _condition(table, expression, compiler)
    _refuse_unless(table, "today" not in rule.names, "relevant and required must not hang on today")
    return rule


def _first_contact(table: Table, questions: Mapping[str, Question]) -> tuple[str, ...]:
    facts = table.texts("facts")
    table.close()
    unknown = sorted(set(facts) - set(questions))
    _refuse_unless(table, not unknown, f"no such question: {', '.join(unknown)}")
    return facts


def _order(top: Table, questions: Mapping[str, Question]) -> tuple[str, ...]:
    depends = {name: question.relevant.names if question.relevant else () for name, question in questions.items()}
    try:
        return tuple(TopologicalSorter(depends).static_order())
    except CycleError as circle:
        raise ScriptError(f"{top.place}: relevance goes in a circle: {' '.join(circle.args[1])}") from circle


def _try_rules(top: Table, script: Script) -> None:
    """Types within entries of a group show only at run time, so every rule must give a result for a full set of answers.

    It is tried with entries that hold every field, and with entries that hold only the required ones.
    """
    for whole in (True, False):
        known = {question.id: rule_value(question, _sample(question, whole=whole)) for question in _questions(script)}
        for rule in _rules(_questions(script), script.derived):
            result = rule.result(known | {"today": timestamp(date(2000, 1, 1))})
            _refuse_unless(top, result is not None, f"{rule.expression!r} gives nothing for a full set of answers")


def _questions(script: Script) -> Iterable[Question]:
    return script.questions.values()


def _sample(question: Question, *, whole: bool) -> JsonValue:
    if question.located and whole:
        return {**_SAMPLE_ADDRESS, "listed": False, "councils": ["E06000001"]}
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
        Kind.ADDRESS: _SAMPLE_ADDRESS,
    }
    return samples.get(field.kind, codes[0] if codes else "A")


def _rules(questions: Iterable[Question], derived: Iterable[Derived]) -> Iterable[Rule]:
    for question in questions:
        yield from (rule for rule in (question.relevant, question.required) if isinstance(rule, Rule))
        yield from (check.rule for check in question.checks)
    yield from (fact.rule for fact in derived)


def _refuse_unless(table: Table, condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise ScriptError(f"{table.place}: {problem}")
