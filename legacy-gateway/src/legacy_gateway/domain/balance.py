"""The day's balance of a system: our ledger held against what the system says that it holds, and what becomes of a difference.

docs/interfaces/legacy.md, "The day's balance": a system may lose overnight what it accepted, and what was sent near
midnight may stand under the next day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, InvalidArgument, Unavailable, Violation
from legacy_gateway.domain.systems import Rules, System
from legacy_gateway.domain.transfers import Action, State


class ListingChanged(Unavailable):
    """A system's list changed while it was read, so its pages do not belong together. The list is read again from the start."""


class Column(StrEnum):
    """The place of a captured transfer in the balance of its day."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    WAITING = "WAITING"
    CLERICAL = "CLERICAL"
    CANCELLED = "CANCELLED"


COLUMN_OF: Mapping[State, Column] = {
    State.WAITING: Column.WAITING,
    State.SENDING: Column.WAITING,
    State.UNKNOWN: Column.WAITING,
    State.HELD: Column.WAITING,
    State.ACCEPTED: Column.ACCEPTED,
    State.REJECTED: Column.REJECTED,
    State.CLERICAL: Column.CLERICAL,
    State.CANCELLED: Column.CANCELLED,
}


class Difference(StrEnum):
    """How our ledger and a system's list disagree about a record."""

    MISSING_THERE = "MISSING_THERE"
    """Accepted here; the system lists it on none of three days."""
    UNKNOWN_HERE = "UNKNOWN_HERE"
    """The system lists an id that we never gave."""
    HELD_TWICE = "HELD_TWICE"
    """The system lists the id more than once: it is paid twice."""
    TWO_NEW = "TWO_NEW"
    """The system lists a new claim that we hold for ended, beside the one that we hold for accepted: it is paid twice."""
    NOT_EXPECTED = "NOT_EXPECTED"
    """The system lists a record that, by our ledger, it does not hold."""
    OTHER_REFERENCE = "OTHER_REFERENCE"
    """The system lists the record under another reference than the one it gave us."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The transfers that were captured on a London day, each in one column, and the differences of that day.

    `missing_there` are transfers of the day that are in no column: accepted here and not held there. `unknown_here` are
    records that the system lists under the day and that our ledger does not account for. So `captured` and `unknown_here`
    together are the five columns and `unexplained` together.
    """

    system: System
    day: date
    captured: int
    accepted: int
    rejected: int
    waiting: int
    clerical: int
    cancelled: int
    missing_there: int
    unknown_here: int

    @property
    def unexplained(self) -> int:
        """How many differences of the day are open; 0 where both ledgers balance."""
        return self.missing_there + self.unknown_here


def balance_of(
    system: System, day: date, states: Mapping[State, int], *, missing_there: int, unknown_here: int
) -> Balance:
    """The balance of a day of which so many transfers are in each state.

    `missing_there` of the accepted ones are open differences, and so are `unknown_here` of what the system lists.
    """
    columns = dict.fromkeys(Column, 0)
    for state, count in states.items():
        columns[COLUMN_OF[state]] += count
    return Balance(
        system=system,
        day=day,
        captured=sum(states.values()),
        accepted=columns[Column.ACCEPTED] - missing_there,
        rejected=columns[Column.REJECTED],
        waiting=columns[Column.WAITING],
        clerical=columns[Column.CLERICAL],
        cancelled=columns[Column.CANCELLED],
        missing_there=missing_there,
        unknown_here=unknown_here,
    )


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """Our ledger's entry for a listed record. `has_twin`: another new record of the same claim and phase is accepted."""

    claim_ref: str
    state: State
    legacy_ref: str
    has_twin: bool


@dataclass(frozen=True, kw_only=True)
class ListedRecord:
    """A record that a system lists: `copies` on the day and the days beside it. `ours` is None where we never gave the id."""

    transfer_id: str
    legacy_ref: str
    copies: int
    ours: LedgerEntry | None


_NOT_HELD = {State.WAITING, State.HELD, State.REJECTED, State.CANCELLED}


def difference_of(listed: ListedRecord, rules: Rules) -> Difference | None:
    """How a listed record differs from our ledger; None where it does not.

    What is on its way or unknown may be held, and a person looks at what is CLERICAL already. A record that waits to be
    sent once more is no difference where the system recognises it: it will say so.
    """
    ours = listed.ours
    if ours is None:
        return Difference.UNKNOWN_HERE
    if listed.copies > 1:
        return Difference.HELD_TWICE
    if ours.state is State.WAITING and rules.recognises_repeat:
        return None
    if ours.state in _NOT_HELD:
        return Difference.TWO_NEW if ours.has_twin else Difference.NOT_EXPECTED
    if ours.state is State.ACCEPTED and listed.legacy_ref != ours.legacy_ref:
        return Difference.OTHER_REFERENCE
    return None


class Remedy(StrEnum):
    """The remedy for a record that is missing there."""

    NONE = "NONE"
    """The system holds it after all."""
    SENT_AGAIN = "SENT_AGAIN"
    """The same id and the same bytes."""
    SENT_ANEW = "SENT_ANEW"
    """All phases, under new ids: the later ones bear the new reference of the first."""
    REPLACED = "REPLACED"
    """Nothing: a later record of the claim holds all of it."""
    WITHDRAWN = "WITHDRAWN"
    """Nothing: the claim was withdrawn, or the first phase was taken back."""
    GONE_ON = "GONE_ON"
    """Nothing: the transfer is not accepted any more, or the phases after it were given up."""
    LATER = "LATER"
    """Another record of the claim is on its way: its outcome comes first."""
    FIRST_PHASE_LOST = "FIRST_PHASE_LOST"
    """A person: the first phase is lost, and a later one is held or was refused."""
    CHANGE_LOST = "CHANGE_LOST"
    """A person: a change and what it changed are lost, or it has several phases."""


FOR_A_PERSON = frozenset({Remedy.FIRST_PHASE_LOST, Remedy.CHANGE_LOST})
_UNDER_WAY = {State.SENDING, State.UNKNOWN}
_NOT_TO_BE_TAKEN_BACK = {State.REJECTED, State.CLERICAL}


@dataclass(frozen=True, kw_only=True)
class RecordOfClaim:
    """A record of a claim for one system. `lost`: our ledger has it accepted, and the system says that it is not held.

    `being_withdrawn`: a first phase that the system is asked to give up.
    """

    transfer_id: str
    generation: int
    phase: int
    action: Action
    state: State
    lost: bool
    being_withdrawn: bool = False


def remedy(lost: RecordOfClaim, records: Sequence[RecordOfClaim], *, withdrawn: bool) -> Remedy:
    """The remedy for a record that is not listed. `records` are all of the claim for the system, this one among them.

    Nothing is sent again that a later record has replaced, and nothing of a withdrawn claim. A lone last phase, or the one
    record of a system without phases, goes as it went. Where the first phase is lost, the later ones bear a reference that
    is gone: they can only go anew, together with it, and only if they are not held.
    """
    if lost.state is not State.ACCEPTED:
        return Remedy.GONE_ON
    if withdrawn:
        return Remedy.WITHDRAWN
    if not lost.lost:
        return Remedy.NONE
    same_phase = [one for one in records if one.phase == lost.phase and one.state is State.ACCEPTED]
    if any(one.generation > lost.generation for one in same_phase):
        return Remedy.REPLACED
    if any(_is_awaited(one, lost) for one in records):
        return Remedy.LATER
    if any(one.lost and one.generation < lost.generation for one in same_phase):
        return Remedy.CHANGE_LOST
    others = [one for one in records if one.generation == lost.generation and one.phase != lost.phase]
    if any(other.phase > lost.phase and other.state is State.CANCELLED for other in others):
        return Remedy.GONE_ON
    if not any(_must_go_with(lost, other) for other in others):
        return Remedy.SENT_AGAIN
    return _of_all_phases(lost, others)


def _is_awaited(record: RecordOfClaim, lost: RecordOfClaim) -> bool:
    """Whether the outcome of this record comes before anything is done about the lost one."""
    waits = record.state is State.WAITING and record.generation != lost.generation
    return waits or record.being_withdrawn or record.state in _UNDER_WAY


def _must_go_with(lost: RecordOfClaim, other: RecordOfClaim) -> bool:
    """Whether the other phase depends on the lost one, or the lost one on it and it is lost too."""
    return other.phase > lost.phase or other.lost


def _of_all_phases(lost: RecordOfClaim, others: Sequence[RecordOfClaim]) -> Remedy:
    later = [other for other in others if other.phase > lost.phase and not other.lost]
    if any(other.state is State.ACCEPTED or other.state in _NOT_TO_BE_TAKEN_BACK for other in later):
        return Remedy.FIRST_PHASE_LOST
    if lost.action is Action.CHANGE:
        return Remedy.CHANGE_LOST
    return Remedy.SENT_ANEW


class DifferenceState(StrEnum):
    """The state of a difference."""

    ASKING = "ASKING"
    """The gateway asks the system about the record."""
    OPEN = "OPEN"
    """A person looks at both ledgers."""
    CLOSED = "CLOSED"
    """It is explained."""


class Closing(StrEnum):
    """A person's reason for closing a difference."""

    HELD_THERE = "HELD_THERE"
    """The system holds the claim once, as it should: it was entered or restored there."""
    ENDED_THERE = "ENDED_THERE"
    """The surplus that the system held was ended there."""
    GIVEN_UP = "GIVEN_UP"
    """The system holds nothing of it, and should hold nothing."""
    NOT_OURS = "NOT_OURS"
    """The system took the record from somebody else."""


_STATE_AFTER: Mapping[Closing, State] = {Closing.HELD_THERE: State.ACCEPTED, Closing.GIVEN_UP: State.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class ShownDifference:
    """A difference as staff see it. `since` and `closed_time` are on the platform's clock.

    `day` is the one in whose balance it counts. `cause` says why a missing one is left to a person. `closed_by` is a member
    of staff, and `closing_reason` then a `Closing`; or `legacy-gateway`, and then it is a `Remedy`.
    """

    difference_id: UUID
    system: System
    kind: Difference
    state: DifferenceState
    day: date
    transfer_id: str
    claim_ref: str
    legacy_ref: str
    cause: str
    since: datetime
    closed_time: datetime | None
    closed_by: str
    closing_reason: str

    def closed(self, reason: Closing) -> State | None:
        """The state of its transfer once a person closes it for this reason; None where the transfer stays as it is.

        FailedPrecondition while the system is asked or once it is closed, InvalidArgument where the reason does not explain
        a difference of this kind.
        """
        if self.state is not DifferenceState.OPEN:
            raise FailedPrecondition(
                "DIFFERENCE_STATE",
                f"difference {self.difference_id} is {self.state}, not {DifferenceState.OPEN}",
                metadata={"difference_id": str(self.difference_id)},
            )
        if self.kind is not Difference.MISSING_THERE:
            return None
        if reason not in _STATE_AFTER:
            raise InvalidArgument.of(Violation(field="reason", description="does not explain a missing transfer"))
        return _STATE_AFTER[reason]
