"""Fills a record: the value of every field, from a claim's facts and from what the platform decides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from legacy_gateway.mapping.forms import FORMS, Case
from legacy_gateway.mapping.schema import COUNT, FieldSource, Sources


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The values of a record: rows of a table are a tuple of mappings. `missing` are required fields without a value."""

    values: Mapping[str, Any]
    missing: tuple[str, ...]


def fill(sources: Sources, record: str, case: Case) -> Filled:
    """Fills a record by its map."""
    missing: list[str] = []
    values: dict[str, Any] = {}
    for table, rows in _rows(sources, record, case):
        values[table] = (*values.get(table, ()), _filled(rows, missing))
    own = {name: source for name, source in sources.of_record(record).items() if source.form != COUNT}
    values.update(_filled((case, own), missing))
    for name, source in sources.of_record(record).items():
        if source.form == COUNT:
            values[name] = len(values.get(source.table, ()))
    return Filled(values=values, missing=tuple(dict.fromkeys(missing)))


_Part = tuple[Case, Mapping[str, FieldSource]]


def _rows(sources: Sources, record: str, case: Case) -> Iterator[tuple[str, _Part]]:
    for rows in sources.rows_of(record):
        yield from ((rows.table, (row, rows.fields)) for row in case.rows(rows))


def _filled(part: _Part, missing: list[str]) -> dict[str, Any]:
    case, fields = part
    values: dict[str, Any] = {}
    for name, source in fields.items():
        value = FORMS[source.form](case, source)
        if source.required and value is None:
            missing.append(name)
        values[name] = source.absent if value is None else value
    return values
