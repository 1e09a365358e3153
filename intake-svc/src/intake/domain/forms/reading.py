"""Reads a filled form: what stands in its boxes becomes answers as JSON, to be checked as a call's are.

Nothing is guessed. What cannot be read is named, with the number of its question, and stays to be asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from chassis.errors import InvalidArgument, Text
from intake.domain import faults, problems
from intake.domain.answers import GAPS, validate_answer
from intake.domain.faults import Fault, UnsoundValueError
from intake.domain.forms.layout import (
    ADDRESS_LINES,
    DATE_PARTS,
    GAP_BOX,
    IDENTITY_BOX,
    NONE_BOX,
    POSTCODE_BOX,
    Entry,
    Form,
    box,
    boxes_of,
)
from intake.domain.script import Field, Kind
from intake.domain.values import JsonValue

Boxes = Mapping[str, str]
"""The content of each box by its name: text as written, a value or `TICKED` for one that is ticked."""
TICKED = "Yes"
_UNTICKED = ("", "Off")


@dataclass(frozen=True, kw_only=True)
class FormProblem:
    """A problem of one answer of a form, or of the form where `entry` is None. `at` is the place in the answer."""

    entry: Entry | None
    text: Text
    at: str = ""


@dataclass(frozen=True, kw_only=True)
class FormRead:
    """A form's sound answers, canonical, and what is wrong with the others."""

    answers: Mapping[str, JsonValue]
    problems: tuple[FormProblem, ...]


def read_boxes(form: Form, boxes: Boxes, *, day: date) -> FormRead:
    """The answers in the boxes of a filled form. `day` is the one on which it was received, by which dates are checked."""
    written = {name: text.strip() for name, text in boxes.items() if name != IDENTITY_BOX and text.strip()}
    given: dict[str, JsonValue] = {}
    found: list[FormProblem] = []
    for entry in form.entries:
        try:
            value = _Reader(entry, written).answer()
        except UnsoundValueError as error:
            found.extend(_problems(entry, error))
            continue
        if value is not None:
            given[entry.id] = value
    if _unknown(form, written):
        found.append(FormProblem(entry=None, text=problems.UNKNOWN_BOXES))
    return _checked(form, given, tuple(found), day)


def read_keyed(form: Form, given: Mapping[str, JsonValue], *, day: date) -> FormRead:
    """The answers that somebody keyed from a form, by question."""
    return _checked(form, given, (), day)


def _checked(form: Form, given: Mapping[str, JsonValue], found: tuple[FormProblem, ...], day: date) -> FormRead:
    """Each answer as it would be checked in a call; one at fault is left out and named."""
    sound: dict[str, JsonValue] = {}
    faulty: list[FormProblem] = []
    for name, value in given.items():
        try:
            sound[name] = validate_answer(form.script.questions, name, value, today=day)
        except InvalidArgument as error:
            faulty.extend(problems_of(form.by_id[name], error))
    return FormRead(answers=sound, problems=tuple(sorted((*found, *faulty), key=_place)))


def problems_of(entry: Entry, error: InvalidArgument) -> Iterator[FormProblem]:
    """The refusal of an answer as problems of its question."""
    for violation in error.violations:
        text = Text(en=violation.description, cy=violation.welsh or violation.description)
        yield FormProblem(entry=entry, text=text, at=violation.field.removeprefix(entry.id))


def _place(problem: FormProblem) -> int:
    return problem.entry.number if problem.entry else 0


def _problems(entry: Entry, error: UnsoundValueError) -> Iterator[FormProblem]:
    return (FormProblem(entry=entry, text=fault.text, at=fault.at) for fault in error.faults)


def _unknown(form: Form, written: Boxes) -> bool:
    known = {name for entry in form.entries for name in boxes_of_entry(entry)}
    return any(name not in known and text not in _UNTICKED for name, text in written.items())


def boxes_of_entry(entry: Entry) -> Iterator[str]:
    """The names of a question's boxes."""
    question = entry.question
    yield box(entry.id, GAP_BOX)
    if question.kind is not Kind.GROUP:
        yield from boxes_of(question.kind, box(entry.id), [choice.code for choice in question.choices])
        return
    yield box(entry.id, NONE_BOX)
    for place in range(entry.entries + entry.more_entries):
        for field in question.fields:
            yield from boxes_of(field.kind, box(entry.id, place, field.id), [choice.code for choice in field.choices])


class _Reader:
    """Reads one question. Raises UnsoundValueError for what cannot be read; blanks are no answer."""

    def __init__(self, entry: Entry, boxes: Boxes) -> None:
        self._entry, self._boxes = entry, boxes

    def answer(self) -> JsonValue:
        gap = self._boxes.get(box(self._entry.id, GAP_BOX), "")
        value = (
            self._group()
            if self._entry.question.kind is Kind.GROUP
            else self._value(self._entry.question, box(self._entry.id))
        )
        if gap in _UNTICKED:
            return value
        if value is not None or gap not in GAPS:
            raise UnsoundValueError.of(faults.ANSWER_AND_GAP)
        return {"gap": gap}

    def _group(self) -> JsonValue:
        entries: list[JsonValue] = []
        found: list[Fault] = []
        for place in range(self._entry.entries + self._entry.more_entries):
            row = self._row(place, f"[{len(entries)}]", found)
            if row:
                entries.append(row)
        faults.refuse(found)
        none = self._is_ticked(box(self._entry.id, NONE_BOX))
        if none and entries:
            raise UnsoundValueError.of(faults.NONE_AND_ENTRIES)
        return entries if entries or none else None

    def _row(self, place: int, at: str, found: list[Fault]) -> dict[str, JsonValue]:
        row: dict[str, JsonValue] = {}
        for field in self._entry.question.fields:
            try:
                value = self._value(field, box(self._entry.id, place, field.id))
            except UnsoundValueError as error:
                found.extend(error.within(f"{at}.{field.id}"))
                continue
            if value is not None:
                row[field.id] = value
        return row

    def _value(self, field: Field, name: str) -> JsonValue:
        match field.kind:
            case Kind.DATE:
                return self._date(name)
            case Kind.ADDRESS:
                return self._address(name)
            case Kind.CHOICES:
                return self._choices(field, name)
        text = self._boxes.get(name, "")
        if text in _UNTICKED and field.kind in (Kind.YES_NO, Kind.CHOICE):
            return None
        match field.kind:
            case Kind.YES_NO:
                return _yes_no(text)
            case Kind.NUMBER:
                return _number(text)
        return " ".join(text.split("\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r")) or None

    def _choices(self, field: Field, name: str) -> JsonValue:
        ticked: list[JsonValue] = [choice.code for choice in field.choices if self._is_ticked(f"{name}:{choice.code}")]
        none = self._is_ticked(f"{name}:{NONE_BOX}")
        if none and ticked:
            raise UnsoundValueError.of(faults.NONE_AND_ENTRIES)
        return ticked if ticked or none else None

    def _is_ticked(self, name: str) -> bool:
        return self._boxes.get(name, "") not in _UNTICKED

    def _date(self, name: str) -> JsonValue:
        day, month, year = (self._boxes.get(f"{name}:{part}", "") for part in DATE_PARTS)
        if not (day or month or year):
            return None
        if not all(part.isascii() and part.isdigit() for part in (day, month, year)) or len(year) != 4:
            raise UnsoundValueError.of(faults.DATE_BOXES)
        return f"{year}-{day_or_month(month)}-{day_or_month(day)}"

    def _address(self, name: str) -> JsonValue:
        lines = [self._boxes.get(f"{name}:{at}", "") for at in range(1, ADDRESS_LINES + 1)]
        postcode = self._boxes.get(f"{name}:{POSTCODE_BOX}", "")
        if not (postcode or any(lines)):
            return None
        return {"lines": [line for line in lines if line], "postcode": postcode}


def day_or_month(digits: str) -> str:
    """The number of a day or a month in two digits."""
    return digits.zfill(2)


def _yes_no(text: str) -> bool:
    if text not in ("YES", "NO"):
        raise UnsoundValueError.of(faults.NOT_A_CHOICE)
    return text == "YES"


def _number(text: str) -> JsonValue:
    if not text:
        return None
    try:
        number = Decimal(text) if text.isascii() else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > 8:
        raise UnsoundValueError.of(faults.NOT_A_NUMBER)
    return float(number)
