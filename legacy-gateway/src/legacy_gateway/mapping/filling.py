"""Fills a record: the value of every field, from a claim's facts and from what the platform decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from legacy_gateway.mapping.forms import FORMS, Case
from legacy_gateway.mapping.schema import COUNT, FieldSource, Rows, Sources

_OF_ANOTHER_KIND = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""The errors of a form for a fact that no question of the catalogues gives: a text for a date, a code that is not offered."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The values of a record: rows of a table are a tuple of mappings.

    `missing` are required fields without a value, `unread` fields whose facts are of another kind than their question's.
    """

    values: Mapping[str, Any]
    missing: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Faults:
    missing: dict[str, None] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)


def fill(sources: Sources, record: str, case: Case) -> Filled:
    """Fills a record by its map."""
    faults = _Faults()
    values: dict[str, Any] = {}
    for rows in sources.rows_of(record):
        filled = tuple(_filled(row, rows.fields, faults) for row in _rows(case, rows, faults))
        values[rows.table] = (*values.get(rows.table, ()), *filled)
    own = sources.of_record(record)
    values.update(_filled(case, {name: one for name, one in own.items() if one.form != COUNT}, faults))
    values.update({name: len(values[one.table]) for name, one in own.items() if one.form == COUNT})
    return Filled(values=values, missing=tuple(faults.missing), unread=tuple(faults.unread))


def _rows(case: Case, rows: Rows, faults: _Faults) -> tuple[Case, ...]:
    try:
        return tuple(case.rows(rows))
    except _OF_ANOTHER_KIND:
        faults.unread[rows.table] = None
        return ()


def _filled(case: Case, fields: Mapping[str, FieldSource], faults: _Faults) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, source in fields.items():
        value = _value(name, case, source, faults)
        if source.required and value is None and name not in faults.unread:
            faults.missing[name] = None
        values[name] = source.absent if value is None else value
    return values


def _value(name: str, case: Case, source: FieldSource, faults: _Faults) -> Any:
    try:
        return FORMS[source.form](case, source)
    except _OF_ANOTHER_KIND:
        faults.unread[name] = None
        return None
