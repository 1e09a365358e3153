"""The channel SFTP: notices in CSV files, and acknowledgements (docs/interfaces/local-authority.md, the way `sftp`)."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.sftp import Fault, Files, SftpAway
from la_notifier.domain.fields import FIELDS
from la_notifier.domain.files import AckRow, File

COLUMNS = tuple(field.replace(".", "_") for field in FIELDS)

PART = ".part"
_END_OF_LINE = "\r\n"
_MOST_BYTES_OF_ROW = 1000
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_FIELD_NAMES = re.compile(r"[a-z][a-z_.\[\]0-9]{0,63}")
_SAYINGS = {"LOADED": True, "REFUSED": False}


class UnknownField(ValueError):
    """A notice has a field that the file has no column for."""


def row_of(body: Mapping[str, Any]) -> list[str]:
    """The cells of a notice. What is not known is empty. Raises UnknownField."""
    flat = dict(_flat(body))
    if unknown := flat.keys() - set(FIELDS):
        raise UnknownField(", ".join(sorted(unknown)))
    return [_cell(flat.get(name)) for name in FIELDS]


def write_file(rows: Sequence[Sequence[str]]) -> bytes:
    """The bytes of a file: a header, the rows, and a trailer with their number and the hash of all lines before it."""
    lines = _lines([COLUMNS, *rows])
    return lines + _lines([("TRAILER", str(len(rows)), hashlib.sha256(lines).hexdigest())])


def most_ack_bytes(file: File) -> int:
    """The most bytes that an acknowledgement of a file may have."""
    return (file.row_count + 1) * _MOST_BYTES_OF_ROW


def upload(files: Files, file: File, content: bytes) -> None:
    """Lays a file into in/, whole: nobody sees it half written under its name. Raises SftpAway."""
    files.write_whole(f"in/{file.stem}.csv", content)


def is_untaken(files: Files, file: File) -> bool:
    """Whether the file still lies in in/. Raises SftpAway."""
    return files.state(f"in/{file.stem}.csv") is not None


def read_ack(files: Files, file: File) -> Sequence[AckRow] | None:
    """The rows of a file's acknowledgement, none of one that is longer than it can be. None where there is none.

    Raises SftpAway.
    """
    try:
        found = files.read(f"out/{file.stem}.ack", most_bytes=most_ack_bytes(file))
    except SftpAway as away:
        if away.fault is Fault.TOO_LONG:
            return ()
        raise
    return None if found is None else parse_ack(found[1])


def parse_ack(content: bytes) -> Sequence[AckRow]:
    """The rows of an acknowledgement that can be read: a line that was cut short or is none of ours says nothing."""
    whole, end, _ = content.decode(errors="replace").rpartition(_END_OF_LINE)
    return [row for row in map(_ack_row, _cells(whole + end)) if row is not None]


def _cells(text: str) -> Iterator[Sequence[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error:
        return  # what follows cannot be told apart


def _ack_row(cells: Sequence[str]) -> AckRow | None:
    if len(cells) != 4 or cells[2] not in _SAYINGS or not _NUMBER.fullmatch(cells[1]):
        return None
    try:
        notice_id = UUID(cells[0])
    except ValueError:
        return None
    is_loaded, reason = _SAYINGS[cells[2]], cells[3]
    return AckRow(
        notice_id=notice_id, version=int(cells[1]), is_loaded=is_loaded, reason=reason, fields=_fields(reason)
    )


def _fields(reason: str) -> Sequence[str]:
    # Names of the interface's fields alone are kept: the rest of a reason may quote the claimant.
    by_column = dict(zip(COLUMNS, FIELDS, strict=True))
    named = (by_column.get(name.replace(".", "_")) for name in _FIELD_NAMES.findall(reason))
    return tuple(dict.fromkeys(name for name in named if name is not None))


def _flat(body: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_END_OF_LINE).writerows(rows)
    return text.getvalue().encode()
