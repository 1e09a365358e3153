"""The files of the SFTP way: notices in CSV as they come in, and the acknowledgement that goes out."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.councils.notice_fields import NoticeFields, Problem

LONGEST_FILE = 16 * 1_048_576
LAST_SEQUENCE = 999_999
END_OF_LINE = "\r\n"
_NAME = re.compile(r"HB\.([A-Z][0-9]{8})\.([0-9]{6})\.csv")
WRITABLE = re.compile(r"HB\.[A-Z][0-9]{8}\.[0-9]{6}\.csv(\.part)?")
"""The names that a file in in/ may have: its own, and the one under which it is written first."""
_TRAILER = re.compile(rb"TRAILER,(0|[1-9][0-9]{0,6}),([0-9a-f]{64})")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_NOTICE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class FileName:
    """The name of a file: its authority and its sequence."""

    authority_code: str
    sequence: int

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return f"HB.{self.authority_code}.{self.sequence:06d}"


def name_of(name: str) -> FileName | None:
    """The parts of a file's name; None when it is not a name of the interface."""
    found = _NAME.fullmatch(name)
    return FileName(authority_code=found[1], sequence=int(found[2])) if found and int(found[2]) else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One notice of a file: the fields that are filled, and what is wrong with them."""

    notice: Mapping[str, Any]
    problems: Sequence[Problem]
    sha256: str


class FileRefusedError(Exception):
    """The file is refused whole; `rows` are those that could be read."""

    def __init__(self, reason: str, rows: Sequence[Row] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rows = rows


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One line of an acknowledgement."""

    notice_id: str
    version: int
    claim_ref: str
    state: str
    reason: str = ""


class BatchFiles:
    """Reads files by the fields of a notice. The columns are those fields, in the order of the interface."""

    def __init__(self, fields: NoticeFields) -> None:
        self._fields = fields
        self.columns = {path.replace(".", "_"): path for path in fields.leaves()}

    def read(self, content: bytes) -> list[Row]:
        """The rows of a file. Raises FileRefusedError."""
        if len(content) > LONGEST_FILE:
            raise FileRefusedError("THE FILE IS TOO LONG")
        lines, _, trailer = content.removesuffix(b"\r\n").rpartition(b"\r\n")
        found = _TRAILER.fullmatch(trailer) if content.endswith(b"\r\n") else None
        if found is None:
            raise FileRefusedError("THE TRAILER IS MISSING OR WRONG", self._readable(content))
        lines += b"\r\n"
        if hashlib.sha256(lines).hexdigest().encode() != found[2]:
            raise FileRefusedError("THE HASH IS NOT THAT OF THE LINES", self._readable(lines))
        rows = self._rows(lines)
        if len(rows) != int(found[1]):
            raise FileRefusedError("THE COUNT IS NOT THAT OF THE ROWS", rows)
        return rows

    def _rows(self, lines: bytes) -> list[Row]:
        """Every row, which must be whole. Raises FileRefusedError."""
        rows = list(self._cells(lines))
        if not rows or rows[0] != list(self.columns):
            raise FileRefusedError("THE HEADER IS NOT THAT OF THE INTERFACE")
        whole = [cells for cells in rows[1:] if self._whole(cells)]
        read = [self._row(cells) for cells in whole]
        if len(whole) < len(rows) - 1:
            raise FileRefusedError("A ROW CANNOT BE READ", read)
        return read

    def _readable(self, content: bytes) -> list[Row]:
        """The rows of a file that is refused, as far as they are whole."""
        whole, _, _ = content.rpartition(b"\r\n")
        rows = list(self._cells(whole))
        if not rows or rows[0] != list(self.columns):
            return []
        return [self._row(cells) for cells in rows[1:] if self._whole(cells)]

    def _cells(self, lines: bytes) -> Iterator[list[str]]:
        """Rows of cells, up to the first that is no CSV."""
        text = io.StringIO(lines.decode("utf-8", errors="replace"), newline="")
        try:
            yield from csv.reader(text, strict=True)
        except csv.Error:
            yield []

    def _whole(self, cells: Sequence[str]) -> bool:
        if len(cells) != len(self.columns):
            return False
        found = dict(zip(self.columns, cells, strict=True))
        return bool(_NOTICE_ID.fullmatch(found["notice_id"]) and _NUMBER.fullmatch(found["version"]))

    def _row(self, cells: Sequence[str]) -> Row:
        notice: dict[str, Any] = {}
        for path, cell in zip(self.columns.values(), cells, strict=True):
            if cell:
                parent, _, name = path.rpartition(".")
                place = notice.setdefault(parent, {}) if parent else notice
                place[name] = self._value(path, cell)
        text = json.dumps(notice, sort_keys=True)
        return Row(
            notice=notice,
            problems=self._fields.problems(notice),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )

    def _value(self, path: str, cell: str) -> Any:
        """The value of a cell; the text itself where it should be a number or JSON and is not, which the checks then find."""
        kind = self._fields.type_of(path)
        if kind == "number":
            return int(cell) if _NUMBER.fullmatch(cell) else cell
        if kind == "list":
            try:
                return json.loads(cell)
            except (ValueError, RecursionError):
                return cell
        return cell


def acknowledgement(outcomes: Iterable[Outcome]) -> bytes:
    """An `.ack` file: `notice_id,version,LOADED|REFUSED,reason` for each row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=END_OF_LINE)
    writer.writerows([one.notice_id, one.version, one.state, one.reason] for one in outcomes)
    return text.getvalue().encode()
