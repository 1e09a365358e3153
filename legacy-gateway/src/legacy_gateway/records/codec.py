"""Writes and reads the bytes of a whole record.

A record's values are flat, by COBOL name: names are unique within a record, so a group adds no level. A table of plain
fields is a list; a group that OCCURS is a list of mappings. Text is `str`, a number without decimals `int`, with
decimals `Decimal`. A value that is absent or None becomes blanks (text) or zeros (numbers), and so do missing entries of
a table. The rules are those of docs/interfaces/legacy.md, "Characters and numbers".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Protocol

from chassis.errors import InvalidArgument, Violation

from .copybook import FILLER, Field, Kind, Record
from .elements import FieldError, Packed, Text, Zoned


class RecordError(InvalidArgument):
    """Values that do not fit a record, or bytes that are not such a record. Each violation names a COBOL field."""

    @classmethod
    def over(cls, subject: str, violations: Iterable[Violation]) -> "RecordError":
        """The error for this record, with all its faults."""
        found = tuple(violations)
        faults = "; ".join(f"{violation.field} {violation.description}" for violation in found)
        return cls("RECORD_UNFIT", f"{subject}: {faults}", violations=found)


def encode(record: Record, values: Mapping[str, object]) -> bytes:
    """The record's bytes, exactly `record.length` of them.

    Raises RecordError with every field at fault: an unknown name, a value of the wrong type, text that is too long or has
    a character outside code page 285 or a control character, a number that is too large, has more decimals than the
    picture, or is negative without a sign. Nothing is ever cut short.
    """
    faults: list[Violation] = []
    encoded = _compiled(record).encode(values, faults)
    if faults:
        raise RecordError.over(record.name, faults)
    return encoded


def decode(record: Record, encoded: bytes) -> dict[str, Any]:
    """The record's values by COBOL name, without FILLER; text without the blanks at its end; tables with all entries.

    Raises RecordError for a wrong length, control characters in text, and invalid digits or signs.
    """
    if len(encoded) != record.length:
        wrong = Violation(field=record.name, description=f"must have {record.length} bytes, not {len(encoded)}")
        raise RecordError.over(record.name, [wrong])
    faults: list[Violation] = []
    values = _compiled(record).decode(encoded, faults)
    if faults:
        raise RecordError.over(record.name, faults)
    return values


def date_number(day: date | None) -> int:
    """A date as CCYYMMDD; None becomes 0."""
    return 0 if day is None else day.year * 10_000 + day.month * 100 + day.day


def number_date(number: int, *, field: str) -> date | None:
    """The date of a CCYYMMDD number, None for 0. Raises RecordError naming `field` if there is no such day."""
    if number == 0:
        return None
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        raise RecordError.over(field, [Violation(field=field, description="is not a date")]) from None


class _Form(Protocol):
    """Writes and reads the value of one field. Faults are added to the list, so that all are found at once."""

    @property
    def length(self) -> int: ...
    @property
    def blank(self) -> bytes: ...
    def encode(self, value: object, faults: list[Violation]) -> bytes: ...
    def decode(self, encoded: bytes, faults: list[Violation]) -> object: ...


@dataclass(frozen=True, kw_only=True)
class _Plain:
    """A field with a picture."""

    name: str
    element: Text | Zoned | Packed
    length: int
    blank: bytes

    def encode(self, value: object, faults: list[Violation]) -> bytes:
        try:
            return self.element.write(value)
        except FieldError as error:
            faults.append(Violation(field=self.name, description=str(error)))
            return self.blank

    def decode(self, encoded: bytes, faults: list[Violation]) -> object:
        try:
            return self.element.read(encoded)
        except FieldError as error:
            faults.append(Violation(field=self.name, description=str(error)))
            return None


@dataclass(frozen=True, kw_only=True)
class _Group:
    """The forms of a record, or of one entry of a table of groups, in the order of their bytes."""

    name: str
    forms: tuple[tuple[str, _Form], ...]
    names: frozenset[str]
    length: int
    blank: bytes

    def encode(self, value: object, faults: list[Violation]) -> bytes:
        if not isinstance(value, Mapping):
            faults.append(Violation(field=self.name, description="must be a mapping of field names"))
            return self.blank
        for unknown in sorted(value.keys() - self.names):
            faults.append(Violation(field=unknown, description=f"is not a field of {self.name}"))
        return b"".join(
            form.blank if (one := value.get(name)) is None else form.encode(one, faults) for name, form in self.forms
        )

    def decode(self, encoded: bytes, faults: list[Violation]) -> dict[str, object]:
        values: dict[str, object] = {}
        start = 0
        for name, form in self.forms:
            if name != FILLER:
                values[name] = form.decode(encoded[start : start + form.length], faults)
            start += form.length
        return values


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A field or a group that OCCURS. The fault of an entry gives its number, from 1."""

    name: str
    entry: _Form
    occurs: int
    length: int
    blank: bytes

    def encode(self, value: object, faults: list[Violation]) -> bytes:
        if not isinstance(value, list | tuple):
            faults.append(Violation(field=self.name, description="must be a list"))
            return self.blank
        if len(value) > self.occurs:
            faults.append(Violation(field=self.name, description=f"has more than {self.occurs} entries"))
            return self.blank
        pieces: list[bytes] = []
        for number, one in enumerate(value, start=1):
            found: list[Violation] = []
            pieces.append(self.entry.blank if one is None else self.entry.encode(one, found))
            faults.extend(_in_entry(number, found))
        return b"".join(pieces) + self.entry.blank * (self.occurs - len(value))

    def decode(self, encoded: bytes, faults: list[Violation]) -> object:
        values: list[object] = []
        for index in range(self.occurs):
            found: list[Violation] = []
            start = index * self.entry.length
            values.append(self.entry.decode(encoded[start : start + self.entry.length], found))
            faults.extend(_in_entry(index + 1, found))
        return values


def _in_entry(number: int, found: Iterable[Violation]) -> list[Violation]:
    return [Violation(field=one.field, description=f"(entry {number}) {one.description}") for one in found]


@cache
def _compiled(record: Record) -> _Group:
    return _group(record.name, record.fields)


def _group(name: str, fields: Sequence[Field]) -> _Group:
    forms = tuple((field.name, _form(field)) for field in _without_groups(fields))
    return _Group(
        name=name,
        forms=forms,
        names=frozenset(field_name for field_name, _ in forms) - {FILLER},
        length=sum(form.length for _, form in forms),
        blank=b"".join(form.blank for _, form in forms),
    )


def _without_groups(fields: Sequence[Field]) -> list[Field]:
    """The fields, with each group that does not occur replaced by its own fields."""
    flat: list[Field] = []
    for field in fields:
        if field.kind is Kind.GROUP and field.occurs is None:
            flat.extend(_without_groups(field.fields))
        else:
            flat.append(field)
    return flat


def _form(field: Field) -> _Form:
    entry: _Form = _group(field.name, field.fields) if field.kind is Kind.GROUP else _plain(field)
    if field.occurs is None:
        return entry
    return _Table(
        name=field.name, entry=entry, occurs=field.occurs, length=field.size, blank=entry.blank * field.occurs
    )


def _plain(field: Field) -> _Plain:
    element: Text | Zoned | Packed
    if field.kind is Kind.TEXT:
        element = Text(length=field.length)
    elif field.kind is Kind.ZONED:
        element = Zoned(digits=field.digits, scale=field.scale)
    else:
        element = Packed(digits=field.digits, scale=field.scale)
    return _Plain(name=field.name, element=element, length=field.length, blank=element.blank)
