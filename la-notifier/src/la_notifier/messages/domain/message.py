"""The life of a message to a claimant: what an answer of GOV.UK Notify makes of it.

A message is written once, from the facts as they are then, and goes once. An attempt whose outcome is not known is asked about
by the message's reference before it is made again, because Notify takes the same message twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis import backoff

FRESH_FOR = timedelta(minutes=10)
"""A message written longer ago is written anew before it goes. One that is later than this is belated, and wakes nobody."""

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 2.0, 300.0
_UNREACHABLE_SECONDS = 3600.0
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 5.0, 3600.0


class MessageKind(StrEnum):
    """The occasion of a message."""

    APPOINTMENT_MADE = "APPOINTMENT_MADE"
    APPOINTMENT_MOVED = "APPOINTMENT_MOVED"
    APPOINTMENT_CANCELLED = "APPOINTMENT_CANCELLED"
    APPOINTMENT_TOMORROW = "APPOINTMENT_TOMORROW"
    WHAT_TO_BRING = "WHAT_TO_BRING"
    EVIDENCE_DUE = "EVIDENCE_DUE"
    DECISION = "DECISION"

    @property
    def is_about_an_appointment(self) -> bool:
        """Whether scheduling knows what the message tells."""
        return self.name.startswith("APPOINTMENT_")

    @property
    def lists_evidence(self) -> bool:
        """Whether the message tells what evidence is awaited."""
        return self in (MessageKind.WHAT_TO_BRING, MessageKind.EVIDENCE_DUE)


class Medium(StrEnum):
    """The way by which a message goes."""

    TEXT = "TEXT"
    EMAIL = "EMAIL"
    LETTER = "LETTER"


class MessageState(StrEnum):
    """The state of a message."""

    DUE = "DUE"
    """To be written, from its time on."""
    WAITING = "WAITING"
    """Written, to be sent."""
    SENDING = "SENDING"
    """An attempt is under way, or its outcome is not known: Notify is asked by the message's reference."""
    SENT = "SENT"
    """Notify has it and tries to deliver it."""
    DELIVERED = "DELIVERED"
    LETTER = "LETTER"
    """A letter in the print queue, which has a state of its own."""
    UNREACHABLE = "UNREACHABLE"
    """No way to the claimant is known: a person reaches them, or gives an address."""
    DROPPED = "DROPPED"
    """Not wanted any more, or too late."""


class Reason(StrEnum):
    """The reason why a message went another way than the claimant chose, or did not go."""

    NO_MOBILE_NUMBER = "NO_MOBILE_NUMBER"
    NO_EMAIL_ADDRESS = "NO_EMAIL_ADDRESS"
    NO_ADDRESS = "NO_ADDRESS"
    BOUNCED = "BOUNCED"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    LOST = "LOST"
    TOO_LATE_FOR_A_LETTER = "TOO_LATE_FOR_A_LETTER"
    TOO_LONG_FOR_A_TEXT = "TOO_LONG_FOR_A_TEXT"
    OVERTAKEN = "OVERTAKEN"
    TOO_LATE = "TOO_LATE"
    WITHDRAWN = "WITHDRAWN"


_NOT_DELIVERED = frozenset(
    {Reason.BOUNCED, Reason.ADDRESS_REFUSED, Reason.LOST, Reason.TOO_LATE_FOR_A_LETTER, Reason.TOO_LONG_FOR_A_TEXT}
)


class SendResult(StrEnum):
    """The outcome of an attempt to send."""

    TAKEN = "TAKEN"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    """Notify cannot send to this number or address."""
    NOT_TAKEN = "NOT_TAKEN"
    """Certainly not taken: too many at once, or a fault of ours in the request."""
    UNKNOWN = "UNKNOWN"
    """No answer, or one that does not say: Notify may have it or not."""


@dataclass(frozen=True, kw_only=True)
class SendAnswer:
    """Notify's answer to a message. `status` is its HTTP status, 0 without one."""

    result: SendResult
    notify_id: UUID | None = None
    status: int = 0
    retry_after_seconds: float | None = None


class Fate(StrEnum):
    """The fate of a message, as Notify gives it."""

    UNDER_WAY = "UNDER_WAY"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    ABSENT = "ABSENT"
    """Notify has no such message."""
    UNKNOWN = "UNKNOWN"
    """Notify did not say."""


@dataclass(frozen=True, kw_only=True)
class FateAnswer:
    """Notify's answer about a message. `notify_id` where it has one."""

    fate: Fate
    notify_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Scales the waits of a message; `jitter` is a factor around 1.

    `unknown_seconds` is the wait until Notify is asked by reference about an attempt without an outcome: longer than an attempt
    can last and than Notify takes to list what it took.
    """

    scale: float
    jitter: float
    unknown_seconds: float = 60.0

    def after_failure(self, failures: int) -> float:
        """Seconds until the next attempt after so many failures in a row."""
        return self.scale * backoff.seconds(
            failures, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS, jitter=self.jitter
        )

    def before_asking(self, polls: int) -> float:
        """Seconds until Notify is asked what became of a message, after so many questions."""
        return self.scale * backoff.seconds(
            polls + 1, first=_FIRST_POLL_SECONDS, longest=_LONGEST_POLL_SECONDS, jitter=self.jitter
        )

    def until_known(self) -> float:
        """Seconds until Notify is asked whether it took an attempt."""
        return self.scale * self.unknown_seconds


@dataclass(frozen=True, kw_only=True)
class Step:
    """A transition of a message. `wait_seconds` is until its next act, None where none follows."""

    state: MessageState
    wait_seconds: float | None = None
    notify_id: UUID | None = None
    reason: Reason | None = None

    @property
    def becomes_letter(self) -> bool:
        """Whether the message did not reach the claimant, so that it is written anew as a letter."""
        return self.reason in _NOT_DELIVERED


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message under a lease.

    `subject` tells messages of one kind and claim apart, `expires` is when it has lost its use, and `letter_only` says that it
    did not arrive by another way.
    """

    message_id: UUID
    claim_ref: str
    kind: MessageKind
    subject: str
    state: MessageState
    medium: Medium | None
    lease: UUID
    attempts: int
    polls: int
    due_time: datetime
    expires: datetime | None = None
    notify_id: UUID | None = None
    letter_only: bool = False

    def is_belated(self, now: datetime) -> bool:
        """Whether it was due long ago and has waited for somebody: what brought it may be hours past."""
        return self.state is MessageState.DUE and self.due_time < now - FRESH_FOR

    def sent(self, answer: SendAnswer, waits: Waits) -> Step:
        """The step that the answer to an attempt makes of the message."""
        match answer.result:
            case SendResult.TAKEN:
                return Step(
                    state=MessageState.SENT, notify_id=answer.notify_id, wait_seconds=waits.before_asking(polls=0)
                )
            case SendResult.ADDRESS_REFUSED:
                return self.not_delivered(Reason.ADDRESS_REFUSED, waits)
            case SendResult.NOT_TAKEN:
                wait = max(waits.after_failure(self.attempts), answer.retry_after_seconds or 0.0)
                return Step(state=MessageState.WAITING, wait_seconds=wait)
            case SendResult.UNKNOWN:
                return Step(state=MessageState.SENDING, wait_seconds=waits.until_known())

    def asked(self, answer: FateAnswer, waits: Waits) -> Step:
        """The step that Notify's answer about a message makes of it. Notify has the message, or may have it."""
        match answer.fate:
            case Fate.DELIVERED:
                return Step(state=MessageState.DELIVERED, notify_id=answer.notify_id)
            case Fate.FAILED:
                return self.not_delivered(Reason.BOUNCED, waits, notify_id=answer.notify_id)
            case Fate.UNDER_WAY:
                wait = waits.before_asking(self.polls)
                return Step(state=MessageState.SENT, notify_id=answer.notify_id, wait_seconds=wait)
            case Fate.UNKNOWN:
                return Step(state=self.state, notify_id=self.notify_id, wait_seconds=waits.before_asking(self.polls))
            case Fate.ABSENT:
                return self._absent(waits)

    def _absent(self, waits: Waits) -> Step:
        """An attempt that Notify never took is made again; a message that Notify took and lost goes by letter."""
        if self.state is MessageState.SENDING:
            return Step(state=MessageState.WAITING, wait_seconds=0.0)
        return self.not_delivered(Reason.LOST, waits, notify_id=self.notify_id)

    def not_delivered(self, reason: Reason, waits: Waits, *, notify_id: UUID | None = None) -> Step:
        """The message did not reach the claimant: it is written anew as a letter.

        Where a letter comes too late a person has to reach them, until the message has lost its use.
        """
        if self.kind is MessageKind.APPOINTMENT_TOMORROW:
            return replace(self.unreachable(Reason.TOO_LATE_FOR_A_LETTER, waits), notify_id=notify_id)
        return Step(state=MessageState.DUE, wait_seconds=0.0, reason=reason, notify_id=notify_id)

    def unreachable(self, reason: Reason, waits: Waits) -> Step:
        """No way to the claimant is known: it is looked at again after an hour, because the answers may have changed."""
        return Step(state=MessageState.UNREACHABLE, wait_seconds=waits.scale * _UNREACHABLE_SECONDS, reason=reason)

    def too_long(self) -> Step:
        """The message does not fit a text: it is written anew as a letter."""
        return Step(state=MessageState.DUE, wait_seconds=0.0, reason=Reason.TOO_LONG_FOR_A_TEXT)

    def stale(self) -> Step:
        """The message was written so long ago that what it tells may have changed: it is written anew before it goes."""
        return Step(state=MessageState.DUE, wait_seconds=0.0)

    def dropped(self, reason: Reason) -> Step:
        """The message is not wanted any more, or too late."""
        return Step(state=MessageState.DROPPED, reason=reason)

    def failed(self, waits: Waits) -> Step:
        """Our own code failed over the message: it is put off as it is."""
        wait = waits.after_failure(self.attempts + self.polls)
        return Step(state=self.state, notify_id=self.notify_id, wait_seconds=wait)


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message that an event brings. Another event about the same thing brings no second one."""

    claim_ref: str
    kind: MessageKind
    subject: str
    due_time: datetime
    expires: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MessageSummary:
    """A message as staff see it, without what it says."""

    message_id: UUID
    kind: MessageKind
    state: MessageState
    medium: Medium | None
    language: str | None
    reason: Reason | None
    due_time: datetime
    sent: datetime | None
    ended: datetime | None
    attempts: int
    discreet: bool | None
    next_attempt_time: datetime | None
    printed: datetime | None
