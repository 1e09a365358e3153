"""One connection of the record link: one record out, one reply back.

A sender must know whether a record may have arrived: `NothingSent` means that it cannot have arrived, `OutcomeUnknown` that
it may have.
"""

import math
import socket
import struct
import time
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from chassis import crash
from chassis.errors import Unavailable
from legacy_gateway.link.frames import LENGTH, Reply, read_reply, request_frame, sequence_after
from legacy_gateway.records import RecordError, layout

_DROP_WHAT_IS_UNSENT = struct.pack("ii", 1, 0)


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
        self,
        dialogue: str,
        transfer_id: str,
        payload: bytes,
        *,
        sent_at: datetime,
        send_by: float = math.inf,
        attached: str = "",
    ) -> Reply:
        """Send one record and wait for its reply. `sent_at` has a time zone.

        `attached` names the record that the reply may have behind it.

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
            return _exchange(line, frame, transfer_id, deadline, attached=attached)
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


class _NoReplyError(Exception):
    """The exchange ended without a readable reply to what was sent."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def _exchange(line: socket.socket, frame: bytes, transfer_id: str, deadline: float, *, attached: str) -> Reply:
    _send(line, frame, deadline)
    crash.point("link.after_send")
    try:
        (length,) = LENGTH.unpack(_receive(line, LENGTH.size, deadline))
        if length not in _lengths(attached):
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


def _lengths(attached: str) -> set[int]:
    """The lengths that a reply may have: anything else is not read at all, however much is announced."""
    alone = layout("LINK-REPLY").length
    return {alone, alone + layout(attached).length} if attached else {alone}


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
