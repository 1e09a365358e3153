"""One connection of the record link to a system: it is opened when a call needs it.

A sender must know whether a record may have arrived: `NothingSent` means that it cannot have arrived, `OutcomeUnknown` that
it may have.
"""

import math
import socket
import threading
import time
from datetime import datetime

from chassis import crash
from chassis.errors import Unavailable
from legacy_gateway.link.frames import Reply, request_frame
from legacy_gateway.link.line import Fault, Line, NoReplyError, seconds_left


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
    """One connection to a system. Threads may share it: their records are in flight on it together.

    `timeout` is in seconds and bounds a whole call: connecting, sending and the reply.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._sending = threading.Lock()
        self._line: Line | None = None

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

        `attached` names the record that the reply may have behind it. `send_by` is on time.monotonic()'s scale: after it no
        first byte goes out, because somebody else may take it that this sender is gone. Raises NothingSent, OutcomeUnknown,
        and RecordError (nothing sent) for what a frame cannot hold.
        """
        deadline = time.monotonic() + self._timeout
        try:
            line, token = self._send(
                dialogue, transfer_id, payload, sent_at=sent_at, send_by=send_by, deadline=deadline
            )
            try:
                crash.point("link.after_send")
            except BaseException:
                line.fail(token, Fault.CONNECTION_LOST)
                raise
            return line.receive(token, transfer_id, deadline, attached=attached)
        except NoReplyError as failure:
            if failure.fault is Fault.NOT_SENT:
                raise NothingSent(transfer_id, failure.fault) from failure
            raise OutcomeUnknown(transfer_id, failure.fault, closed_at=time.time()) from failure

    def interrupt(self) -> None:
        """End the calls under way, from another thread: they raise OutcomeUnknown, and close the connection."""
        line = self._line
        if line is not None:
            line.interrupt()

    def close(self) -> None:
        """Close it; the next call opens it again."""
        with self._sending:
            self._drop()

    def _send(
        self, dialogue: str, transfer_id: str, payload: bytes, *, sent_at: datetime, send_by: float, deadline: float
    ) -> tuple[Line, object]:
        if not self._sending.acquire(timeout=self._timeout):
            raise NoReplyError(Fault.NOT_SENT)
        try:
            line = self._open(transfer_id, deadline)
            frame = request_frame(dialogue, transfer_id, payload, sent_at=sent_at, sequence=line.sequence)
            if time.monotonic() > send_by:
                raise NoReplyError(Fault.NOT_SENT)
            return line, line.send(frame, deadline)
        finally:
            self._sending.release()

    def _open(self, transfer_id: str, deadline: float) -> Line:
        if self._line is not None and self._line.is_usable:
            return self._line
        self._drop()
        try:
            connected = socket.create_connection(self._address, timeout=seconds_left(deadline))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise NothingSent(transfer_id, Fault.NOT_CONNECTED) from error
        self._line = Line(connected)
        return self._line

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
