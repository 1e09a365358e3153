"""The offices, assessors and rotas that the service starts with, from the CSV files beside this module.

Every function raises ValueError, naming the file and the line's key, where a file does not hold together.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import time
from importlib import resources
from itertools import pairwise

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Assessor, Channel, Need, Office, WeeklyShift

OFFICE_COLUMNS = ["code", "name", "postcode", "easting", "northing", "nation", "features"]
ASSESSOR_COLUMNS = ["assessor_id", "office_code", "pattern", "skills"]
PATTERN_COLUMNS = ["pattern", "weekday", "start", "end", "channel"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

Patterns = dict[str, tuple[WeeklyShift, ...]]


def load_offices() -> tuple[Office, ...]:
    """The offices, in the order of their codes."""
    return parse_offices(_text("offices.csv"))


def load_assessors() -> tuple[Assessor, ...]:
    """The assessors of those offices with their rotas, in the order of their references."""
    return parse_assessors(
        _text("assessors.csv"), offices=load_offices(), patterns=parse_patterns(_text("rota_patterns.csv"))
    )


def parse_offices(text: str) -> tuple[Office, ...]:
    """Offices from CSV with the columns OFFICE_COLUMNS."""
    offices = [_office(line) for line in _lines(text, OFFICE_COLUMNS)]
    _refuse_doubles("offices", [office.code for office in offices])
    return tuple(sorted(offices, key=lambda office: office.code))


def parse_patterns(text: str) -> Patterns:
    """Weekly patterns by name from CSV with the columns PATTERN_COLUMNS."""
    patterns: dict[str, list[WeeklyShift]] = {}
    for line in _lines(text, PATTERN_COLUMNS):
        patterns.setdefault(line["pattern"], []).append(_shift(line))
    return {name: _in_order(name, shifts) for name, shifts in patterns.items()}


def parse_assessors(text: str, *, offices: Iterable[Office], patterns: Patterns) -> tuple[Assessor, ...]:
    """Assessors from CSV with the columns ASSESSOR_COLUMNS, each of a known office and pattern."""
    codes = {office.code for office in offices}
    assessors = [_assessor(line, codes=codes, patterns=patterns) for line in _lines(text, ASSESSOR_COLUMNS)]
    _refuse_doubles("assessors", [assessor.assessor_id for assessor in assessors])
    return tuple(sorted(assessors, key=lambda assessor: assessor.assessor_id))


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _lines(text: str, columns: list[str]) -> Iterable[dict[str, str]]:
    lines = csv.DictReader(io.StringIO(text), strict=True)
    if lines.fieldnames != columns:
        raise ValueError(f"the columns must be {', '.join(columns)}")
    return lines


def _office(line: dict[str, str]) -> Office:
    if not re.fullmatch(r"[0-9]{6}", line["code"]) or not line["name"]:
        raise ValueError(f"offices: {line['code']!r} must be six digits with a name")
    return Office(
        code=line["code"],
        name=line["name"],
        postcode=line["postcode"],
        easting=int(line["easting"]),
        northing=int(line["northing"]),
        nation=Nation(line["nation"]),
        features=_needs(line["features"]),
    )


def _shift(line: dict[str, str]) -> WeeklyShift:
    shift = WeeklyShift(
        weekday=WEEKDAYS.index(line["weekday"]),
        start=time.fromisoformat(line["start"]),
        end=time.fromisoformat(line["end"]),
        channel=Channel(line["channel"]),
    )
    if shift.end <= shift.start:
        raise ValueError(f"rota_patterns: a shift of {line['pattern']} on {line['weekday']} ends before it starts")
    return shift


def _in_order(name: str, shifts: list[WeeklyShift]) -> tuple[WeeklyShift, ...]:
    ordered = sorted(shifts, key=lambda shift: (shift.weekday, shift.start))
    for before, after in pairwise(ordered):
        if before.weekday == after.weekday and after.start < before.end:
            raise ValueError(f"rota_patterns: shifts of {name} overlap on {WEEKDAYS[after.weekday]}")
    return tuple(ordered)


def _assessor(line: dict[str, str], *, codes: set[str], patterns: Patterns) -> Assessor:
    reference = line["assessor_id"]
    if not re.fullmatch(r"[A-Z0-9]{1,8}", reference):
        raise ValueError(f"assessors: {reference!r} must be at most eight of A-Z0-9")
    if line["office_code"] not in codes or line["pattern"] not in patterns:
        raise ValueError(f"assessors: {reference} must have an office and a pattern that are listed")
    return Assessor(
        assessor_id=reference,
        office_code=line["office_code"],
        skills=_needs(line["skills"]),
        rota=patterns[line["pattern"]],
    )


def _needs(text: str) -> frozenset[Need]:
    return frozenset(Need(word) for word in text.split())


def _refuse_doubles(name: str, keys: list[str]) -> None:
    if len(set(keys)) != len(keys):
        raise ValueError(f"{name}: a key stands twice")
