"""The least and the greatest answers that a question allows, one for each choice, and none: what a conversion must take."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from chassis.errors import InvalidArgument
from intake.domain.answers import validate_answer
from intake.domain.script import Field, Kind, Question, Script

_DAY_OF_A_CHILD = "2004-02-29"
_DAYS = (_DAY_OF_A_CHILD, "1886-01-01", "1987-12-31", "2005-07-11", "2026-12-31")
_PLAIN: Mapping[Kind, tuple[Any, ...]] = {
    Kind.YES_NO: (True, False),
    Kind.NINO: ("AB123400C", "ZY999999D"),
    Kind.PHONE: ("+441632960001", "+" + "9" * 15),
    Kind.EMAIL: ("a@example.org",),
    Kind.SORT_CODE: ("000001", "999999"),
    Kind.ACCOUNT_NUMBER: ("00000001", "99999999"),
    Kind.POSTCODE: ("M1 1AE", "EC1A 1AA"),
    Kind.DATE: _DAYS,
}
_TEXT_KINDS = (Kind.TEXT, Kind.NAME)
_POSTCODE = "EC1A 1AA"


def samples(script: Script, question: Question, *, today: date) -> Iterator[Any]:
    """Answers that the catalogue takes, as facts have them, in the form of the record where the question offers one."""
    for value in _samples(question):
        try:
            yield validate_answer(script.questions, question.id, value, today=today)
        except InvalidArgument:
            continue


def _samples(question: Question) -> Iterator[Any]:
    if question.kind is Kind.GROUP:
        yield []
        for entry in _entries(question):
            yield [entry]
        yield [next(_entries(question))] * (question.limits.max_entries or 1)
    else:
        longest = question.record.maximum if question.record else None
        yield from _plain(question, longest)


def _entries(question: Question) -> Iterator[dict[str, Any]]:
    """Entries with every field, each of which has each of its values once; then one with the required fields alone."""
    parts = {part.id: _parts(part) for part in question.fields}
    for turn in range(max(len(values) for values in parts.values())):
        yield {name: values[turn % len(values)] for name, values in parts.items()}
    yield {part.id: parts[part.id][0] for part in question.fields if part.required}


def _parts(part: Field) -> list[Any]:
    return [_DAY_OF_A_CHILD] if part.kind is Kind.DATE else list(_plain(part, None))


def _plain(field: Field, longest: int | None) -> Iterator[Any]:
    limits = field.limits
    if field.kind in _TEXT_KINDS:
        yield from ("A", "A" * (longest or limits.max_length or 1))
    elif field.kind is Kind.CHOICE:
        yield from sorted(field.codes) or ["E06000001"]
    elif field.kind is Kind.CHOICES:
        yield from ([], sorted(field.codes))
    elif field.kind is Kind.MONEY:
        yield from ("0.00", "0.01", f"{limits.maximum:.2f}")
    elif field.kind is Kind.NUMBER:
        yield from (0.0, float(limits.maximum or 0))
    elif field.kind is Kind.ADDRESS:
        width = longest or limits.max_length or 1
        yield {"lines": ["A", "B"], "postcode": _POSTCODE}
        yield {"lines": ["A" * width] * (limits.max_entries or 2), "postcode": _POSTCODE}
    else:
        yield from _PLAIN[field.kind]
