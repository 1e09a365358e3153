"""The files that are exchanged with PSCS, by docs/interfaces/legacy.md, "PSCS: the batch file".

Written: a header, details, a trailer with their number and a hash total. Read: responses, and the daily lists of what is
held. A file that contradicts itself raises NotBelieved, and nothing of it is given.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from legacy_gateway.domain.batches import MOST_DETAILS, FileFault, Line, NotBelieved, Response
from legacy_gateway.domain.systems import HeldRecord
from legacy_gateway.records import Field, RecordError, date_number, decode, encode, layout
from legacy_gateway.records.elements import CODE_PAGE

_SOURCE = "CMS3GWAY"
_HEADER, _DETAIL, _TRAILER = "0", "1", "9"
_TAKEN, _REFUSED = "A", "R"
_HASH_MODULUS = 10**12
_LONDON = ZoneInfo("Europe/London")
_TRANSFER_ID = re.compile(r"[0-9A-Z]{26}")
_REFERENCE = re.compile(r"[!-~]{1,12}")
_LIST_LINE = re.compile(r"(?P<transfer_id>[0-9A-Z]{26}) (?P<legacy_ref>[!-~]{1,12}) *")
_LIST_LINE_BYTES = 39
_LINE_END = b"\x15"
_RESPONSE_BYTES = 200

MOST_RESPONSE_BYTES = (MOST_DETAILS + 2) * _RESPONSE_BYTES
MOST_LIST_BYTES = 20_000_000
"""Half a million records in a day: more than were ever held."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One record of a file: PSCS-DETAIL as the field map makes it. Its line and transfer id are written into it here."""

    transfer_id: str
    record: bytes


def write_batch(sequence: int, created: datetime, details: Sequence[Detail]) -> bytes:
    """The bytes of a file. Raises RecordError for a detail of another length, or whose NINO has no six digits."""
    day = created.astimezone(_LONDON)
    header = {
        "PH-TYPE": _HEADER,
        "PH-SOURCE": _SOURCE,
        "PH-FILE-SEQUENCE": sequence,
        "PH-CREATED-DATE": date_number(day.date()),
        "PH-CREATED-TIME": day.hour * 10_000 + day.minute * 100 + day.second,
    }
    lines = [_numbered(detail, line) for line, detail in enumerate(details, start=1)]
    trailer = {"PT-TYPE": _TRAILER, "PT-DETAIL-COUNT": len(lines), "PT-HASH-TOTAL": hash_total(lines)}
    return b"".join([encode(layout("PSCS-HEADER"), header), *lines, encode(layout("PSCS-TRAILER"), trailer)])


def hash_total(lines: Sequence[bytes]) -> int:
    """The sum over the details of line number times the NINO's six digits, modulo 10^12."""
    return sum(line * _nino_digits(record) for line, record in enumerate(lines, start=1)) % _HASH_MODULUS


def must_fit_batch(record: bytes) -> None:
    """Raises RecordError unless a record can be a detail of a file."""
    _numbered(Detail(transfer_id="0" * 26, record=record), 1)
    _nino_digits(record)


def read_response(content: bytes) -> Response:
    """A response file. Raises NotBelieved if it cannot be read; `Response.must_fit` tells whether it is about a batch."""
    records = list(_records(content))
    if len(records) < 2:
        raise NotBelieved(FileFault.LENGTH)
    header = _decoded("PSCS-RSP-HEADER", records[0])
    trailer = _decoded("PSCS-RSP-TRAILER", records[-1])
    if header["RH-TYPE"] != _HEADER or trailer["RT-TYPE"] != _TRAILER:
        raise NotBelieved(FileFault.UNREADABLE)
    lines = tuple(_line(_decoded("PSCS-RSP-DETAIL", record)) for record in records[1:-1])
    return Response(
        sequence=header["RH-FILE-SEQUENCE"],
        refusal=_refusal(header, lines),
        lines=lines,
        count=trailer["RT-DETAIL-COUNT"],
    )


def read_day_list(content: bytes) -> Sequence[HeldRecord]:
    """A daily list of what is held, in its order. Raises NotBelieved."""
    if len(content) % (_LIST_LINE_BYTES + len(_LINE_END)) != 0:
        raise NotBelieved(FileFault.LENGTH)
    *lines, rest = content.split(_LINE_END)  # before decoding: in some code pages the byte has a meaning of its own
    if rest:
        raise NotBelieved(FileFault.LENGTH)
    return [_held(line) for line in lines]


def _held(line: bytes) -> HeldRecord:
    found = _LIST_LINE.fullmatch(line.decode(CODE_PAGE)) if len(line) == _LIST_LINE_BYTES else None
    if found is None:
        raise NotBelieved(FileFault.UNREADABLE)
    return HeldRecord(transfer_id=found["transfer_id"], legacy_ref=found["legacy_ref"])


def _records(content: bytes) -> Iterator[bytes]:
    if len(content) > MOST_RESPONSE_BYTES:
        raise NotBelieved(FileFault.TOO_LONG)
    if len(content) % _RESPONSE_BYTES:
        raise NotBelieved(FileFault.LENGTH)
    return (content[start : start + _RESPONSE_BYTES] for start in range(0, len(content), _RESPONSE_BYTES))


def _decoded(name: str, record: bytes) -> Mapping[str, Any]:
    try:
        return decode(layout(name), record)
    except RecordError as error:
        raise NotBelieved(FileFault.UNREADABLE) from error


def _line(values: Mapping[str, Any]) -> Line:
    transfer_id, completion = values["RD-TRANSFER-ID"], values["RD-COMPLETION"]
    if values["RD-TYPE"] != _DETAIL or not _TRANSFER_ID.fullmatch(transfer_id):
        raise NotBelieved(FileFault.UNREADABLE)
    if completion == _TAKEN and _REFERENCE.fullmatch(values["RD-LEGACY-REF"]):
        return Line(transfer_id=transfer_id, legacy_ref=values["RD-LEGACY-REF"])
    if completion == _REFUSED and not values["RD-LEGACY-REF"]:
        return Line(transfer_id=transfer_id, code=values["RD-MSG-CODE"], field=values["RD-MSG-FIELD"])
    raise NotBelieved(FileFault.UNREADABLE)


def _refusal(header: Mapping[str, Any], lines: Sequence[Line]) -> str:
    """The code of the whole file's refusal; empty if it was taken."""
    if header["RH-RESULT"] == _TAKEN:
        return ""
    code = str(header["RH-MSG-CODE"])
    if header["RH-RESULT"] != _REFUSED or lines or not re.fullmatch(r"PF[0-9]{4}", code):
        raise NotBelieved(FileFault.UNREADABLE)
    return code


def _numbered(detail: Detail, line: int) -> bytes:
    numbers = {"PD-TYPE": _DETAIL, "PD-LINE": line, "PD-TRANSFER-ID": detail.transfer_id}
    first = encode(layout("PSCS-DETAIL"), numbers)
    begin = _fields()["CM-NINO"].offset
    if len(detail.record) != len(first):
        raise RecordError("RECORD_UNFIT", "PSCS-DETAIL has another length")
    return first[:begin] + detail.record[begin:]


def _nino_digits(record: bytes) -> int:
    nino = _fields()["CM-NINO"]
    digits = record[nino.offset + 2 : nino.offset + 8].decode(CODE_PAGE)
    if not (digits.isascii() and digits.isdigit()):
        raise RecordError("RECORD_UNFIT", "CM-NINO has no six digits")
    return int(digits)


@cache
def _fields() -> Mapping[str, Field]:
    return {field.name: field for field in layout("PSCS-DETAIL").walk()}
