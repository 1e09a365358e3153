"""The record link: one record out, one reply back, over a TCP connection that carries many.

A frame is a 4-byte big-endian length, then LINK-HEADER and the payload record; the reply is such a frame with
LINK-REPLY. See docs/interfaces/legacy.md, "The record link". A sender must know whether a record may have arrived:
`NothingSent` means that it cannot have arrived, `OutcomeUnknown` that it may have.
"""

import math
import queue
import re
import socket
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from chassis import crash
from chassis.errors import InvalidArgument, Unavailable, Violation

from .records import RecordError, date_number, decode, encode, layout

ENQUIRY_DIALOGUE = "ENQ01"
_WITHDRAWAL_DIALOGUE = "CN504"
LONGEST_FRAME = 8_192
"""In bytes, with the length in front. A system closes the connection on a longer frame."""
MOST_CONNECTIONS = 16
"""The number of connections that one system takes."""

_LENGTH = struct.Struct(">I")
_DROP_WHAT_IS_UNSENT = struct.pack("ii", 1, 0)
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


class Fault(StrEnum):
    """Why there is no reply: a closed list, fit for the label of a metric."""

    NOT_CONNECTED = "NOT_CONNECTED"
    NOT_SENT = "NOT_SENT"
    ALL_CONNECTIONS_BUSY = "ALL_CONNECTIONS_BUSY"
    TIMED_OUT = "TIMED_OUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    CUT_SHORT = "CUT_SHORT"
    UNREADABLE = "UNREADABLE"
    OTHER_TRANSFER = "OTHER_TRANSFER"


@dataclass(frozen=True, kw_only=True)
class LinkMessage:
    """One of a reply's messages: the edit rule's code, the COBOL field that it is about, and its words."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """LINK-REPLY. `legacy_ref` is empty unless the system names one; `retry_after_seconds` is 0 unless it is busy."""

    transfer_id: str
    completion: Completion
    legacy_ref: str
    retry_after_seconds: int
    messages: tuple[LinkMessage, ...]


class NothingSent(Unavailable):
    """No byte of the frame left: the system cannot hold the record, and it is safe to try again."""

    def __init__(self, transfer_id: str, fault: Fault) -> None:
        super().__init__(fault, f"{transfer_id} was not sent: {fault}", metadata={"transfer_id": transfer_id})
        self.fault = fault


class OutcomeUnknown(Unavailable):
    """The record may be held: ask before it is sent again. The connection is closed.

    `closed_at` is the moment of the closing in seconds since 1970, by the real clock and not the platform's.
    """

    will_pass = False  # a blind second try is what a system that does not recognise a repeat would pay twice

    def __init__(self, transfer_id: str, fault: Fault, *, closed_at: float) -> None:
        super().__init__(fault, f"no reply for {transfer_id}: {fault}", metadata={"transfer_id": transfer_id})
        self.fault = fault
        self.closed_at = closed_at


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
    return _LENGTH.pack(len(body)) + body


def sequence_after(sequence: int) -> int:
    """LH-SEQUENCE of the next record on a connection: 9999 is followed by 0000."""
    return (sequence + 1) % 10_000


def read_reply(encoded: bytes) -> Reply:
    """The reply in the bytes of a LINK-REPLY. Raises RecordError naming the malformed fields."""
    values = decode(layout("LINK-REPLY"), encoded)
    wrong = [Violation(field=field, description="is malformed") for field in _fields_at_fault(values)]
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
    )


class LinkConnection:
    """One connection to a system, for one thread at a time. It is opened when a call needs it.

    `timeout` is in seconds and bounds a whole call: connecting, sending and the reply.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._sequence = 1

    def call(
        self, dialogue: str, transfer_id: str, payload: bytes, *, sent_at: datetime, send_by: float = math.inf
    ) -> Reply:
        """Send one record and wait for its reply. `sent_at` has a time zone.

        `send_by` is on time.monotonic()'s scale: after it no first byte goes out, because somebody else may take it that
        this sender is gone. Raises NothingSent, OutcomeUnknown, and RecordError (nothing sent) for what a frame cannot
        hold.
        """
        deadline = time.monotonic() + self._timeout
        line = self._line(transfer_id, deadline)
        frame = request_frame(dialogue, transfer_id, payload, sent_at=sent_at, sequence=self._sequence)
        self._sequence = sequence_after(self._sequence)
        try:
            if time.monotonic() > send_by:
                raise _NoReplyError(Fault.NOT_SENT)
            return _exchange(line, frame, transfer_id, deadline)
        except _NoReplyError as failure:
            self._abort()
            if failure.fault is Fault.NOT_SENT:
                raise NothingSent(transfer_id, failure.fault) from failure
            raise OutcomeUnknown(transfer_id, failure.fault, closed_at=time.time()) from failure
        except BaseException:
            self._abort()
            raise

    def interrupt(self) -> None:
        """End the call under way, from another thread: it raises OutcomeUnknown, and closes the connection."""
        line = self._socket
        if line is not None:
            with suppress(OSError):  # of a connection that is closed already
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; the next call opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _line(self, transfer_id: str, deadline: float) -> socket.socket:
        if self._socket is not None and _is_quiet(self._socket):
            return self._socket
        self.close()
        try:
            self._socket = socket.create_connection(self._address, timeout=_seconds_left(deadline))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            self.close()
            raise NothingSent(transfer_id, Fault.NOT_CONNECTED) from error
        self._sequence = 1
        return self._socket

    def _abort(self) -> None:
        """Close it and drop unsent bytes that the kernel holds: after an ordinary close the kernel would still send them."""
        if self._socket is not None:
            with suppress(OSError):  # of a socket that the kernel has given up already: it holds nothing
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_WHAT_IS_UNSENT)
        self.close()


class LinkPool:
    """The connections to one system, shared by threads; `size` is 1 to 16, `timeout` in seconds bounds each call."""

    def __init__(self, host: str, port: int, *, size: int, timeout: float) -> None:
        if not 1 <= size <= MOST_CONNECTIONS:
            raise InvalidArgument.of(Violation(field="size", description=f"must be 1 to {MOST_CONNECTIONS}"))
        self._timeout = timeout
        self._all = [LinkConnection(host, port, timeout) for _ in range(size)]
        self._idle: queue.LifoQueue[LinkConnection] = queue.LifoQueue()
        for connection in self._all:
            self._idle.put(connection)

    def call(
        self, dialogue: str, transfer_id: str, payload: bytes, *, sent_at: datetime, send_by: float = math.inf
    ) -> Reply:
        """As LinkConnection.call, on a connection that is free.

        Where all are busy it waits for one first, at most `timeout` seconds, and then raises NothingSent. The call has
        its own time after that: a record sent with little time left would only become an unknown one.
        """
        try:
            connection = self._idle.get(timeout=self._timeout)
        except queue.Empty:
            raise NothingSent(transfer_id, Fault.ALL_CONNECTIONS_BUSY) from None
        try:
            return connection.call(dialogue, transfer_id, payload, sent_at=sent_at, send_by=send_by)
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Wait for the calls under way and close every connection. A later call raises NothingSent."""
        for _ in self._all:
            self._idle.get().close()

    def reset(self) -> None:
        """End the calls under way and close every connection. A later call opens one again."""
        for connection in self._all:
            connection.interrupt()
        taken = [self._idle.get() for _ in self._all]
        for connection in taken:
            connection.close()
            self._idle.put(connection)


def ask(link: LinkConnection | LinkPool, transfer_id: str, *, sent_at: datetime) -> Reply:
    """Asks for the outcome of a transfer (ENQ01): ACCEPTED with the reference, REJECTED with messages, or NOT_KNOWN.

    When NOT_KNOWN is final the caller decides, by the system and by OutcomeUnknown.closed_at. Raises as `call` does.
    """
    payload = encode(layout("ENQUIRY"), {"EN-TRANSFER-ID": transfer_id})
    return link.call(ENQUIRY_DIALOGUE, transfer_id, payload, sent_at=sent_at)


def withdraw(link: LinkConnection | LinkPool, transfer_id: str, *, sent_at: datetime) -> Reply:
    """Withdraws a first phase that is to be given up (CN504): ACCEPTED, or REJECTED if a second phase uses its reference.

    It may be repeated. Raises as `call` does.
    """
    payload = encode(layout("ENQUIRY"), {"EN-TRANSFER-ID": transfer_id})
    return link.call(_WITHDRAWAL_DIALOGUE, transfer_id, payload, sent_at=sent_at)


class _NoReplyError(Exception):
    """The exchange ended without a readable reply to what was sent."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def _check_request(transfer_id: str, payload: bytes, sent_at: datetime) -> None:
    faults: list[Violation] = []
    if not _TRANSFER_ID.fullmatch(transfer_id):
        faults.append(Violation(field="LH-TRANSFER-ID", description="must be 26 of 0-9A-Z"))
    if _LENGTH.size + layout("LINK-HEADER").length + len(payload) > LONGEST_FRAME:
        faults.append(Violation(field="LH-PAYLOAD-LENGTH", description=f"makes a frame over {LONGEST_FRAME} bytes"))
    if sent_at.tzinfo is None:
        faults.append(Violation(field="LH-SENT-TIME", description="must come from a time with a time zone"))
    if faults:
        raise RecordError.over("LINK-HEADER", faults)


def _fields_at_fault(reply: Mapping[str, Any]) -> Iterator[str]:
    completion = reply["LR-COMPLETION"]
    if reply["LR-EYECATCHER"] != "RPLY":
        yield "LR-EYECATCHER"
    if completion not in set(Completion):
        yield "LR-COMPLETION"
    if completion in {Completion.ACCEPTED, Completion.DUPLICATE} and not reply["LR-LEGACY-REF"]:
        yield "LR-LEGACY-REF"
    if reply["LR-MESSAGE-COUNT"] > len(reply["LR-MESSAGE"]):
        yield "LR-MESSAGE-COUNT"


def _exchange(line: socket.socket, frame: bytes, transfer_id: str, deadline: float) -> Reply:
    _send(line, frame, deadline)
    crash.point("link.after_send")
    try:
        (length,) = _LENGTH.unpack(_receive(line, _LENGTH.size, deadline))
        if length != layout("LINK-REPLY").length:
            raise _NoReplyError(Fault.UNREADABLE)
        reply = read_reply(_receive(line, length, deadline, closed_means=Fault.CUT_SHORT))
    except TimeoutError as error:
        raise _NoReplyError(Fault.TIMED_OUT) from error
    except OSError as error:
        raise _NoReplyError(Fault.CONNECTION_LOST) from error
    except RecordError as error:
        raise _NoReplyError(Fault.UNREADABLE) from error
    if reply.transfer_id != transfer_id:
        raise _NoReplyError(Fault.OTHER_TRANSFER)
    return reply


def _send(line: socket.socket, frame: bytes, deadline: float) -> None:
    """Sends the whole frame. NOT_SENT means that the kernel took no byte, which sendall would not tell."""
    sent = 0
    try:
        while sent < len(frame):
            line.settimeout(_seconds_left(deadline))
            sent += line.send(frame[sent:])
    except OSError as error:
        late = isinstance(error, TimeoutError)
        begun = Fault.TIMED_OUT if late else Fault.CONNECTION_LOST
        raise _NoReplyError(begun if sent else Fault.NOT_SENT) from error


def _receive(line: socket.socket, count: int, deadline: float, *, closed_means: Fault = Fault.CONNECTION_LOST) -> bytes:
    received = bytearray()
    while len(received) < count:
        line.settimeout(_seconds_left(deadline))
        piece = line.recv(count - len(received))
        if not piece:
            raise _NoReplyError(closed_means)
        received += piece
    return bytes(received)


def _is_quiet(line: socket.socket) -> bool:
    """Whether an idle connection is open and has nothing to read. Otherwise it was closed, or has a stray reply."""
    line.settimeout(0)
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
