"""One connection of the record link: request after request, with the failures that are in force."""

import random
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import NoReturn

import structlog

from simulators.errors import FrameError
from simulators.failures import FailurePlan
from simulators.outage import Outage
from simulators.record_link.dialogues import Dialogues
from simulators.record_link.failures import RecordLinkFailure
from simulators.record_link.link import Link, Message, Reply, Request, read_frame

log = structlog.get_logger()

TWO_GIGABYTES = 2**31
SYSTEM_ERROR = Reply(completion="E", messages=(Message(code="LK0001", field="", text="SYSTEM ERROR"),))


class ConversationOver(Exception):
    """The connection is to be closed."""


def reset_on_close(connection: socket.socket) -> None:
    """Let the close be a reset, as of a system that has gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _closes_within(connection: socket.socket, seconds: float) -> bool:
    """Whether the sender closes the connection, in good order or by a reset, before this time or another request."""
    connection.settimeout(seconds)
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    finally:
        connection.settimeout(None)


def _of(request: Request) -> Mapping[str, str]:
    return {"dialogue": request.dialogue, "transfer_id": request.transfer_id}


class Conversation:
    """Serves one connection until it ends. `buffer_seconds` is how long a frame may lie before it is held."""

    def __init__(
        self,
        connection: socket.socket,
        *,
        link: Link,
        dialogues: Dialogues,
        plan: FailurePlan[RecordLinkFailure],
        outage: Outage[RecordLinkFailure],
        buffer_seconds: float,
        stopping: threading.Event,
    ) -> None:
        self._connection = connection
        self._link = link
        self._dialogues = dialogues
        self._plan = plan
        self._outage = outage
        self._buffer_seconds = buffer_seconds
        self._stopping = stopping

    def run(self) -> None:
        """Answer until the sender closes, a frame breaks the rules, or a failure closes the connection."""
        try:
            while (frame := read_frame(self._connection)) is not None:
                self._take(self._link.read_request(frame))
        except ConversationOver:
            return
        except FrameError as error:
            log.warning("connection closed", cause=str(error))

    def _take(self, request: Request) -> None:
        if self._outage.under_way():
            self._count(request, failed=True)
            self._close_mid_frame()
        claim_ref = self._dialogues.claim_ref(request)
        failure = self._plan.pick(lambda rule: rule.applies_to(request.dialogue, claim_ref))
        self._count(request, failed=failure is not None and failure.failure != "lose_overnight")
        if failure is None:
            self._send(request, self._dialogues.answer(request))
        else:
            log.info("fails", **_of(request), claim_ref=claim_ref, failure=failure.failure)
            self._misbehaviours()[failure.failure](request, failure)

    def _count(self, request: Request, *, failed: bool) -> None:
        if self._dialogues.is_record(request):
            self._plan.attempted(failed=failed)

    def _misbehaviours(self) -> Mapping[str, Callable[[Request, RecordLinkFailure], None]]:
        return {
            "down": self._down,
            "hang": self._hang,
            "answer_late": self._answer_late,
            "lose_reply": self._lose_reply,
            "hold_late": self._hold_late,
            "buffer": self._buffer,
            "cut_reply": self._cut_reply,
            "other_transfer": self._other_transfer,
            "announce_too_long": self._announce_too_long,
            "system_error": lambda request, _: self._send(request, SYSTEM_ERROR),
            "busy": lambda request, rule: self._send(request, Reply(completion="B", retry_after=rule.retry_after)),
            "refuse_record": self._refuse_record,
            "close_mid_frame": self._close_mid_frame,
            "first_phase_only": lambda request, _: self._send(request, SYSTEM_ERROR),
            "lose_overnight": lambda request, _: self._send(request, self._dialogues.answer(request, until_night=True)),
        }

    def _send(self, request: Request, reply: Reply) -> None:
        self._connection.sendall(self._link.reply_frame(request.transfer_id, reply))
        log.info("answered", **_of(request), completion=reply.completion, legacy_ref=reply.legacy_ref)

    def _down(self, _: Request, rule: RecordLinkFailure) -> NoReturn:
        self._outage.begin(rule)
        self._close_mid_frame()

    def _hang(self, *_: object) -> None:
        while self._connection.recv(65_536):
            """Whatever else is sent is swallowed until the sender gives up."""
        raise ConversationOver

    def _answer_late(self, request: Request, rule: RecordLinkFailure) -> None:
        reply = self._dialogues.answer(request)
        self._stopping.wait(rule.seconds)
        self._send(request, reply)

    def _lose_reply(self, request: Request, _: RecordLinkFailure) -> None:
        self._dialogues.answer(request)
        raise ConversationOver

    def _hold_late(self, request: Request, _: RecordLinkFailure) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        self._hold_after_closing(request)

    def _buffer(self, request: Request, rule: RecordLinkFailure) -> None:
        if _closes_within(self._connection, rule.seconds):
            self._hold_after_closing(request)
        self._send(request, self._dialogues.answer(request))

    def _hold_after_closing(self, request: Request) -> NoReturn:
        # A tenth is left over, so that a busy machine does not hold it after the time that the interface promises.
        if not self._stopping.wait(random.uniform(0, 0.9 * self._buffer_seconds)):
            self._dialogues.answer(request)
        raise ConversationOver

    def _cut_reply(self, request: Request, _: RecordLinkFailure) -> None:
        frame = self._link.reply_frame(request.transfer_id, self._dialogues.answer(request))
        self._connection.sendall(frame[: len(frame) // 2])
        raise ConversationOver

    def _other_transfer(self, request: Request, _: RecordLinkFailure) -> None:
        reply = self._dialogues.answer(request)
        last = "0" if request.transfer_id[-1] != "0" else "1"
        self._connection.sendall(self._link.reply_frame(request.transfer_id[:-1] + last, reply))

    def _announce_too_long(self, request: Request, _: RecordLinkFailure) -> None:
        frame = self._link.reply_frame(request.transfer_id, self._dialogues.answer(request))
        self._connection.sendall(TWO_GIGABYTES.to_bytes(4, "big") + frame[4:])
        self._hang()

    def _refuse_record(self, request: Request, rule: RecordLinkFailure) -> None:
        self._send(request, self._dialogues.answer(request, besides=(rule.refusal(request.dialogue),)))

    def _close_mid_frame(self, *_: object) -> NoReturn:
        reset_on_close(self._connection)
        raise ConversationOver
