"""Makes the records of a paying system from a claim's facts, and finds the question behind a record's field.

Which answer supplies which field is data: one file for each system beside this one, read and checked once.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from chassis import outside
from chassis.errors import InvalidArgument
from legacy_gateway.domain import RefusalMessage, System
from legacy_gateway.mapping.forms import FORMS, Case
from legacy_gateway.mapping.schema import FieldSource, Phase, Sources
from legacy_gateway.records import FILLER, Kind, Record, RecordError, encode, layout

__all__ = [
    "Case",
    "SourcesError",
    "Unfit",
    "build",
    "phase_of",
    "question_of",
    "read_sources",
    "refusal_message",
    "sources",
]

_FILES: Mapping[System, Path] = {System.JSAPS: Path(__file__).with_name("jsaps.toml")}
MISSING, NOT_FITTING, NO_RULE = "GW0001", "GW0002", "GW0003"
"""Codes of our own messages: a missing answer, a value that does not fit its field, and a refusal that names no rule."""
UNKNOWN_RULE = "breaks a rule that is only in the system's own list"
NO_RULE_NAMED = "was refused without a rule: ask the people who run the system"
_RULE_NUMBER = re.compile("[0-9]{4}")
_OF_THE_LINK = "LK"


class SourcesError(InvalidArgument):
    """A file of sources does not fit its schema or its layouts. The message names each fault."""


class Unfit(InvalidArgument):
    """No record can be made of a claim. Each message names the field and the question, never a value."""

    def __init__(self, messages: Iterable[RefusalMessage]) -> None:
        self.messages = tuple(messages)
        names = ", ".join(sorted({message.question_id or message.field for message in self.messages}))
        super().__init__("RECORD_UNFIT", f"no record can be made: {names}")


@cache
def sources(system: System) -> Sources:
    """The checked sources of a system's records. Raises SourcesError."""
    return read_sources(_FILES[system])


def read_sources(path: Path) -> Sources:
    """Reads a file of sources. Raises SourcesError unless it supplies every field of its records by known forms."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=Sources)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourcesError("SOURCES", f"{path.name}: {error}") from error
    for phase in found.phases:
        _check(path.name, layout(phase.record), found.of_record(phase.record))
    return found


def _check(name: str, record: Record, given: Mapping[str, FieldSource]) -> None:
    wanted = {field.name for field in record.walk() if field.kind is not Kind.GROUP and field.name != FILLER}
    problems = [f"{field} is not in {record.name}" for field in sorted(given.keys() - wanted)]
    problems += [f"{field} of {record.name} has no source" for field in sorted(wanted - given.keys())]
    problems += [f"{field}: no form {source.form}" for field, source in given.items() if source.form not in FORMS]
    if problems:
        raise SourcesError("SOURCES", f"{name}: {'; '.join(problems)}")


def phase_of(system: System, number: int) -> Phase:
    """The dialogue and layout of a system's phase. KeyError where it has no such phase."""
    return {phase.number: phase for phase in sources(system).phases}[number]


def question_of(system: System, field: str) -> str:
    """The question that supplies a field, by its copybook name; empty where the platform does, or the field is unknown."""
    for fields in sources(system).fields.values():
        if field in fields:
            return fields[field].question
    return ""


def refusal_message(system: System, *, code: str, field: str) -> RefusalMessage:
    """The message for a refusal, in our own words for the rule that was broken.

    A system's own words may quote the record, so they are not used. A code that does not look like one of its rules,
    and a field that is not in its layouts, are left out too.
    """
    known = sources(system)
    parts = {_OF_THE_LINK, *(phase.dialogue[:2] for phase in known.phases)}
    name = field if field in _fields(system) else ""
    if code[:2] not in parts or not _RULE_NUMBER.fullmatch(code[2:]):
        return _message(system, NO_RULE, name, NO_RULE_NAMED)
    return _message(system, code, name, outside.edit_rules().refusal(code) or UNKNOWN_RULE)


@cache
def _fields(system: System) -> frozenset[str]:
    """The names of the fields that a message of the system can name."""
    records = ["LINK-HEADER", "ENQUIRY", *(phase.record for phase in sources(system).phases)]
    return frozenset(field.name for record in records for field in layout(record).walk() if field.name != FILLER)


def build(system: System, number: int, case: Case) -> bytes:
    """The bytes of a phase's record. Raises Unfit with everything that is missing or does not fit."""
    phase = phase_of(system, number)
    values: dict[str, object] = {}
    missing: list[RefusalMessage] = []
    for field, source in sources(system).of_record(phase.record).items():
        value = FORMS[source.form](case, source)
        if source.required and value is None:
            missing.append(_message(system, MISSING, field, "is missing"))
        values[field] = source.absent if value is None else value
    return _encoded(system, layout(phase.record), values, missing)


def _encoded(system: System, record: Record, values: Mapping[str, object], missing: list[RefusalMessage]) -> bytes:
    unfit = missing
    encoded = b""
    try:
        encoded = encode(record, values)
    except RecordError as error:
        unfit = missing + [_message(system, NOT_FITTING, fault.field, fault.description) for fault in error.violations]
    if unfit:
        raise Unfit(unfit)
    return encoded


def _message(system: System, code: str, field: str, text: str) -> RefusalMessage:
    return RefusalMessage(code=code, field=field, text=text, question_id=question_of(system, field))
