"""One TCP connection of the record link: frames go out one after the other, and their replies come in the same order."""

import select
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from enum import StrEnum

from legacy_gateway.link.frames import LENGTH, Reply, read_reply, sequence_after
from legacy_gateway.records import RecordError, layout

_DROP_WHAT_IS_UNSENT = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """The reason why there is no reply: a closed list, fit for the label of a metric."""

    NOT_CONNECTED = "NOT_CONNECTED"
    NOT_SENT = "NOT_SENT"
    ALL_CONNECTIONS_BUSY = "ALL_CONNECTIONS_BUSY"
    TIMED_OUT = "TIMED_OUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    CUT_SHORT = "CUT_SHORT"
    UNREADABLE = "UNREADABLE"
    OTHER_TRANSFER = "OTHER_TRANSFER"


class NoReplyError(Exception):
    """The exchange ended without a readable reply. NOT_SENT: no byte of the frame left."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class Line:
    """An open connection, shared by the threads whose records are in flight on it.

    One thread sends at a time: the caller sees to that. Each thread reads its own reply when those before it are read. When
    one of them fails so do all, because a reply behind a broken one belongs to nobody.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(0)
        self._socket = connected
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        """A token for each record in flight, in the order of their frames."""
        self._fault: Fault | None = None
        self.sequence = 1
        """LH-SEQUENCE of the next frame."""

    @property
    def is_usable(self) -> bool:
        """Whether a frame can go out on it: it has not failed, and an idle one was not closed and has no stray reply."""
        with self._changed:
            return self._fault is None and (bool(self._waiting) or _is_quiet(self._socket))

    def send(self, frame: bytes, deadline: float) -> object:
        """Sends a whole frame; gives the token for its reply. Raises NoReplyError, NOT_SENT if the kernel took no byte."""
        token = object()
        with self._changed:
            if self._fault is not None:
                raise NoReplyError(Fault.NOT_SENT)
            self._waiting.append(token)
        sent = 0
        try:
            while sent < len(frame):
                try:
                    sent += self._socket.send(frame[sent:])
                except BlockingIOError:
                    _await(self._socket, select.POLLOUT, deadline)
        except OSError as error:
            fault = Fault.TIMED_OUT if isinstance(error, TimeoutError) else Fault.CONNECTION_LOST
            first = self.fail(token, fault)
            raise NoReplyError(first if sent else Fault.NOT_SENT) from error
        self.sequence = sequence_after(self.sequence)
        return token

    def receive(self, token: object, transfer_id: str, deadline: float, *, attached: str) -> Reply:
        """The reply to a frame that was sent. `attached` names the record that it may have behind it. Raises NoReplyError."""
        try:
            self._wait_for_turn(token, deadline)
            reply = self._read(deadline, attached)
            if reply.transfer_id != transfer_id:
                raise NoReplyError(Fault.OTHER_TRANSFER)
        except NoReplyError as failure:
            raise NoReplyError(self.fail(token, failure.fault)) from failure
        self._leave(token)
        return reply

    def fail(self, token: object, fault: Fault) -> Fault:
        """Ends the connection for all whose records are in flight, and drops unsent bytes that the kernel holds.

        Gives the fault of whoever failed first: the others only saw the end of the connection.
        """
        with self._changed:
            if self._fault is None:
                self._fault = fault
                with suppress(OSError):  # of a socket that the kernel has given up already: it holds nothing
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_WHAT_IS_UNSENT)
                if len(self._waiting) > 1:
                    self.interrupt()
            first = self._fault
        self._leave(token)
        return first

    def interrupt(self) -> None:
        """Ends the calls under way, from whichever thread."""
        with suppress(OSError):  # of a connection that is closed already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes it, or leaves that to the last thread whose record is in flight."""
        with self._changed:
            self._fault = self._fault or Fault.CONNECTION_LOST
            if not self._waiting:
                self._socket.close()

    def _leave(self, token: object) -> None:
        with self._changed:
            self._waiting.remove(token)
            if self._fault is not None and not self._waiting:
                self._socket.close()  # nobody reads from it any more
            self._changed.notify_all()

    def _wait_for_turn(self, token: object, deadline: float) -> None:
        with self._changed:
            while self._fault is None and self._waiting[0] is not token:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise NoReplyError(Fault.TIMED_OUT)
            if self._fault is not None:
                raise NoReplyError(self._fault)

    def _read(self, deadline: float, attached: str) -> Reply:
        try:
            (length,) = LENGTH.unpack(self._bytes(LENGTH.size, deadline))
            if length not in _lengths(attached):
                raise NoReplyError(Fault.UNREADABLE)
            return read_reply(self._bytes(length, deadline, closed_means=Fault.CUT_SHORT))
        except TimeoutError as error:
            raise NoReplyError(Fault.TIMED_OUT) from error
        except OSError as error:
            raise NoReplyError(Fault.CONNECTION_LOST) from error
        except RecordError as error:
            raise NoReplyError(Fault.UNREADABLE) from error

    def _bytes(self, count: int, deadline: float, *, closed_means: Fault = Fault.CONNECTION_LOST) -> bytes:
        received = bytearray()
        while len(received) < count:
            _await(self._socket, select.POLLIN, deadline)
            piece = self._socket.recv(count - len(received))
            if not piece:
                raise NoReplyError(closed_means)
            received += piece
        return bytes(received)


def seconds_left(deadline: float) -> float:
    """Seconds until then. Raises TimeoutError where there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _lengths(attached: str) -> set[int]:
    """The lengths that a reply may have: anything else is not read at all, however much is announced."""
    alone = layout("LINK-REPLY").length
    return {alone, alone + layout(attached).length} if attached else {alone}


def _await(line: socket.socket, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(line.fileno(), event)
    if not poll.poll(seconds_left(deadline) * 1000):
        raise TimeoutError


def _is_quiet(line: socket.socket) -> bool:
    """Whether an idle connection is open and has nothing to read."""
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
