"""Other answers than the given one, within the question's domain."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from itertools import cycle
from typing import Any

from intake.domain.answers import is_gap
from intake.domain.script import Field, Kind, Question

_WORDS = {
    Kind.TEXT: ("Another matter", "Otherwise"),
    Kind.NAME: ("Otherman", "Different"),
    Kind.NINO: ("CE123456A", "AB987654D"),
    Kind.PHONE: ("0113 496 0123", "07700 900321"),
    Kind.EMAIL: ("other@example.com", "another@example.com"),
    Kind.SORT_CODE: ("309999", "401000"),
    Kind.ACCOUNT_NUMBER: ("87654321", "11112222"),
    Kind.POSTCODE: ("CF10 4UW", "M2 5PD"),
}
_DAYS = (1, -1, 7, -7, 31, -31, 100, -100, 366, -366, 1500, -1500, 4000, -4000, 9000, -9000)
_POUNDS = ("0.00", "0.01", "5.00", "60.00", "400.00", "2999.00", "6001.00", "9000.00", "20000.00")
_ENTRIES = 20
_NUMBERS = (0, 1, 3, 12, 15, 16, 20, 24, 36, 40, 52, 120)


def others(question: Question, value: Any, *, today: date, options: tuple[str, ...] = ()) -> Iterator[Any]:
    """Values other than this canonical one; some may break a check."""
    if question.kind is Kind.GROUP:
        yield from _other_groups(question, [] if is_gap(value) else value, today)
    elif options:
        yield from (code for code in options if code != value)
    else:
        yield from _other_parts(question, value, today)


def other_fields(question: Question, value: Any, *, today: date) -> Iterator[tuple[str, list[Any]]]:
    """For each field that an entry has: its id, and the groups in which it alone is another."""
    for at, entry in enumerate(value):
        for field in (field for field in question.fields if field.id in entry):
            changed = _other_parts(field, entry[field.id], today)
            yield field.id, [_with(value, at, field.id, part) for part in changed]


def _other_groups(question: Question, value: Any, today: date) -> Iterator[Any]:
    yield from ([*value, entry] for entry in _new_entries(question, today))
    yield from ([*value[:at], *value[at + 1 :]] for at in range(len(value)))
    for _, groups in other_fields(question, value, today=today):
        yield from groups


def _new_entries(question: Question, today: date) -> Iterator[dict[str, Any]]:
    """Entries of which each field takes another value every time, over and over."""
    parts = {field.id: cycle(_domain(field, None, today)) for field in question.fields}
    for _ in range(_ENTRIES):
        yield {name: next(values) for name, values in parts.items()}


def _with(value: Any, at: int, name: str, part: Any) -> Any:
    group = deepcopy(value)
    group[at][name] = part
    return group


def _other_parts(field: Field, value: Any, today: date) -> Iterator[Any]:
    given = None if is_gap(value) else value
    for part in _domain(field, given, today):
        if part != given:
            yield part


def _domain(field: Field, value: Any, today: date) -> Iterator[Any]:
    codes = [choice.code for choice in field.choices]
    match field.kind:
        case Kind.YES_NO:
            yield from (True, False)
        case Kind.CHOICE:
            yield from codes
        case Kind.CHOICES:
            yield from ([], codes, *([code] for code in codes))
        case Kind.DATE:
            middles = [date.fromisoformat(value), today] if value else [today]
            yield from ((middle + timedelta(days=days)).isoformat() for middle in middles for days in _DAYS)
        case Kind.MONEY:
            yield from _POUNDS
        case Kind.NUMBER:
            yield from (number for number in _NUMBERS if number <= (field.limits.maximum or 0))
        case Kind.ADDRESS:
            yield {"lines": ["2 Other Street", "Leeds"], "postcode": "LS1 3AB"}
        case _:
            yield from _WORDS[field.kind]
