"""The frames of the record link: a request as bytes, and a reply read from bytes.

A frame is a 4-byte big-endian length, then LINK-HEADER and the payload record; the reply is such a frame with LINK-REPLY, and
for a day's list RECON-PAGE behind it. See docs/interfaces/legacy.md, "The record link".
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from chassis.errors import Violation
from legacy_gateway.records import RecordError, date_number, decode, encode, layout

LONGEST_FRAME = 8_192
"""In bytes, with the length in front. A system closes the connection on a longer frame."""

LENGTH = struct.Struct(">I")
"""The length in front of a frame."""
_TRANSFER_ID = re.compile(r"[0-9A-Z]{26}")
_LONDON = ZoneInfo("Europe/London")


class Completion(StrEnum):
    """LR-COMPLETION: the outcome of a record."""

    ACCEPTED = "A"
    DUPLICATE = "D"
    CONFLICT = "C"
    REJECTED = "R"
    SYSTEM_ERROR = "E"
    BUSY = "B"
    NOT_KNOWN = "N"


@dataclass(frozen=True, kw_only=True)
class LinkMessage:
    """One of a reply's messages: the edit rule's code, the COBOL field that it is about, and its words."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """LINK-REPLY. `legacy_ref` is empty unless the system names one; `retry_after_seconds` is 0 unless it is busy.

    `attached` is the record behind it in the same frame; empty but for a day's list.
    """

    transfer_id: str
    completion: Completion
    legacy_ref: str
    retry_after_seconds: int
    messages: tuple[LinkMessage, ...]
    attached: bytes = b""


def request_frame(dialogue: str, transfer_id: str, payload: bytes, *, sent_at: datetime, sequence: int) -> bytes:
    """The bytes of one frame. `sent_at` has a time zone and is written as London's time.

    Raises RecordError for a transfer id that is not 26 of 0-9A-Z, and for what else the header or a frame cannot hold.
    """
    _check_request(transfer_id, payload, sent_at)
    sent = sent_at.astimezone(_LONDON)
    header = {
        "LH-EYECATCHER": "CMS3",
        "LH-VERSION": 1,
        "LH-DIALOGUE": dialogue,
        "LH-SOURCE": "CMS3GWAY",
        "LH-TRANSFER-ID": transfer_id,
        "LH-SENT-DATE": date_number(sent.date()),
        "LH-SENT-TIME": sent.hour * 10_000 + sent.minute * 100 + sent.second,
        "LH-SEQUENCE": sequence,
        "LH-PAYLOAD-LENGTH": len(payload),
        "LH-PAYLOAD-CRC": zlib.crc32(payload),
    }
    body = encode(layout("LINK-HEADER"), header) + payload
    return LENGTH.pack(len(body)) + body


def sequence_after(sequence: int) -> int:
    """LH-SEQUENCE of the next record on a connection: 9999 is followed by 0000."""
    return (sequence + 1) % 10_000


def read_reply(encoded: bytes) -> Reply:
    """The reply in the bytes of a LINK-REPLY and what is attached. Raises RecordError naming the malformed fields."""
    length = layout("LINK-REPLY").length
    values = decode(layout("LINK-REPLY"), encoded[:length])
    wrong = [
        Violation(field=field, description="is malformed")
        for field in _fields_at_fault(values, is_list=len(encoded) > length)
    ]
    if wrong:
        raise RecordError.over("LINK-REPLY", wrong)
    return Reply(
        transfer_id=values["LR-TRANSFER-ID"],
        completion=Completion(values["LR-COMPLETION"]),
        legacy_ref=values["LR-LEGACY-REF"],
        retry_after_seconds=values["LR-RETRY-AFTER-SECS"],
        messages=tuple(
            LinkMessage(code=entry["LR-MSG-CODE"], field=entry["LR-MSG-FIELD"], text=entry["LR-MSG-TEXT"])
            for entry in values["LR-MESSAGE"][: values["LR-MESSAGE-COUNT"]]
        ),
        attached=encoded[length:],
    )


def _check_request(transfer_id: str, payload: bytes, sent_at: datetime) -> None:
    faults: list[Violation] = []
    if not _TRANSFER_ID.fullmatch(transfer_id):
        faults.append(Violation(field="LH-TRANSFER-ID", description="must be 26 of 0-9A-Z"))
    if LENGTH.size + layout("LINK-HEADER").length + len(payload) > LONGEST_FRAME:
        faults.append(Violation(field="LH-PAYLOAD-LENGTH", description=f"makes a frame over {LONGEST_FRAME} bytes"))
    if sent_at.tzinfo is None:
        faults.append(Violation(field="LH-SENT-TIME", description="must come from a time with a time zone"))
    if faults:
        raise RecordError.over("LINK-HEADER", faults)


def _fields_at_fault(reply: Mapping[str, Any], *, is_list: bool) -> Iterator[str]:
    completion = reply["LR-COMPLETION"]
    if reply["LR-EYECATCHER"] != "RPLY":
        yield "LR-EYECATCHER"
    if completion not in set(Completion):
        yield "LR-COMPLETION"
    if completion in {Completion.ACCEPTED, Completion.DUPLICATE} and not (reply["LR-LEGACY-REF"] or is_list):
        yield "LR-LEGACY-REF"
    if reply["LR-MESSAGE-COUNT"] > len(reply["LR-MESSAGE"]):
        yield "LR-MESSAGE-COUNT"
