"""Sending written messages, and asking what became of them: each is taken under a lease, Notify is called outside of any
transaction, and its answer is saved in one transaction if the lease is still held."""

import threading
import time
from collections.abc import Callable

from prometheus_client import Histogram

from chassis import backoff, clock, crash, logs, metrics
from chassis.database import Database, Row
from chassis.vault import Vault
from chassis.workers import Turns
from la_notifier.messages.channels.notify import Notify, Outgoing
from la_notifier.messages.domain.message import (
    FRESH_FOR,
    Medium,
    Message,
    MessageState,
    Step,
    Waits,
)
from la_notifier.messages.service.content import Content, open_sealed
from la_notifier.messages.store import messages
from la_notifier.service import failures

LEASE_SECONDS = 30.0
"""Longer than a call to Notify can take."""

_TOO_MANY = 429
_LONGEST_REST_SECONDS = 1.0

DUE_TO_SENT = Histogram(
    "notifier_message_due_to_sent_seconds",
    "From the time at which a message to a claimant was due until Notify had it.",
    labelnames=("medium",),
    buckets=(1, 5, 15, 30, 60, 120, 300, 900, 3600, 14400, 43200, 86400),
    registry=metrics.REGISTRY,
)


class Sender:
    """Sends texts and e-mails, and asks about them. All threads of the service share one."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        notify: Notify,
        *,
        list_as_file: Callable[[str, Content], bytes],
        waits: Callable[[], Waits],
        pause_seconds: float,
    ) -> None:
        """`list_as_file` makes a PDF of a claim's list of documents; `pause_seconds` is between searches without a find."""
        self._database = database
        self._vault = vault
        self._notify = notify
        self._list_as_file = list_as_file
        self._waits = waits
        self._to_send, self._to_ask = Turns(pause_seconds=pause_seconds), Turns(pause_seconds=pause_seconds)
        self._limit = _RateLimit()

    def send_next(self) -> bool:
        """Sends the message that waits for longest; returns whether there was one. None goes while Notify asks for a pause."""
        taken = None if self._limit.rest() else self._to_send.find(self._take_to_send)
        if taken is None:
            return False
        message, row = taken
        crash.point("message.before_sending")
        try:
            self._send(message, row)
        except Exception as error:
            self._put_off("send message", message, error)
        return True

    def ask_next(self) -> bool:
        """Asks about the message that is due for longest; returns whether there was one."""
        message = self._to_ask.find(self._take_to_ask)
        if message is None:
            return False
        try:
            self._ask(message)
        except Exception as error:
            self._put_off("ask about message", message, error)
        return True

    def _take_to_send(self) -> tuple[Message, Row] | None:
        waits = self._waits()
        with self._database.transaction() as conn:
            return messages.take_to_send(conn, seconds=LEASE_SECONDS, unknown_seconds=waits.until_known())

    def _take_to_ask(self) -> Message | None:
        with self._database.transaction() as conn:
            return messages.take_to_ask(conn, seconds=LEASE_SECONDS)

    def _send(self, message: Message, row: Row) -> None:
        if row["written"] < clock.now() - FRESH_FOR:
            self._settle("message is written anew", message, message.stale())
            return
        answer = self._notify.send(self._outgoing(message, row))
        crash.point("message.after_answer")
        waits = self._waits()
        if answer.status == _TOO_MANY:
            self._limit.hold(max(waits.after_failure(1), answer.retry_after_seconds or 0.0))
        self._settle("message sent", message, message.sent(answer, waits), outcome=answer.result)
        crash.point("message.after_storing")

    def _ask(self, message: Message) -> None:
        if message.notify_id is None:
            answer = self._notify.find(str(message.message_id))
        else:
            answer = self._notify.ask(message.notify_id)
        self._settle("asked about message", message, message.asked(answer, self._waits()), outcome=answer.fate)

    def _outgoing(self, message: Message, row: Row) -> Outgoing:
        """The message that goes out. Raises cryptography.exceptions.InvalidTag, or KeyError without its key in the ring."""
        content = open_sealed(self._vault.cipher_of(message.claim_ref, row), row["content"], message.message_id)
        medium = message.medium or Medium.TEXT
        has_file = medium is Medium.EMAIL and bool(content.evidence)
        return Outgoing(
            reference=str(message.message_id),
            medium=medium,
            to=content.to,
            subject=content.subject,
            body=content.body,
            file=self._list_as_file(message.claim_ref, content) if has_file else None,
        )

    def _settle(self, event: str, message: Message, step: Step, **more: object) -> None:
        with self._database.transaction() as conn:
            if not messages.hold(conn, message):
                logs.get().warning("lease lost, Notify's answer is not saved", message_id=str(message.message_id))
                return
            messages.settle(conn, message, step, now=clock.now())
            if step.state is MessageState.SENT and message.state is MessageState.SENDING:
                elapsed, medium = (clock.now() - message.due_time).total_seconds(), str(message.medium)
                conn.after_commit(lambda: DUE_TO_SENT.labels(medium).observe(elapsed))
        names = {"claim_ref": message.claim_ref, "message_id": str(message.message_id), "kind": message.kind}
        logs.get().info(event, **names, state=step.state, reason=step.reason, **more)

    def _put_off(self, act: str, message: Message, error: Exception) -> None:
        """A failure of ours over a message: nothing says whether Notify has it, so it is asked about before it goes again."""
        with self._database.transaction() as conn:
            if messages.hold(conn, message):
                messages.settle(conn, message, message.failed(self._waits()), now=clock.now())
        failures.report(act, error, claim_ref=message.claim_ref, message_id=str(message.message_id))


class _RateLimit:
    """A pause that Notify asked for: its limits hold for all messages of the service together."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def hold(self, seconds: float) -> None:
        """Lets nothing go for so many seconds from now."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def rest(self) -> bool:
        """Rests while nothing may go, for a second at most; returns whether it did."""
        with self._lock:
            left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _LONGEST_REST_SECONDS))
        return True


def waits_of(*, scale: float) -> Waits:
    """The waits of now, with a fresh jitter."""
    return Waits(scale=scale, jitter=backoff.any_jitter())
