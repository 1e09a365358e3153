"""The record link: frames, LINK-HEADER in front of a record, LINK-REPLY behind it."""

import re
import socket
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from simulators.errors import FrameError
from simulators.record_link.copybook import Layout, read_layouts
from simulators.record_link.mainframe import Mainframe
from simulators.record_link.record import Value, decode, encode

LONGEST_FRAME = 8192
_TRANSFER_ID = re.compile(r"[0-9A-Z]{26}")


@dataclass(frozen=True, kw_only=True)
class Message:
    """One of a reply's messages: a code, a copybook field's name, and a text that holds no value."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A record as it came in, its header read and its length right; `intact` tells whether its CRC agrees."""

    dialogue: str
    transfer_id: str
    payload: bytes
    intact: bool


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer; `page` is the record behind LINK-REPLY, when there is one."""

    completion: str
    legacy_ref: str = ""
    retry_after: int = 0
    messages: tuple[Message, ...] = ()
    page: bytes = field(default=b"", repr=False)


class Link:
    """Reads a mainframe's requests and writes its replies by the copybooks' layouts."""

    def __init__(self, mainframe: Mainframe, copybooks: Path) -> None:
        own = (phase.copybook for phase in mainframe.phases)
        self._layouts = read_layouts(copybooks, "linkhdr.cpy", "linkrpy.cpy", "enquiry.cpy", *own)
        self._records = {dialogue: self._layouts[record] for dialogue, record in mainframe.records.items()}

    def layout(self, record: str) -> Layout:
        """The layout of the record of this name."""
        return self._layouts[record]

    def record_of(self, dialogue: str) -> Layout:
        """The layout of the record that a dialogue carries."""
        return self._records[dialogue]

    def read_request(self, frame: bytes) -> Request:
        """Open a frame. Raises FrameError where the interface says that the connection is closed."""
        header = self.layout("LINK-HEADER")
        opened = decode(header, frame[: header.length]) if len(frame) >= header.length else None
        if opened is None or opened.unreadable:
            raise FrameError("the header cannot be read")
        values, payload = opened.values, frame[header.length :]
        if (values["LH-EYECATCHER"], values["LH-VERSION"], values["LH-SOURCE"]) != ("CMS3", 1, "CMS3GWAY"):
            raise FrameError("the header is not of this link")
        dialogue, transfer_id = str(values["LH-DIALOGUE"]), str(values["LH-TRANSFER-ID"])
        if dialogue not in self._records or not _TRANSFER_ID.fullmatch(transfer_id):
            raise FrameError("unknown dialogue, or no transfer id")
        if not len(payload) == values["LH-PAYLOAD-LENGTH"] == self.record_of(dialogue).length:
            raise FrameError(f"{dialogue}: the payload has the wrong length")
        intact = values["LH-PAYLOAD-CRC"] == zlib.crc32(payload)
        return Request(dialogue=dialogue, transfer_id=transfer_id, payload=payload, intact=intact)

    def reply_frame(self, transfer_id: str, reply: Reply) -> bytes:
        """The whole frame of an answer, its length in front."""
        values: dict[str, Value] = {
            "LR-EYECATCHER": "RPLY",
            "LR-TRANSFER-ID": transfer_id,
            "LR-COMPLETION": reply.completion,
            "LR-LEGACY-REF": reply.legacy_ref,
            "LR-RETRY-AFTER-SECS": reply.retry_after,
            "LR-MESSAGE-COUNT": len(reply.messages),
            "LR-MSG-CODE": [message.code for message in reply.messages],
            "LR-MSG-FIELD": [message.field for message in reply.messages],
            "LR-MSG-TEXT": [message.text for message in reply.messages],
        }
        body = encode(self.layout("LINK-REPLY"), values) + reply.page
        return len(body).to_bytes(4, "big") + body


def read_frame(connection: socket.socket) -> bytes | None:
    """The next frame without its length; None when the sender has closed between two frames. Raises FrameError."""
    announced = _received(connection, 4)
    if not announced:
        return None
    length = int.from_bytes(announced, "big")
    if len(announced) < 4 or length > LONGEST_FRAME:
        raise FrameError("no length of a frame, or one that is too long")
    frame = _received(connection, length)
    if len(frame) < length:
        raise FrameError("the connection ended inside a frame")
    return frame


def _received(connection: socket.socket, length: int) -> bytes:
    """Reads this many bytes, or fewer where the sender has closed."""
    data = bytearray()
    while len(data) < length and (part := connection.recv(length - len(data))):
        data += part
    return bytes(data)
