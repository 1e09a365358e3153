"""Rotas as an office manager writes them down, a line a shift, published through the door of scheduling."""

import csv
import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import httpx

from chassis.clock import LONDON
from cms_local import keys
from cms_local.doors import Doors
from cms_local.layout import Layout

COLUMNS = ["assessor_id", "office_code", "day", "start", "end", "channel", "skills", "emergency_slots"]
OPTIONAL = {"emergency_slots"}
"""Columns that a file may leave out: those written before it had them have none kept."""
CHANNELS = ("OFFICE", "TELEPHONE", "HOME_VISIT")
LARGEST_BYTES = 4 * 1024 * 1024
_TIME = re.compile(r"[0-2][0-9]:[0-5][0-9]")
_NUMBER = re.compile(r"[0-9]{1,3}")
_PATIENCE_SECONDS = 15.0


class BadRota(ValueError):
    """A line of the file is not a shift, or says nothing; the text names the line and the column."""


@dataclass(kw_only=True)
class WrittenRota:
    """The shifts of an assessor at an office. `weeks` are Mondays that are replaced, though no shift is in them."""

    assessor_id: str
    office_code: str
    shifts: list[dict[str, Any]] = field(default_factory=list)
    weeks: set[date] = field(default_factory=set)

    def message(self) -> dict[str, Any]:
        """The request, which bears an id of its own."""
        return {
            "assessorId": self.assessor_id,
            "officeCode": self.office_code,
            "shifts": self.shifts,
            "weeks": [{"year": week.year, "month": week.month, "day": week.day} for week in sorted(self.weeks)],
            "requestId": str(uuid.uuid4()),
        }


def read(text: str) -> list[WrittenRota]:
    """The rotas of a CSV file with the columns COLUMNS, in the order of their first lines.

    `day` is a day of London, `start` and `end` are times of its clock, `skills` are codes with a space between, none for all.
    `emergency_slots` says how many of the shift's last slots are kept for emergencies, none where it is empty.

    A line without start, end and channel says that its week is published, though nobody works on that day. Raises BadRota.
    """
    lines = csv.DictReader(io.StringIO(text), strict=True)
    if lines.fieldnames not in (COLUMNS, [column for column in COLUMNS if column not in OPTIONAL]):
        raise BadRota(f"the columns must be {','.join(COLUMNS)}")
    found: dict[tuple[str, str], WrittenRota] = {}
    for number, line in _numbered(lines):
        whose = (_given(line, "assessor_id", number), _given(line, "office_code", number))
        rota = found.setdefault(whose, WrittenRota(assessor_id=whose[0], office_code=whose[1]))
        day = _day(line, number)
        rota.weeks.add(day - timedelta(days=day.weekday()))
        if line["start"] or line["end"] or line["channel"]:
            rota.shifts.append(_shift(line, day, number))
    if not found:
        raise BadRota("there is no rota in the file")
    return list(found.values())


@dataclass(frozen=True, kw_only=True)
class Published:
    """The answer to a rota that was published."""

    assessor_id: str
    office_code: str
    added: int
    kept: int
    removed: int
    moved: int
    not_moved: int
    still_to_move: int


def publish(layout: Layout, rotas: list[WrittenRota], *, subject: str) -> Iterator[Published]:
    """Publishes each rota as this manager, and gives its answer.

    Raises Refused, httpx.TransportError at the first that fails.
    """
    token = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject=subject)
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        for rota in rotas:
            answer = doors.call("scheduling-svc", "PublishRota", rota.message(), token=token)
            yield Published(
                assessor_id=rota.assessor_id,
                office_code=rota.office_code,
                added=answer["added"],
                kept=answer["kept"],
                removed=answer["removed"],
                moved=len(answer["moved"]),
                not_moved=len(answer["notMoved"]),
                still_to_move=answer["stillToMove"],
            )


def _numbered(lines: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    try:
        for line in lines:
            if None in line or None in line.values():
                raise BadRota(f"line {lines.line_num} does not have {len(lines.fieldnames or ())} columns")
            yield lines.line_num, line
    except csv.Error as error:
        raise BadRota(f"line {lines.line_num} is not CSV") from error


def _given(line: dict[str, str], column: str, number: int) -> str:
    if not line[column]:
        raise BadRota(f"line {number}: {column} is missing")
    return line[column]


def _day(line: dict[str, str], number: int) -> date:
    try:
        return date.fromisoformat(line["day"])
    except ValueError as error:
        raise BadRota(f"line {number}: day must be a day such as 2005-07-11") from error


def _shift(line: dict[str, str], day: date, number: int) -> dict[str, Any]:
    if line["channel"] not in CHANNELS:
        raise BadRota(f"line {number}: channel must be one of {', '.join(CHANNELS)}")
    return {
        "start": _moment(line, "start", day, number),
        "end": _moment(line, "end", day, number),
        "channel": f"CHANNEL_{line['channel']}",
        "skills": line["skills"].split(),
        "emergencySlots": _emergency_slots(line, number),
    }


def _emergency_slots(line: dict[str, str], number: int) -> int:
    """How many slots are kept. Whether the shift has so many is for scheduling to say."""
    given = line.get("emergency_slots") or "0"
    if not _NUMBER.fullmatch(given):
        raise BadRota(f"line {number}: emergency_slots must be a number such as 1")
    return int(given)


def _moment(line: dict[str, str], column: str, day: date, number: int) -> str:
    try:
        # fromisoformat takes other forms of a time too.
        local = time.fromisoformat(line[column]) if _TIME.fullmatch(line[column]) else None
    except ValueError:
        local = None
    if local is None:
        raise BadRota(f"line {number}: {column} must be a time such as 09:00")
    return datetime.combine(day, local, tzinfo=LONDON).isoformat()
