"""Answers to questions: `validate_answer` reads a JSON value of the contract into its one canonical form."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from chassis.elsewhere import elsewhere
from intake.domain import faults, rules, values
from intake.domain.faults import Fault, UnsoundValueError
from intake.domain.place import Place
from intake.domain.script import Check, Field, Kind, Question
from intake.domain.transliteration import record_form
from intake.domain.values import JsonValue

_COUNCIL = re.compile(r"(?:E06|E07|E08|E09|W06|S12)[0-9]{6}")
GAPS = ("NOT_KNOWN", "WILL_SEND")

_READERS: Mapping[Kind, Callable[[JsonValue], JsonValue]] = {
    Kind.YES_NO: values.read_yes_no,
    Kind.NAME: values.read_name,
    Kind.NINO: values.read_nino,
    Kind.PHONE: values.read_phone,
    Kind.EMAIL: values.read_email,
    Kind.SORT_CODE: values.read_sort_code,
    Kind.ACCOUNT_NUMBER: values.read_account_number,
    Kind.POSTCODE: values.read_postcode,
    Kind.DATE: values.read_date,
    Kind.ADDRESS: values.read_address,
}

CEL_TYPES: Mapping[Kind, Any] = dict.fromkeys(Kind, rules.STRING) | {
    Kind.YES_NO: rules.BOOL,
    Kind.CHOICES: rules.STRINGS,
    Kind.DATE: rules.TIMESTAMP,
    Kind.MONEY: rules.PENCE,
    Kind.NUMBER: rules.NUMBER,
    Kind.ADDRESS: rules.MAP,
    Kind.GROUP: rules.MAPS,
}
"""The type that an answer of each kind has in the rules of a script."""


def validate_answer(
    questions: Mapping[str, Question], question_id: str, value: JsonValue, *, today: date | None
) -> JsonValue:
    """The canonical form of an answer: what is stored, compared and sent. None (null) clears, a gap is {"gap": ...}.

    `questions` has the question; `today` is the day in London; None: the checks that
    need the day were made when the answer was given. Raises InvalidArgument with a violation that names the
    question and the rule broken, never the value. A check that needs other answers is not made here but by `evaluate`.
    """
    question = questions[question_id]
    if value is None:
        return None
    try:
        return _read_gap(value) if is_gap(value) else _read_answer(question, value, today)
    except UnsoundValueError as error:
        refusal = error.refusal(question_id)
    raise refusal


def read_field(name: str, read: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    """A value that comes outside an interview, read by a function of `values`. Raises InvalidArgument naming `name`."""
    try:
        return read(value)
    except UnsoundValueError as error:
        refusal = error.refusal(name)
    raise refusal


def is_gap(value: JsonValue) -> bool:
    """Whether a canonical answer is a gap: the claimant does not know, or will send it."""
    return isinstance(value, dict) and "gap" in value


def rule_value(question: Question, value: JsonValue, place: Place | None = None) -> rules.CelValue:
    """A canonical answer, not a gap, as the rules of a script see it: an address with what is known of its place."""
    if place is not None and isinstance(value, dict):
        return _rule_value(question, {**value, "listed": place.is_listed, "councils": list(place.councils)})
    if question.kind is Kind.DATE:
        return rules.timestamp(date.fromisoformat(str(value)))
    if question.kind is not Kind.GROUP:
        return _rule_value(question, value)
    entries: Any = value
    fields = {field.id: field for field in question.fields}
    return [{name: _rule_value(fields[name], part) for name, part in entry.items()} for entry in entries]


def _read_gap(value: JsonValue) -> JsonValue:
    if value not in [{"gap": gap} for gap in GAPS]:
        raise UnsoundValueError.of(faults.GAP, gaps=", ".join(GAPS))
    return value


def _read_answer(question: Question, value: JsonValue, today: date | None) -> JsonValue:
    if question.located:
        _expect_great_britain(value)
    answer = _read_group(question, value) if question.kind is Kind.GROUP else _read(question, value)
    if question.record:
        record_form(answer, question.record)
    for check in question.own_checks:
        if today is None and "today" in check.rule.names:
            continue
        faults.refuse(_broken(question, check, answer, today))
    return answer


def _broken(question: Question, check: Check, answer: Any, today: date | None) -> Iterator[Fault]:
    """A fault where the rule is false: for the whole answer, or for each entry of a group whose field is checked."""
    parts = [("", answer)]
    if check.field is not None:
        parts = [(f"[{at}].{check.field}", [entry]) for at, entry in enumerate(answer)]
    for at, part in parts:
        known = {question.id: rule_value(question, part)} | ({"today": rules.timestamp(today)} if today else {})
        if check.rule.result(known) is False:
            yield Fault(text=check.problem, at=at)


def _expect_great_britain(address: JsonValue) -> None:
    """Before its form is looked at: a British Forces number has none."""
    postcode = address.get("postcode") if isinstance(address, dict) else None
    place = elsewhere(postcode) if isinstance(postcode, str) else None
    if place is not None:
        raise UnsoundValueError(Fault(text=place.told, at=".postcode"))


def _read(field: Field, value: JsonValue) -> JsonValue:
    limits = field.limits
    if limits.max_length is not None and isinstance(value, str):
        values.read_string(value, limits.max_length)
    match field.kind:
        case Kind.TEXT:
            return values.read_text(value, limits.max_length or values.MAXIMUM_TEXT)
        case Kind.NUMBER:
            return values.read_number(value, maximum=limits.maximum or Decimal(0), decimals=limits.decimals or 0)
        case Kind.MONEY:
            return values.read_money(value, limits.maximum or values.MAXIMUM_MONEY)
        case Kind.CHOICE if isinstance(field, Question) and field.choices_from:
            return _read_council(value)
        case Kind.CHOICE:
            return _read_choice(field, value)
        case Kind.CHOICES:
            return _read_choices(field, value)
    return _READERS[field.kind](value)


def _read_choice(field: Field, value: JsonValue) -> str:
    code = values.read_string(value, values.MAXIMUM_TEXT)
    if code not in field.codes:
        raise UnsoundValueError.of(faults.NOT_A_CHOICE)
    return code


def _read_council(value: JsonValue) -> str:
    """A GSS code; whether it is among those that the address gives is a check of the script."""
    code = values.read_string(value, values.MAXIMUM_CODE)
    if not _COUNCIL.fullmatch(code):
        raise UnsoundValueError.of(faults.NOT_A_CHOICE)
    return code


def _read_choices(field: Field, value: JsonValue) -> JsonValue:
    """The codes in the script's order, so that the order of choosing makes no difference."""
    if not isinstance(value, list):
        raise UnsoundValueError.of(faults.NOT_CHOICES)
    _expect_entries(field, value)
    chosen = {_read_choice(field, code) for code in value}
    if len(chosen) != len(value):
        raise UnsoundValueError.of(faults.CHOSEN_TWICE)
    return [choice.code for choice in field.choices if choice.code in chosen]


def _read_group(question: Question, value: JsonValue) -> JsonValue:
    if not isinstance(value, list):
        raise UnsoundValueError.of(faults.NOT_A_LIST)
    _expect_entries(question, value)
    found: list[Fault] = []
    entries: list[JsonValue] = [_read_entry(question, entry, f"[{at}]", found) for at, entry in enumerate(value)]
    faults.refuse(found)
    return entries


def _expect_entries(field: Field, value: list[JsonValue]) -> None:
    most = field.limits.max_entries
    if most is not None and len(value) > most:
        raise UnsoundValueError.of(faults.TOO_MANY, most=most)


def _read_entry(question: Question, entry: JsonValue, place: str, found: list[Fault]) -> JsonValue:
    """An entry of a group; faults are added to `found`."""
    if not isinstance(entry, dict) or not entry.keys() <= {field.id for field in question.fields}:
        found.append(Fault(text=faults.NOT_AN_ENTRY, at=place))
        return None
    given: dict[str, JsonValue] = {}
    for field in question.fields:
        try:
            given[field.id] = _read_part(field, entry.get(field.id))
        except UnsoundValueError as error:
            found.extend(error.within(f"{place}.{field.id}"))
    return {name: part for name, part in given.items() if part is not None}


def _read_part(field: Field, value: JsonValue) -> JsonValue:
    if value is None:
        if field.required:
            raise UnsoundValueError.of(faults.MISSING)
        return None
    return _read(field, value)


def _rule_value(field: Field, value: Any) -> rules.CelValue:
    """A value alone or within an entry; there a date can only be text, which the rule turns into a timestamp."""
    converted: rules.CelValue = value
    if field.kind is Kind.MONEY:
        converted = int(Decimal(value) * 100)
    elif field.kind is Kind.DATE:
        converted = f"{value}T00:00:00Z"
    elif field.kind is Kind.NUMBER:
        converted = float(value)
    return converted
