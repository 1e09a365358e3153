"""A record as text, field by field, so that a person can read it and two records can be compared."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from legacy_gateway.domain import System
from legacy_gateway.mapping.filling import fill
from legacy_gateway.mapping.forms import Case
from legacy_gateway.mapping.sources import phase_of, questions, sources
from legacy_gateway.mapping.writing import write
from legacy_gateway.records import RecordError, decode, layout, layouts

_NUMBER = re.compile(r"\([0-9]+\)")
_JSON = msgspec.json.Decoder(dict[str, Any])


def texts(system: System, number: int, payload: bytes) -> Mapping[str, str]:
    """Each field of a phase's record by its name, in the record's order; entries of a table have
    their number: IS-INCOME(2).IS-INC-AMOUNT.

    Raises RecordError or msgspec.DecodeError for bytes that are no such record.
    """
    record = phase_of(system, number).record
    values = decode(layout(record), payload) if record in layouts() else _JSON.decode(payload)
    return dict(_flat(values, ""))


def todays(system: System, number: int, case: Case) -> Mapping[str, str]:
    """The same of a record of these facts, whether a system would take it or not; nothing where a value does not fit."""
    record = phase_of(system, number).record
    try:
        return texts(system, number, write(record, fill(sources(system), record, case).values))
    except RecordError:
        return {}


def question_behind(system: System, number: int, name: str) -> str:
    """The question that supplies a field, by a name that `texts` gives; empty where the platform itself does."""
    known, plain = questions(system), _NUMBER.sub("", name)
    in_schema = known.get(f"{phase_of(system, number).record}.{plain}")
    return in_schema if in_schema is not None else known.get(plain.rpartition(".")[2], "")


def is_withheld(system: System, number: int, name: str) -> bool:
    """Whether a field, by a name that `texts` gives, is shown to nobody."""
    record = phase_of(system, number).record
    source = sources(system).of_record(record).get(f"{record}.{_NUMBER.sub('', name)}")
    return source is not None and source.withheld


def _flat(value: object, name: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, part in value.items():
                yield from _flat(part, f"{name}.{key}" if name else str(key))
        case str():
            yield name, value
        case Sequence():
            for number, part in enumerate(value, start=1):
                yield from _flat(part, f"{name}({number})")
        case _:
            yield name, _text(value)


def _text(value: object) -> str:
    match value:
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case _:
            return str(value)
