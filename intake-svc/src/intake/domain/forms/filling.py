"""The content of a form's boxes that hold given answers: the reverse of `reading`.

Tests fill forms with it, and so can a program that carries answers to paper.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from intake.domain.answers import is_gap
from intake.domain.forms.layout import DATE_PARTS, GAP_BOX, NONE_BOX, POSTCODE_BOX, Entry, Form, box
from intake.domain.forms.reading import TICKED
from intake.domain.script import Field, Kind
from intake.domain.values import JsonValue


def boxes_with(form: Form, answers: Mapping[str, JsonValue]) -> dict[str, str]:
    """The boxes that hold these canonical answers; those of questions that the form does not have are left out.

    Raises ValueError for more entries of a group than the form has places.
    """
    given = ((form.by_id[name], value) for name, value in answers.items() if name in form.by_id)
    return {name: text for entry, value in given for name, text in _of(entry, value)}


def _of(entry: Entry, value: Any) -> Iterator[tuple[str, str]]:
    name = box(entry.id)
    if value is None:
        return
    if is_gap(value) and not entry.question.gap_allowed:
        return  # paper has no box for it: it is left blank
    if is_gap(value):
        yield box(entry.id, GAP_BOX), value["gap"]
    elif entry.question.kind is not Kind.GROUP:
        yield from _of_value(entry.question, name, value)
    elif not value:
        yield box(entry.id, NONE_BOX), TICKED
    else:
        yield from _of_group(entry, value)


def _of_group(entry: Entry, entries: Any) -> Iterator[tuple[str, str]]:
    if len(entries) > entry.entries + entry.more_entries:
        raise ValueError(f"{entry.id}: more entries than the form has places")
    for place, row in enumerate(entries):
        for field in entry.question.fields:
            if field.id in row:
                yield from _of_value(field, box(entry.id, place, field.id), row[field.id])


def _of_value(field: Field, name: str, value: Any) -> Iterator[tuple[str, str]]:
    match field.kind:
        case Kind.YES_NO:
            yield name, "YES" if value else "NO"
        case Kind.DATE:
            yield from zip((f"{name}:{part}" for part in DATE_PARTS), reversed(value.split("-")), strict=True)
        case Kind.ADDRESS:
            yield from ((f"{name}:{at}", line) for at, line in enumerate(value["lines"], start=1))
            yield f"{name}:{POSTCODE_BOX}", value["postcode"]
        case Kind.CHOICES:
            yield from ((f"{name}:{code}", TICKED) for code in value or [NONE_BOX])
        case _:
            yield name, str(value)
