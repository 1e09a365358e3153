"""Transfers: what becomes of a record on its way to a system that pays, by docs/interfaces/legacy.md.

A transition gives a `Step` or raises; what the step means for the row is the store's part. JSAPS does not recognise a
repeat, so the one rule above all: a record goes out again only when the system has said that it does not hold it.
"""

import secrets
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.errors import FailedPrecondition, Unavailable

FINAL_AFTER_CLOSING_SECONDS = 12.0
"""An `N` from JSAPS is final only when asked this long after the record's connection was closed ("The record link")."""
_FIRST_BACK_OFF_SECONDS = 2.0
_LONGEST_BACK_OFF_SECONDS = 300.0
MOST_DEFECTS = 10
"""So often our own code may fail over a transfer, about a quarter of an hour by the back-off, before a person looks."""
_WITHDRAWN = "ES0031"
_ID_CHARACTERS = string.digits + string.ascii_uppercase


class System(StrEnum):
    """A system that pays."""

    JSAPS = "JSAPS"


LAST_PHASE: Mapping[System, int] = {System.JSAPS: 2}
"""A system holds a usable claim when this phase is accepted."""

SYSTEM_OF_SCHEME: Mapping[str, System] = {"JOBSEEKERS_ALLOWANCE": System.JSAPS}


class State(StrEnum):
    """Where a transfer stands, by the contract's names."""

    WAITING = "WAITING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    HELD = "HELD"
    CLERICAL = "CLERICAL"
    CANCELLED = "CANCELLED"


_WORST_FIRST = (
    State.REJECTED,
    State.CLERICAL,
    State.UNKNOWN,
    State.SENDING,
    State.HELD,
    State.WAITING,
    State.ACCEPTED,
    State.CANCELLED,
)


class Action(StrEnum):
    """What a record is to do: a new claim, or a whole record that replaces what is held."""

    NEW = "NEW"
    CHANGE = "CHANGE"


class Result(StrEnum):
    """What a system said of a record or of an enquiry, and what a line said that carried no answer."""

    HELD = "HELD"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    BUSY = "BUSY"
    NOT_KNOWN = "NOT_KNOWN"
    NOT_SENT = "NOT_SENT"
    NO_REPLY = "NO_REPLY"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A rule that a record's field broke, in words of ours, and the question that supplied it; empty where we did ourselves."""

    code: str
    field: str
    text: str
    question_id: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a call to a system ended. `reason` is of a closed list, fit for the label of a metric."""

    result: Result
    reason: str = "NONE"
    legacy_ref: str = ""
    retry_after_seconds: float = 0.0
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What intake knows of a claim at a version: answers by fact, in the form to which the claimant agreed for records.

    `contact_on` is the London day of the first contact, `evidence_on` that on which all evidence was in.
    """

    answers: Mapping[str, Any]
    contact_on: date
    evidence_on: date | None
    operator: str
    operator_grade: str


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How long to wait: the document's times and the back-off, both times `scale`. `spread` is the jitter, about 1."""

    scale: float
    spread: float

    def back_off(self, setbacks: int) -> float:
        """Seconds before the next try after so many setbacks: doubled each time, five minutes at most."""
        longest = min(_LONGEST_BACK_OFF_SECONDS, _FIRST_BACK_OFF_SECONDS * 2.0 ** min(setbacks, 10))
        return longest * self.scale * self.spread

    @property
    def final_after_closing(self) -> float:
        """Seconds after the closing of a connection from which an `N` is final."""
        return FINAL_AFTER_CLOSING_SECONDS * self.scale


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a transition changes. `wait_seconds` from now is the next attempt; None for none, where a state has none."""

    state: State
    wait_seconds: float | None = None
    put_off: bool = False
    is_defect: bool = False
    legacy_ref: str = ""
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One record for one system and phase."""

    transfer_id: str
    claim_ref: str
    claim_version: int
    action: Action
    generation: int
    system: System
    phase: int
    state: State
    setbacks: int = 0
    defects: int = 0

    def sent(self, answer: Answer, waits: Waits) -> Step:
        """What a send brought. FailedPrecondition unless it is SENDING."""
        self._must_be(State.SENDING)
        match answer.result:
            case Result.NO_REPLY | Result.NOT_KNOWN:
                return self._unknown(waits)
            case Result.NOT_SENT | Result.SYSTEM_ERROR | Result.BUSY:
                return self._later(State.WAITING, answer, waits)
            case _:
                return _settled(answer)

    def asked(self, answer: Answer, waits: Waits, *, final: bool) -> Step:
        """What an enquiry brought. `final`: it was asked late enough for an `N` to be one.

        FailedPrecondition unless it is UNKNOWN.
        """
        self._must_be(State.UNKNOWN)
        match answer.result:
            case Result.NOT_KNOWN if final:
                return Step(state=State.WAITING, wait_seconds=0.0)
            case Result.NOT_KNOWN:
                return Step(state=State.UNKNOWN, wait_seconds=waits.final_after_closing)
            case Result.NOT_SENT | Result.NO_REPLY | Result.SYSTEM_ERROR | Result.BUSY:
                return self._later(State.UNKNOWN, answer, waits)
            case _:
                return _settled(answer)

    def lease_expired(self, waits: Waits) -> Step:
        """Whoever was sending it is gone or hung: it may be held. FailedPrecondition unless it is SENDING."""
        self._must_be(State.SENDING)
        return self._unknown(waits)

    def unfit(self, messages: Iterable[Message]) -> Step:
        """No record can be made of the claim: it is not sent. FailedPrecondition unless it is WAITING."""
        self._must_be(State.WAITING)
        return Step(state=State.REJECTED, messages=tuple(messages))

    def put_off(self, waits: Waits) -> Step:
        """What the record is made of cannot be had now. FailedPrecondition unless it is WAITING."""
        self._must_be(State.WAITING)
        return Step(state=State.WAITING, wait_seconds=waits.back_off(self.setbacks), put_off=True)

    def hit_defect(self, waits: Waits) -> Step:
        """Our own code failed over it: again later, and after so many times a person looks at both systems.

        What was being sent may be held. FailedPrecondition unless it is WAITING, SENDING or UNKNOWN.
        """
        self._must_be(State.WAITING, State.SENDING, State.UNKNOWN)
        if self.defects + 1 >= MOST_DEFECTS:
            return Step(state=State.CLERICAL, is_defect=True)
        if self.state is State.SENDING:
            return replace(self._unknown(waits), is_defect=True)
        return Step(state=self.state, wait_seconds=waits.back_off(self.defects), is_defect=True)

    @property
    def is_last_phase(self) -> bool:
        """Whether the system holds a usable claim once this is accepted."""
        return self.phase == LAST_PHASE[self.system]

    def _later(self, state: State, answer: Answer, waits: Waits) -> Step:
        # What a system itself asks for is not scaled: it knows no scale.
        wait = max(answer.retry_after_seconds, waits.back_off(self.setbacks))
        return Step(state=state, wait_seconds=wait, put_off=True)

    def _unknown(self, waits: Waits) -> Step:
        return Step(state=State.UNKNOWN, wait_seconds=waits.final_after_closing)

    def _must_be(self, *states: State) -> None:
        if self.state not in states:
            raise FailedPrecondition(
                "TRANSFER_STATE",
                f"transfer {self.transfer_id} is {self.state}, not {' or '.join(states)}",
                metadata={"transfer_id": self.transfer_id, "claim_ref": self.claim_ref},
            )


def _settled(answer: Answer) -> Step:
    if answer.result is Result.REFUSED:
        return Step(state=State.REJECTED, messages=answer.messages)
    withdrawn = any(message.code == _WITHDRAWN for message in answer.messages)
    if answer.result is Result.CONFLICT or withdrawn:
        return Step(state=State.CLERICAL, legacy_ref=answer.legacy_ref, messages=answer.messages)
    return Step(state=State.ACCEPTED, legacy_ref=answer.legacy_ref)


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What an assessor confirmed of a claim. `confirmed_time` is on the platform's clock."""

    claim_ref: str
    claim_version: int
    confirmed_time: datetime
    office_code: str
    assessor_id: str


@dataclass(frozen=True, kw_only=True)
class NewestTransfer:
    """The newest transfer of one phase of a claim at a system: an amendment replaces it, or moves it on."""

    transfer_id: str
    system: System
    phase: int
    generation: int
    claim_version: int
    is_held: bool
    confirmation: Confirmation


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A transfer that one worker has to itself, with what the worker needs to go on with it.

    `asks_finally`: an enquiry made from now on is late enough for an `N` to be final.
    """

    transfer: Transfer
    token: UUID
    confirmation: Confirmation
    sealed_payload: bytes | None
    asks_finally: bool
    first_phase_reference: str
    traceparent: str


@dataclass(frozen=True, kw_only=True)
class ShownTransfer:
    """A transfer as staff see it. Times are on the platform's clock, `next_attempt_time` is real time."""

    transfer: Transfer
    replaces: str
    attempts: int
    next_attempt_time: datetime | None
    legacy_ref: str
    is_corrected: bool
    messages: tuple[Message, ...]
    created: datetime
    updated: datetime


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


def standing(transfers: Iterable[ShownTransfer]) -> dict[System, State]:
    """Where a claim stands with each system: the worst of its transfers, without those that were corrected."""
    states: dict[System, list[State]] = defaultdict(list)
    for shown in transfers:
        if not shown.is_corrected:
            states[shown.transfer.system].append(shown.transfer.state)
    return {system: worst(of_system) for system, of_system in states.items()}


def worst(states: Iterable[State]) -> State:
    """Where a claim stands with a system, of the states of its transfers. ValueError without any."""
    return min(states, key=_WORST_FIRST.index)


def systems_of(schemes: Iterable[str]) -> list[System]:
    """The systems that pay these schemes. FailedPrecondition for a scheme that no system here takes yet."""
    found = list(schemes)
    unknown = sorted(set(found) - SYSTEM_OF_SCHEME.keys())
    if unknown or not found:
        raise FailedPrecondition(
            "SCHEME_NOT_CARRIED", f"no system takes {', '.join(unknown) or 'a claim of no scheme'}"
        )
    return sorted({SYSTEM_OF_SCHEME[scheme] for scheme in found})


def new_transfer_id() -> str:
    """26 random characters of 0-9A-Z: never drawn twice."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(26))
