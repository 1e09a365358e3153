"""The life of a version of a notice: what an answer of the authority makes of it.

A transition gives a `Step`. LOADED ends a version, SUPERSEDED ends one that a later version of ours replaced, and REFUSED
stands on the list of what is overdue until a later version follows. An answer that contradicts our own record ends nothing: the
version is disputed, we ask the authority until it says what it holds, and a person sees it after a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from chassis import backoff
from chassis.errors import FailedPrecondition

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 300.0
_LONGEST_POLL_SECONDS = 600.0
_LONGEST_RETRY_AFTER_SECONDS = 3600.0


class NoticeKind(StrEnum):
    """The kind of a version of a notice."""

    INTENTION = "INTENTION"
    CLAIM = "CLAIM"
    CHANGE = "CHANGE"
    AWARD = "AWARD"
    WITHDRAWN = "WITHDRAWN"


class NoticeState(StrEnum):
    """The state of a version of a notice."""

    WAITING = "WAITING"
    SENT = "SENT"
    RECEIVED = "RECEIVED"
    LOADED = "LOADED"
    REFUSED = "REFUSED"
    SUPERSEDED = "SUPERSEDED"


class SendResult(StrEnum):
    """The outcome of an attempt to send."""

    SENT = "SENT"
    LATER_VERSION_HELD = "LATER_VERSION_HELD"
    REFUSED = "REFUSED"
    NOT_TAKEN = "NOT_TAKEN"
    """The authority did not take it: send it again."""
    UNKNOWN = "UNKNOWN"
    """No answer came: the authority may hold it or not."""


@dataclass(frozen=True, kw_only=True)
class SendAnswer:
    """An authority's answer to a notice. `retry_after_seconds` is the wait that it asks for, if it does."""

    result: SendResult
    status: int = 0
    receipt: str = ""
    refused_fields: tuple[str, ...] = ()
    retry_after_seconds: float | None = None


class HeldState(StrEnum):
    """The state of a notice as the authority gives it. ABSENT: it holds none. UNKNOWN: it did not say."""

    RECEIVED = "RECEIVED"
    LOADED = "LOADED"
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class HeldNotice:
    """The latest version of a notice that an authority holds."""

    state: HeldState
    version: int = 0
    retry_after_seconds: float | None = None


class Saying(StrEnum):
    """An authority's word about a version that it names: in an acknowledgement file, or to the person who records it."""

    LOADED = "LOADED"
    REFUSED = "REFUSED"
    LATER_VERSION_HELD = "LATER_VERSION_HELD"


@dataclass(frozen=True, kw_only=True)
class Word:
    """An authority's word on one version. It may come twice, late, or after its word on a later one."""

    saying: Saying
    refused_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Rules for waiting. `scale` shortens our own waits; `jitter` is a factor of about 1."""

    scale: float
    jitter: float
    poll_seconds: float

    def before_retry(self, attempts: int, retry_after_seconds: float | None = None) -> float:
        """Seconds to wait after so many attempts: doubled from one second to five minutes.

        Not before the time that the authority asks for, up to an hour: that wait is not ours to shorten.
        """
        wait = backoff.seconds(
            attempts, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS, jitter=self.jitter * self.scale
        )
        return max(wait, min(retry_after_seconds or 0.0, _LONGEST_RETRY_AFTER_SECONDS))

    def before_poll(self, polls: int) -> float:
        """Seconds to wait after asking so many times: doubled each time to ten minutes."""
        return backoff.seconds(
            polls + 1, first=self.poll_seconds, longest=_LONGEST_POLL_SECONDS, jitter=self.jitter * self.scale
        )


@dataclass(frozen=True, kw_only=True)
class Step:
    """The change that a transition makes. `wait_seconds` from now is the next attempt or question; None where there is none."""

    state: NoticeState
    wait_seconds: float | None = None
    may_be_held: bool = True
    is_disputed: bool = False
    receipt: str = ""
    refused_fields: tuple[str, ...] = ()

    @property
    def is_queued(self) -> bool:
        """Whether it waits for somebody to print its letter."""
        return self.state is NoticeState.WAITING and self.wait_seconds is None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the authority says that it has this version."""
        acknowledged = {NoticeState.SENT, NoticeState.RECEIVED, NoticeState.LOADED}
        return self.state in acknowledged and not self.is_disputed

    @property
    def is_confirmed(self) -> bool:
        """Whether the authority confirmed this version itself: an uploaded file or a printed letter is not enough."""
        return bool(self.receipt) or self.state in {NoticeState.RECEIVED, NoticeState.LOADED}


@dataclass(frozen=True, kw_only=True)
class NoticeVersion:
    """One version of a notice, leased by the worker that sends it or asks about it, or locked because it was named.

    `attempts` and `polls` count the present one. `may_be_held`: the authority may have had it before the present attempt.
    `is_wanted`: it is the newest version and the authority still needs it. `sent_time` is that of the first
    acknowledgement; `notice_was_sent` says whether any version of the notice was acknowledged.
    """

    notice_id: UUID
    version: int
    claim_ref: str
    authority_code: str
    state: NoticeState
    lease: UUID | None
    attempts: int
    polls: int
    may_be_held: bool
    is_wanted: bool
    is_disputed: bool
    first_contact_time: datetime
    sent_time: datetime | None
    notice_was_sent: bool

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to be sent."""
        return self.state is NoticeState.WAITING

    def sent(self, answer: SendAnswer, waits: Waits) -> Step:
        """The answer to a send. Raises FailedPrecondition unless it is WAITING."""
        self._must_be(NoticeState.WAITING)
        match answer.result:
            case SendResult.SENT:
                return Step(state=NoticeState.SENT, wait_seconds=waits.before_poll(0), receipt=answer.receipt)
            case SendResult.REFUSED if self.sent_time is None:
                return Step(state=NoticeState.REFUSED, refused_fields=answer.refused_fields)
            case SendResult.REFUSED | SendResult.LATER_VERSION_HELD:
                return self._contradicted(waits)
        may_be_held = self.may_be_held or answer.result is SendResult.UNKNOWN
        return self._again(waits.before_retry(self.attempts, answer.retry_after_seconds), may_be_held=may_be_held)

    def asked(self, held: HeldNotice, waits: Waits) -> Step:
        """The authority's answer to the question what it holds. Raises FailedPrecondition unless it is SENT or RECEIVED."""
        self._must_be(NoticeState.SENT, NoticeState.RECEIVED)
        if held.state is HeldState.UNKNOWN:
            wait = max(waits.before_poll(self.polls), waits.before_retry(self.polls, held.retry_after_seconds))
            return Step(state=self.state, wait_seconds=wait, is_disputed=self.is_disputed)
        if held.version > self.version:
            return self._contradicted(waits)
        if held.state is HeldState.ABSENT or held.version < self.version:
            return self._again(waits.before_retry(self.attempts), may_be_held=True)
        return self.acknowledged(held.state, waits)

    def acknowledged(self, state: HeldState, waits: Waits) -> Step:
        """The authority's word on this very version. Raises ValueError where it says nothing of it."""
        reached = NoticeState(state)
        polls = reached is NoticeState.RECEIVED
        return Step(state=reached, wait_seconds=waits.before_poll(self.polls) if polls else None)

    def queued(self) -> Step:
        """Its letter lies in the print queue, where it is nobody's turn but the printer's."""
        self._must_be(NoticeState.WAITING)
        if not self.is_wanted:
            return self.overtaken()
        return Step(state=NoticeState.WAITING, may_be_held=self.may_be_held)

    def gone(self) -> Step:
        """It went out by a way on which nobody is asked: its file lies there, or its letter is printed.

        Raises FailedPrecondition unless it is WAITING.
        """
        self._must_be(NoticeState.WAITING)
        return Step(state=NoticeState.SENT)

    def heard(self, word: Word) -> Step | None:
        """The authority's word on this version; None where it changes nothing.

        A version that ended stays ended, and the same word again does nothing. What was refused may be loaded after all.
        Raises FailedPrecondition (`NOTICE_NEVER_SENT`) where the version never went out.
        """
        if self.state is NoticeState.WAITING and not self.may_be_held:
            raise FailedPrecondition(
                "NOTICE_NEVER_SENT",
                f"{self._name} was never sent: if its letter is in the post, mark that as printed first",
                metadata=self._metadata,
            )
        if self.state in (NoticeState.LOADED, NoticeState.SUPERSEDED):
            return None
        match word.saying:
            case Saying.LOADED:
                return Step(state=NoticeState.LOADED)
            case Saying.REFUSED if self.state is not NoticeState.REFUSED:
                return Step(state=NoticeState.REFUSED, refused_fields=word.refused_fields)
            case Saying.LATER_VERSION_HELD if not self.is_wanted:
                return Step(state=NoticeState.SUPERSEDED)
            case Saying.LATER_VERSION_HELD if not self.is_disputed:
                return Step(state=NoticeState.SENT, is_disputed=True)
        return None

    def left_out(self) -> Step | None:
        """Its file was answered without it: it goes in a later one. None where it has ended, or its answer came another way.

        The authority may have loaded it all the same, and then knows it again by notice and version.
        """
        if self.state not in (NoticeState.WAITING, NoticeState.SENT):
            return None
        return self._again(0, may_be_held=True)

    def overtaken(self) -> Step:
        """Supersedes a version before it is sent (again): a later one replaces it, or the authority needs none any more."""
        return Step(state=NoticeState.SUPERSEDED, may_be_held=self.may_be_held)

    def failed(self, waits: Waits) -> Step:
        """Puts a version off over which our own code failed. The authority may hold it."""
        wait = waits.before_retry(max(self.attempts, self.polls))
        return Step(state=self.state, wait_seconds=wait, is_disputed=self.is_disputed)

    def put_off(self, waits: Waits) -> Step:
        """Puts a version off over which our own code failed before anything of it could leave."""
        return replace(self.failed(waits), may_be_held=self.may_be_held)

    def _contradicted(self, waits: Waits) -> Step:
        """The authority contradicts our own record, unless a later version of ours explains its answer."""
        if not self.is_wanted:
            return Step(state=NoticeState.SUPERSEDED)
        state = NoticeState.SENT if self.state is NoticeState.WAITING else self.state
        return Step(state=state, wait_seconds=waits.before_poll(self.polls), is_disputed=True)

    def _again(self, wait_seconds: float, *, may_be_held: bool) -> Step:
        """Sends it again, unless it is not wanted any more."""
        if not self.is_wanted:
            return Step(state=NoticeState.SUPERSEDED, may_be_held=may_be_held)
        return Step(
            state=NoticeState.WAITING,
            wait_seconds=wait_seconds,
            may_be_held=may_be_held,
            is_disputed=self.is_disputed,
        )

    def _must_be(self, *states: NoticeState) -> None:
        if self.state not in states:
            raise FailedPrecondition(
                "NOTICE_STATE",
                f"{self._name} is {self.state}, not {' or '.join(states)}",
                metadata=self._metadata,
            )

    @property
    def _name(self) -> str:
        return f"version {self.version} of notice {self.notice_id}"

    @property
    def _metadata(self) -> Mapping[str, str]:
        return {"notice_id": str(self.notice_id), "claim_ref": self.claim_ref}


@dataclass(frozen=True, kw_only=True)
class NoticeSummary:
    """A version of a notice as it is shown: without its content. Times are None until they come.

    `intention_due_on` and `claim_due_on` are the two clocks of one month; `at_stake_on` is the earlier of those that still run,
    None where the authority has both. `is_late`: the version is in its state for longer than its channel allows.
    """

    notice_id: UUID
    claim_ref: str
    version: int
    kind: NoticeKind
    authority_code: str
    authority_name: str
    channel: str
    state: NoticeState
    first_contact_on: date
    intention_on: date
    intention_due_on: date
    claim_due_on: date
    proof_due_on: date
    at_stake_on: date | None
    is_late: bool
    created: datetime
    sent: datetime | None
    received: datetime | None
    loaded: datetime | None
    disputed: datetime | None
    attempts: int
    next_attempt_time: datetime | None
    refused_fields: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Resend:
    """A version that a person sent again, with the reason in their words."""

    notice_id: UUID
    version: int
    reason: str
    resent_by: str
    resend_time: datetime
