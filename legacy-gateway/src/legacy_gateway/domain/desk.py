"""The repair desk: what a person may do with a transfer, and what it then means.

One rule stands above all: nothing is sent again that a system may hold, and nothing is cancelled that it may hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from legacy_gateway.domain.systems import System
from legacy_gateway.domain.transfers import State, Transfer


class Outcome(StrEnum):
    """The outcome of an act for a transfer, or the reason for leaving the transfer as it is."""

    SENT_NOW = "SENT_NOW"
    """It is due to be sent at once."""
    ASKED_NOW = "ASKED_NOW"
    """The system is asked about it at once. It is sent again only if the system says for good that it does not hold it."""
    MADE_ANEW = "MADE_ANEW"
    """The system does not hold the refused record: another one is made of the same version and goes in its place."""
    CANCELLED = "CANCELLED"
    CORRECTED = "CORRECTED"
    """Its claim was amended in intake."""

    NOT_YET = "NOT_YET"
    """The act has not come to it yet."""
    NOT_FOUND = "NOT_FOUND"
    UNDER_WAY = "UNDER_WAY"
    """Its record may be on its way just now."""
    MAY_BE_HELD = "MAY_BE_HELD"
    """The system may hold it: only its answer, or a person who has looked there, can end it."""
    HELD_THERE = "HELD_THERE"
    """The system holds it."""
    FIRST_PHASE_HELD = "FIRST_PHASE_HELD"
    """The system holds another phase of it and takes none back: half a claim would be left."""
    WAITS_FOR_ANOTHER = "WAITS_FOR_ANOTHER"
    """Another transfer of the claim comes first, and brings it on its way by itself."""
    ANSWERED_ALREADY = "ANSWERED_ALREADY"
    """The system contradicts our ledger: it holds other bytes under the id, or the record was withdrawn there."""
    ENDED = "ENDED"
    """It was cancelled, or another transfer took its place."""
    CLAIM_WITHDRAWN = "CLAIM_WITHDRAWN"
    NOT_REFUSED = "NOT_REFUSED"
    """Only a refused record can be corrected."""
    CLAIM_CHANGED = "CLAIM_CHANGED"
    """The claim was changed since: look at it again."""
    NOT_CORRECTED = "NOT_CORRECTED"
    """Intake refused the correction: the answer is not one that the question takes, or it leaves the claim open."""

    @property
    def changes(self) -> bool:
        """Whether something was done."""
        return self in _CHANGES


_CHANGES = {Outcome.SENT_NOW, Outcome.ASKED_NOW, Outcome.MADE_ANEW, Outcome.CANCELLED, Outcome.CORRECTED}


class ActKind(StrEnum):
    """The kind of an act with many transfers."""

    RETRY = "RETRY"
    CANCEL = "CANCEL"
    CORRECT = "CORRECT"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """All of a transfer on which it hangs what a person may do with it; alike for many transfers.

    `has_left`: bytes of it have left at least once. `is_due`: it has a next attempt. `after_defects`: our own code failed
    over it so often that a person looks. `other_phases`: the states of the other phases of its generation, without those
    that were left to a person before anything of them left. `takes_back`: the system can be asked to give up a first phase.
    """

    state: State
    has_left: bool
    is_due: bool
    after_defects: bool
    is_corrected: bool
    is_withdrawn: bool
    other_phases: frozenset[State]
    takes_back: bool

    def retried(self) -> Outcome:
        """The outcome of a retry: the record is sent, asked about or made anew at once; or the reason for leaving it."""
        if self.is_withdrawn:
            return Outcome.CLAIM_WITHDRAWN
        match self.state:
            case State.WAITING:
                return Outcome.SENT_NOW if self.is_due else Outcome.WAITS_FOR_ANOTHER
            case State.HELD:
                return Outcome.WAITS_FOR_ANOTHER
            case State.SENDING:
                return Outcome.UNDER_WAY
            case State.UNKNOWN:
                return Outcome.ASKED_NOW
            case State.REJECTED:
                return Outcome.ENDED if self.is_corrected else Outcome.MADE_ANEW
            case State.CLERICAL:
                return self._clerical_retried()
            case State.ACCEPTED:
                return Outcome.HELD_THERE
            case State.CANCELLED:
                return Outcome.ENDED

    def cancelled(self) -> Outcome:
        """The outcome of a cancellation: no phase of its generation is sent any more; or the reason for leaving it.

        A first phase that the system holds is then withdrawn, where the system can be asked for that.
        """
        alone = self._cancelled_alone()
        if alone is not Outcome.CANCELLED:
            return alone
        if State.ACCEPTED in self.other_phases and not self.takes_back:
            return Outcome.FIRST_PHASE_HELD
        if self.other_phases & {State.SENDING, State.UNKNOWN, State.CLERICAL}:
            return Outcome.MAY_BE_HELD
        return Outcome.CANCELLED

    def _cancelled_alone(self) -> Outcome:
        match self.state:
            case State.WAITING | State.HELD:  # what waits after an attempt, the system has said that it does not hold
                return Outcome.CANCELLED
            case State.REJECTED:
                return Outcome.ENDED if self.is_corrected else Outcome.CANCELLED
            case State.CLERICAL:
                return Outcome.MAY_BE_HELD if self.has_left else Outcome.CANCELLED
            case State.SENDING:
                return Outcome.UNDER_WAY
            case State.UNKNOWN:
                return Outcome.MAY_BE_HELD
            case State.ACCEPTED:
                return Outcome.HELD_THERE
            case State.CANCELLED:
                return Outcome.ENDED

    def corrected(self) -> Outcome:
        """The outcome of a correction: its claim is amended; or the reason for leaving it."""
        if self.is_withdrawn:
            return Outcome.CLAIM_WITHDRAWN
        if self.state is not State.REJECTED:
            return Outcome.NOT_REFUSED
        return Outcome.ENDED if self.is_corrected else Outcome.CORRECTED

    def _clerical_retried(self) -> Outcome:
        if not self.has_left:
            return Outcome.SENT_NOW
        return Outcome.ASKED_NOW if self.after_defects else Outcome.ANSWERED_ALREADY


@dataclass(frozen=True, kw_only=True)
class AtDesk:
    """A transfer as an act finds it."""

    transfer: Transfer
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of an act for one transfer, done or previewed. `claim_ref` is empty where there is no such transfer.

    `fields`: where intake refused a correction, the questions that it names.
    """

    transfer_id: str
    claim_ref: str
    outcome: Outcome
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which transfers are meant. Without a state: all that are not ended. `older_than` is a moment of the platform.

    `cause`: the code and the field of a rule by which the record was refused; either may be empty.
    """

    system: System | None = None
    state: State | None = None
    older_than: datetime | None = None
    code: str = ""
    field: str = ""

    @property
    def by_cause(self) -> bool:
        """Whether only rejections of a cause are meant."""
        return bool(self.code or self.field)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a list of transfers: the time by which it is ordered, and the transfer."""

    since: datetime
    transfer_id: str


@dataclass(frozen=True, kw_only=True)
class Act:
    """An act of a person on transfers, and its progress. `counts`: the number of transfers by outcome."""

    act_id: UUID
    kind: ActKind
    reason: str
    by: str
    rate: int
    total: int
    counts: Sequence[tuple[Outcome, int]]
    created: datetime
    stopped_time: datetime | None
    stopped_by: str
    finished_time: datetime | None


@dataclass(frozen=True, kw_only=True)
class ToCorrect:
    """A refused transfer whose claim is to be corrected at a version. `number` is its place in the act."""

    number: int
    transfer_id: str
    claim_ref: str
    claim_version: int


@dataclass(frozen=True, kw_only=True)
class Doing:
    """The person who does something with a transfer, and the act that it belongs to: for the history."""

    by: str
    act_id: UUID


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """A state that a transfer came to. `reason` is of a closed list; `words` are those of the person, empty for none."""

    state: State
    reason: str
    by: str
    words: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Rejections:
    """Rejections for one cause that wait for a correction. An empty code: refused before causes were kept."""

    system: System
    code: str
    field: str
    count: int
    oldest: datetime
    newest: datetime
