"""Reads the maps: which answer supplies which field of a system's records. Each is read and checked once."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from chassis import outside
from chassis.errors import InvalidArgument
from legacy_gateway.domain import System
from legacy_gateway.mapping.forms import FORMS
from legacy_gateway.mapping.schema import COUNT, Beginning, FieldSource, Phase, Sources

_FOLDER = Path(__file__).parent
_File = TypeVar("_File", Sources, Beginning)


class SourcesError(InvalidArgument):
    """A map does not fit its schema or its layouts. The message names each fault."""


@cache
def sources(system: System) -> Sources:
    """The checked map of a system's records. Raises SourcesError."""
    return read_sources(_FOLDER / f"{system.lower()}.toml")


def read_sources(path: Path) -> Sources:
    """Reads a map. Raises SourcesError unless it supplies every field of its records once, by known forms."""
    found = _read(path, Sources)
    if found.begins_with:
        begins = _read(path.with_name(found.begins_with), Beginning).fields
        fields = {record: {**begins, **own} for record, own in found.fields.items()}
        found = msgspec.structs.replace(found, fields=fields)
    for phase in found.phases:
        _check(path.name, phase.record, found)
    return found


def phase_of(system: System, number: int) -> Phase:
    """The dialogue and layout of a system's phase. KeyError where it has no such phase."""
    return {phase.number: phase for phase in sources(system).phases}[number]


def feeding(system: System, number: int) -> frozenset[str]:
    """The facts that make a difference to the record of a phase: a change of another leaves it as it is."""
    return sources(system).feeding(phase_of(system, number).record)


@cache
def questions(system: System) -> Mapping[str, str]:
    """For each field of a system's records the question that supplies it; fields of the platform have none.

    A table leads to the question of its first rows.
    """
    known = sources(system)
    found = {name: source.question for fields in known.fields.values() for name, source in fields.items()}
    for rows in known.rows:
        found.setdefault(rows.table, rows.question)
        for name in rows.fields:
            found.setdefault(name, rows.question)
    return found


def _read(path: Path, kind: type[_File]) -> _File:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise SourcesError("SOURCES", f"{path.name}: {error}") from error


def _check(name: str, record: str, found: Sources) -> None:
    if record not in outside.records():
        raise SourcesError("SOURCES", f"{name}: {record} is not described in chassis.outside (records/)")
    problems = [problem for place, given, wanted in _parts(record, found) for problem in _faults(place, given, wanted)]
    if problems:
        raise SourcesError("SOURCES", f"{name}: {'; '.join(problems)}")


def _parts(record: str, found: Sources) -> Iterator[tuple[str, Mapping[str, FieldSource], set[str]]]:
    """The parts that are filled together, with the fields that each needs: the record outside its tables; each kind of row."""
    tables: dict[str, set[str]] = {}
    for field, listed in outside.records()[record].fields.items():
        tables.setdefault(listed.table, set()).add(field)
    yield record, found.fields.get(record, {}), tables.pop("", set())
    for rows in found.rows_of(record):
        yield f"{record}'s table {rows.table}", rows.fields, tables.get(rows.table, set())
    for table in tables.keys() - {rows.table for rows in found.rows_of(record)}:
        yield f"{record}'s table {table}", {}, tables[table]


def _faults(place: str, given: Mapping[str, FieldSource], wanted: set[str]) -> Iterator[str]:
    yield from (f"{field} is not in {place}" for field in sorted(given.keys() - wanted))
    yield from (f"{field} of {place} has no source" for field in sorted(wanted - given.keys()))
    known = {*FORMS, COUNT}
    yield from (f"{field}: no form {source.form}" for field, source in given.items() if source.form not in known)
