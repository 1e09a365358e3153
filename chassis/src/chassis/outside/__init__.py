"""The outside world as data: the records of the paying systems, the notice to a council, the edit rules and their limits.

One home for what the catalogues of questions are held against and the gateway goes by. The files say what each field means;
their source is docs/interfaces. A record's field is named as outside: by its COBOL name, or by its path after `notice.` or
`cots.`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

from chassis.outside.schema import (
    Announced,
    Break,
    Change,
    EditRule,
    EditRules,
    Keep,
    Limit,
    LimitRow,
    OutsideField,
    OutsideRecord,
    Source,
    Stop,
    Unit,
    faults,
)

__all__ = [
    "Break",
    "Change",
    "EditRule",
    "EditRules",
    "Keep",
    "Limit",
    "LimitRow",
    "OutsideDataError",
    "OutsideField",
    "OutsideRecord",
    "Source",
    "Stop",
    "Unit",
    "announced_changes",
    "edit_rules",
    "records",
]

_FOLDER = Path(__file__).parent
_File = TypeVar("_File", OutsideRecord, EditRules, Announced)


class OutsideDataError(Exception):
    """A file of this package does not fit its schema, or the files do not go together. The message names each fault."""


@cache
def records() -> Mapping[str, OutsideRecord]:
    """Every record by its name, each with the fields that it begins with. Raises OutsideDataError."""
    read = [_read(path, OutsideRecord) for path in sorted((_FOLDER / "records").glob("*.toml"))]
    by_name = {record.name: record for record in read}
    _refuse(faults(by_name, edit_rules()))
    return MappingProxyType({record.name: _whole(record, by_name) for record in read})


@cache
def edit_rules() -> EditRules:
    """Every edit rule, with the dated limits. Raises OutsideDataError."""
    return _read(_FOLDER / "edit_rules.toml", EditRules)


@cache
def announced_changes() -> tuple[Change, ...]:
    """Every change of the rules that has a day: those announced, and those of the limits. Raises OutsideDataError."""
    limits = (
        Change(
            id=f"{limit.id}_{row.first_day.year}",
            what=f"{limit.id} becomes {row.value} {limit.unit}",
            source="edit_rules.toml",
            first_day=row.first_day,
            table=limit.id,
            value=row.value,
        )
        for limit in edit_rules().limits
        for row in limit.rows[1:]
    )
    return (*limits, *_read(_FOLDER / "announced.toml", Announced).changes)


def _whole(record: OutsideRecord, by_name: Mapping[str, OutsideRecord]) -> OutsideRecord:
    if not record.begins_with:
        return record
    return msgspec.structs.replace(record, fields={**by_name[record.begins_with].fields, **record.fields})


def _read(path: Path, kind: type[_File]) -> _File:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OutsideDataError(f"{path.name}: {error}") from error


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise OutsideDataError("; ".join(found))
