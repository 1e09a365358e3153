"""Makes the records of a paying system from a claim's facts, and finds the question behind a record's field.

Which answer supplies which field is data: one file for each system beside this one. See docs/adr/0043.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from chassis import clock, outside
from chassis.errors import InvalidArgument, Violation
from legacy_gateway.domain import Action, RefusalMessage, System
from legacy_gateway.mapping.asking import asking, what_to_ask
from legacy_gateway.mapping.edit_rules import Examined, broken_rules
from legacy_gateway.mapping.filling import fill
from legacy_gateway.mapping.forms import Case
from legacy_gateway.mapping.sources import SourcesError, feeding, phase_of, questions, read_sources, sources
from legacy_gateway.mapping.writing import write
from legacy_gateway.records import FILLER, RecordError, decode, layout, layouts

__all__ = [
    "Case",
    "SourcesError",
    "Unfit",
    "build",
    "check",
    "feeding",
    "phase_of",
    "question_of",
    "read_files",
    "read_sources",
    "refusal_message",
    "sources",
    "systems_of",
    "values_of",
    "what_to_ask",
]

MISSING, NOT_FITTING, NO_RULE, TOO_MUCH, NO_CHANGES = "GW0001", "GW0002", "GW0003", "GW0004", "GW0005"
"""Codes of our own messages: a missing answer, a value that does not fit its field, a refusal that names no rule, more
than the record can hold, and a change for a system that takes none."""
MADE_BY_HAND = "takes no changes: a caseworker makes it there"
UNKNOWN_RULE = "breaks a rule that is only in the system's own list"
NO_RULE_NAMED = "was refused without a rule: ask the people who run the system"
_RULE_NUMBER = re.compile("[0-9]{4}")


class Unfit(InvalidArgument):
    """No record can be made of a claim. Each message names the field and the question, never a value.

    `needs_person`: no correction of an answer would help, because the record cannot hold all that is true of the claimant, or
    because the system takes no changes.
    """

    def __init__(self, messages: Iterable[RefusalMessage]) -> None:
        self.messages = tuple(messages)
        self.needs_person = all(message.code in {TOO_MUCH, NO_CHANGES} for message in self.messages)
        names = ", ".join(sorted({message.question_id or message.field for message in self.messages}))
        super().__init__("RECORD_UNFIT", f"no record can be made: {names}")


def question_of(system: System, field: str) -> str:
    """The question that supplies a field, by its copybook name; empty where the platform does, or the field is unknown."""
    return questions(system).get(field, "")


def refusal_message(system: System, *, code: str, field: str) -> RefusalMessage:
    """The message for a refusal, in our own words for the rule that was broken.

    A system's own words may quote the record, so they are not used. A code that does not look like one of its rules,
    and a field that is not in its layouts, are left out too.
    """
    name = field if field in _fields(system) else ""
    if code[:2] not in sources(system).code_parts or not _RULE_NUMBER.fullmatch(code[2:]):
        return _message(system, NO_RULE, name, NO_RULE_NAMED)
    return _message(system, code, name, outside.edit_rules().refusal(code) or UNKNOWN_RULE)


@cache
def _fields(system: System) -> frozenset[str]:
    """The names of the fields that a message of the system can name."""
    records = [phase.record for phase in sources(system).phases]
    if any(record in layouts() for record in records):
        records += ["LINK-HEADER", "ENQUIRY"]
    walked = (field.name for record in records if record in layouts() for field in layout(record).walk())
    return frozenset({*walked, *questions(system)}) - {FILLER}


def read_files() -> None:
    """Reads every map, the edit rules and what to ask; call it before there are threads. Raises SourcesError.

    Two threads that need one of these files for the first time at once crash msgspec, which shows each the other's half-made
    description of a class.
    """
    for system in System:
        sources(system)
    asking()


def build(system: System, number: int, case: Case) -> bytes:
    """The bytes of a phase's record. Raises Unfit with everything that is missing or does not fit, or breaks an edit rule."""
    encoded, messages = _tried(system, number, case)
    if messages:
        raise Unfit(messages)
    return encoded


def check(system: System, number: int, case: Case) -> tuple[RefusalMessage, ...]:
    """Everything that keeps a phase's record from being sent, as `build` would find it; none where nothing does."""
    return _tried(system, number, case)[1]


def systems_of(schemes: Iterable[str]) -> tuple[System, ...]:
    """The systems that the records of these schemes go to."""
    claimed = set(schemes)
    found = {record.system for record in outside.records().values() if claimed & set(record.schemes)}
    return tuple(system for system in System if system in found)


def _tried(system: System, number: int, case: Case) -> tuple[bytes, tuple[RefusalMessage, ...]]:
    if case.action is Action.CHANGE and not sources(system).takes_changes:
        return b"", (_message(system, NO_CHANGES, "", MADE_BY_HAND),)
    record = phase_of(system, number).record
    filled = fill(sources(system), record, case)
    missing = [_message(system, MISSING, field, "is missing") for field in filled.missing]
    missing += [
        _message(system, NOT_FITTING, field, "is made from an answer of another kind") for field in filled.unread
    ]
    try:
        encoded = write(record, filled.values)
    except RecordError as error:
        told = {*filled.missing, *filled.unread}
        unfit = (_unfit(system, record, fault) for fault in error.violations if fault.field not in told)
        return b"", (*missing, *unfit)
    # A missing value breaks rules as well, which says nothing more.
    unanswered = {message.question_id for message in missing}
    broken = [message for message in _broken(system, record, encoded) if message.question_id not in unanswered]
    return encoded, (*missing, *broken)


def _broken(system: System, record: str, encoded: bytes) -> list[RefusalMessage]:
    """The edit rules that a record breaks."""
    part = outside.records()[record].part
    if not part:
        return []
    examined = Examined(values=decode(layout(record), encoded), sent_on=clock.today())
    return [refusal_message(system, code=one.code, field=one.field) for one in broken_rules(part, examined)]


def values_of(system: System, number: int, case: Case) -> Mapping[str, Any]:
    """The value of every field of a phase's record, None where it has none; rows of a table are a tuple of mappings."""
    return fill(sources(system), phase_of(system, number).record, case).values


def _unfit(system: System, record: str, fault: Violation) -> RefusalMessage:
    """A value that does not fit. In a table no form is offered that would fit: a person completes the claim."""
    in_table = any(fault.field in {rows.table, *rows.fields} for rows in sources(system).rows_of(record))
    return _message(system, TOO_MUCH if in_table else NOT_FITTING, fault.field, fault.description)


def _message(system: System, code: str, field: str, text: str) -> RefusalMessage:
    return RefusalMessage(code=code, field=field, text=text, question_id=question_of(system, field))
