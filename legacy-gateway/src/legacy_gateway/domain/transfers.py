"""Transfers: the life of a record on its way to a paying system, by docs/interfaces/legacy.md.

A transition returns a `Step` or raises; the store applies the step to the row. Not every system recognises a repeat, so one
rule stands above all: a record is sent again only when the system has said that it does not hold it. What differs between
systems stands in the `Rules` that a transfer is handed.
"""

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from chassis import backoff
from chassis.errors import FailedPrecondition, Unavailable
from legacy_gateway.domain.systems import Rules, System

_FIRST_BACK_OFF_SECONDS = 2.0
_LONGEST_BACK_OFF_SECONDS = 300.0
WITHOUT_A_CALL = "ALL_CONNECTIONS_BUSY"
"""The reason where no connection of this process was free."""
MOST_DEFECTS = 10
"""After this many failures of our own code, about a quarter of an hour by the back-off, a person looks."""
_ID_CHARACTERS = string.digits + string.ascii_uppercase


class State(StrEnum):
    """The state of a transfer, by the contract's names."""

    WAITING = "WAITING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    HELD = "HELD"
    CLERICAL = "CLERICAL"
    CANCELLED = "CANCELLED"


class Action(StrEnum):
    """The purpose of a record: a new claim, or a whole record that replaces the one that is held."""

    NEW = "NEW"
    CHANGE = "CHANGE"


class Result(StrEnum):
    """The outcome of sending a record or of an enquiry: a system's answer, or that there was none."""

    HELD = "HELD"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    BUSY = "BUSY"
    NOT_KNOWN = "NOT_KNOWN"
    NOT_SENT = "NOT_SENT"
    NO_REPLY = "NO_REPLY"


@dataclass(frozen=True, kw_only=True)
class RefusalMessage:
    """A broken rule in our own words, with its field and the question behind it; empty if the platform supplied the field."""

    code: str
    field: str
    text: str
    question_id: str


@dataclass(frozen=True, kw_only=True)
class SystemAnswer:
    """How a call to a system ended. `reason` is of a closed list, fit for the label of a metric."""

    result: Result
    reason: str = "NONE"
    legacy_ref: str = ""
    retry_after_seconds: float = 0.0
    messages: tuple[RefusalMessage, ...] = ()

    @property
    def was_answered(self) -> bool | None:
        """Whether the system gave a readable reply; None where the fault is ours, and it was not asked."""
        if self.reason == WITHOUT_A_CALL:
            return None
        return self.result not in {Result.NOT_SENT, Result.NO_REPLY}

    @property
    def is_of_a_working_system(self) -> bool:
        """Whether the system did its work: it held, refused or looked for a record."""
        return self.result in {Result.HELD, Result.CONFLICT, Result.REFUSED, Result.NOT_KNOWN}


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How long to wait: the document's times and the back-off, both times `scale`. `spread` is the jitter, about 1."""

    scale: float
    spread: float

    def back_off(self, setbacks: int) -> float:
        """Seconds before the next try after so many setbacks before this one."""
        first, longest = _FIRST_BACK_OFF_SECONDS, _LONGEST_BACK_OFF_SECONDS
        return backoff.seconds(setbacks + 1, first=first, longest=longest, jitter=self.spread) * self.scale

    def final_after_closing(self, rules: Rules) -> float:
        """Seconds after the closing of a connection from which a system's "not known" is final."""
        return rules.final_after_closing_seconds * self.scale

    def is_final(self, rules: Rules, closed_seconds: float | None) -> bool:
        """Whether "not known" is final, asked so long after the connection was closed; None where it may be open."""
        if rules.recognises_repeat:
            return True
        return closed_seconds is not None and closed_seconds >= self.final_after_closing(rules)


@dataclass(frozen=True, kw_only=True)
class Step:
    """The changes of a transition. `wait_seconds` from now is the next attempt; None for none, where a state has none.

    `setbacks` and `enquiry_setbacks` are the new counts: by default they are forgotten. `wakes_after` is in seconds from
    now: from then on it may be woken when its system answers somebody else; None where that would not help. `is_closed`:
    the connection that carried the record is known to be closed.
    """

    state: State
    wait_seconds: float | None = None
    is_closed: bool = False
    setbacks: int = 0
    enquiry_setbacks: int = 0
    wakes_after: float | None = None
    nothing_left: bool = False
    is_defect: bool = False
    system_works: bool = False
    legacy_ref: str = ""
    messages: tuple[RefusalMessage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One record for one system and phase. `rules` are the system's. `woken`: it did not sit out its last back-off."""

    transfer_id: str
    claim_ref: str
    claim_version: int
    action: Action
    generation: int
    rules: Rules
    phase: int
    state: State
    setbacks: int = 0
    enquiry_setbacks: int = 0
    defects: int = 0
    woken: bool = False

    def begun(self) -> "Transfer":
        """The transfer while its record goes out. FailedPrecondition unless it is WAITING."""
        self._must_be(State.WAITING)
        return replace(self, state=State.SENDING)

    def sent(self, answer: SystemAnswer, waits: Waits) -> Step:
        """The step after a send. FailedPrecondition unless it is SENDING."""
        self._must_be(State.SENDING)
        match answer.result:
            case Result.NO_REPLY | Result.NOT_KNOWN:
                return replace(self._unknown(waits), is_closed=True)
            case Result.NOT_SENT | Result.SYSTEM_ERROR | Result.BUSY:
                later = self._later(State.WAITING, answer, waits, setbacks=self.setbacks)
                return replace(later, setbacks=self.setbacks + 1, nothing_left=answer.result is Result.NOT_SENT)
            case _:
                return self._settled(answer)

    def asked(self, answer: SystemAnswer, waits: Waits, *, final: bool) -> Step:
        """The step after an enquiry. `final`: see `Waits.is_final`.

        FailedPrecondition unless it is UNKNOWN.
        """
        self._must_be(State.UNKNOWN)
        match answer.result:
            case Result.NOT_KNOWN if final:
                return Step(state=State.WAITING, wait_seconds=0.0, system_works=True)
            case Result.NOT_KNOWN:
                return Step(state=State.UNKNOWN, wait_seconds=waits.final_after_closing(self.rules), system_works=True)
            case Result.NOT_SENT | Result.NO_REPLY | Result.SYSTEM_ERROR | Result.BUSY:
                later = self._later(State.UNKNOWN, answer, waits, setbacks=self.enquiry_setbacks)
                return replace(later, setbacks=self.setbacks, enquiry_setbacks=self.enquiry_setbacks + 1)
            case _:
                return self._settled(answer)

    def lease_expired(self, waits: Waits) -> Step:
        """Its sender is gone, or hangs with its connection open: it may be held. FailedPrecondition unless it is SENDING."""
        self._must_be(State.SENDING)
        return self._unknown(waits)

    def unfit(self, messages: Iterable[RefusalMessage], *, needs_person: bool = False) -> Step:
        """No record can be made of the claim: it is not sent. FailedPrecondition unless it is WAITING.

        `needs_person`: no correction would help, because the record cannot hold all that is true of the claimant.
        """
        self._must_be(State.WAITING)
        return Step(state=State.CLERICAL if needs_person else State.REJECTED, messages=tuple(messages))

    def put_off(self, waits: Waits) -> Step:
        """The facts for the record cannot be had now. FailedPrecondition unless it is WAITING."""
        self._must_be(State.WAITING)
        return Step(state=State.WAITING, wait_seconds=waits.back_off(self.setbacks), setbacks=self.setbacks + 1)

    def hit_defect(self, waits: Waits) -> Step:
        """Our own code failed over it: again later, and after so many times a person looks at both systems.

        A record that was being sent may be held. FailedPrecondition unless it is WAITING, SENDING or UNKNOWN.
        """
        self._must_be(State.WAITING, State.SENDING, State.UNKNOWN)
        if self.defects + 1 >= MOST_DEFECTS:
            return Step(state=State.CLERICAL, is_defect=True, is_closed=self.state is State.SENDING)
        if self.state is State.SENDING:
            return replace(self._unknown(waits), is_closed=True, is_defect=True)
        return replace(self._kept(self.state, waits.back_off(self.defects)), is_defect=True)

    @property
    def system(self) -> System:
        """The system that is to hold the record."""
        return self.rules.system

    @property
    def is_held_change(self) -> bool:
        """Whether it changes a claim and is not to be sent yet."""
        return self.action is Action.CHANGE and self.state is State.HELD

    @property
    def is_last_phase(self) -> bool:
        """Whether the system holds a usable claim once this is accepted."""
        return self.phase == self.rules.phases

    def _later(self, state: State, answer: SystemAnswer, waits: Waits, *, setbacks: int) -> Step:
        # A wait that a system asks for is not scaled: the system knows no scale.
        asked_for = answer.retry_after_seconds
        wait = max(asked_for, waits.back_off(setbacks))
        # After one waking it sits out a back-off in full: otherwise a record that fails by itself would be tried with
        # every answer that another one gets.
        return replace(self._kept(state, wait), wakes_after=None if self.woken else asked_for)

    def _unknown(self, waits: Waits) -> Step:
        # A system that recognises a repeat need not be given time: it only must not be asked by all at once.
        first = waits.back_off(0) if self.rules.recognises_repeat else waits.final_after_closing(self.rules)
        return self._kept(State.UNKNOWN, first)

    def _settled(self, answer: SystemAnswer) -> Step:
        withdrawn = any(message.code == self.rules.withdrawn_code for message in answer.messages)
        if answer.result is Result.REFUSED:
            state = State.REJECTED
        elif answer.result is Result.CONFLICT or withdrawn:
            state = State.CLERICAL
        else:
            state = State.ACCEPTED
        messages = () if state is State.ACCEPTED else answer.messages
        return Step(state=state, legacy_ref=answer.legacy_ref, messages=messages, system_works=True)

    def _kept(self, state: State, wait_seconds: float) -> Step:
        """A step that says nothing about the system: what was counted stays."""
        return Step(
            state=state, wait_seconds=wait_seconds, setbacks=self.setbacks, enquiry_setbacks=self.enquiry_setbacks
        )

    def _must_be(self, *states: State) -> None:
        if self.state not in states:
            raise FailedPrecondition(
                "TRANSFER_STATE",
                f"transfer {self.transfer_id} is {self.state}, not {' or '.join(states)}",
                metadata={"transfer_id": self.transfer_id, "claim_ref": self.claim_ref},
            )


def new_transfer_id() -> str:
    """26 random characters of 0-9A-Z: never drawn twice."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(26))


class LeaseLost(FailedPrecondition):
    """The lease ran out and the transfer went on without its holder; what the holder learned is not stored."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__(
            "LEASE_LOST",
            f"transfer {transfer.transfer_id} is no longer leased by this worker",
            metadata={"transfer_id": transfer.transfer_id, "claim_ref": transfer.claim_ref},
        )


class AlreadyLeased(Unavailable):
    """Another worker has a transfer of the same claim and system."""
