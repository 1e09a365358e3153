"""The states of an assessment in one table: what leads from one to another, which event tells of it, and who waits how long.

Pure data. docs/states.md shows it, and a test holds that page and the transitions of `Assessment` against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class AssessmentState(StrEnum):
    """The state of an assessment."""

    READY = "READY"
    IN_PROGRESS = "IN_PROGRESS"
    EVIDENCE_OUTSTANDING = "EVIDENCE_OUTSTANDING"
    CONFIRMED = "CONFIRMED"
    CLOSED = "CLOSED"

    @property
    def is_end(self) -> bool:
        """Whether nothing is left to do: neither a deadline nor an owner."""
        return self not in STAYS


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long an assessment may be in a state, in words, and the role that acts after that."""

    deadline: str
    owner: str


STAYS: Mapping[AssessmentState, Stay] = {
    AssessmentState.READY: Stay(deadline="4 hours", owner="ASSESSOR"),
    AssessmentState.IN_PROGRESS: Stay(deadline="2 days", owner="ASSESSOR"),
    AssessmentState.EVIDENCE_OUTSTANDING: Stay(deadline="the day on which the evidence is due", owner="ASSESSOR"),
}
"""Every state that is not an end. CONFIRMED and CLOSED are."""

OPEN = tuple(STAYS)
"""The states in which there is something left to do, in the order of an assessment's life."""


class ClosedReason(StrEnum):
    """The reason for closing schemes of a claim without a confirmation."""

    WITHDRAWN = "WITHDRAWN"
    NOT_PURSUED = "NOT_PURSUED"
    DUPLICATE = "DUPLICATE"
    LOAN_REFUSED = "LOAN_REFUSED"


class Cause(StrEnum):
    """The cause of a change of an assessment's state."""

    REPORT = "REPORT"
    """Another service told of the claim's submission, or of its interview before that."""
    START = "START"
    """A desk began it."""
    EVIDENCE_REQUEST = "EVIDENCE_REQUEST"
    """Evidence was asked for, with the day on which it is due."""
    EVIDENCE_END = "EVIDENCE_END"
    """All evidence that was asked for was seen, or a person decided to do without it."""
    CONFIRMATION = "CONFIRMATION"
    """The last of its schemes was confirmed."""
    CLOSING = "CLOSING"
    """The last of its schemes was closed without a confirmation; CONFIRMED where another had been confirmed."""
    WITHDRAWAL = "WITHDRAWAL"
    """The claim was withdrawn, perhaps before it was submitted, or after its confirmation."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A way from one state to another. `before`: None for a new assessment. `event`: empty where none tells of it."""

    cause: Cause
    before: AssessmentState | None
    after: AssessmentState
    event: str = ""


def _transitions(
    cause: Cause, *before: AssessmentState | None, after: AssessmentState, event: str = ""
) -> tuple[Transition, ...]:
    return tuple(Transition(cause=cause, before=state, after=after, event=event) for state in before)


_STATES = AssessmentState

TRANSITIONS: tuple[Transition, ...] = (
    *_transitions(Cause.REPORT, None, after=_STATES.READY),
    *_transitions(Cause.START, _STATES.READY, after=_STATES.IN_PROGRESS),
    *_transitions(
        Cause.EVIDENCE_REQUEST, _STATES.IN_PROGRESS, after=_STATES.EVIDENCE_OUTSTANDING, event="EvidenceRequested"
    ),
    *_transitions(
        Cause.EVIDENCE_END, _STATES.EVIDENCE_OUTSTANDING, after=_STATES.IN_PROGRESS, event="EvidenceCompleted"
    ),
    *_transitions(
        Cause.CONFIRMATION,
        _STATES.IN_PROGRESS,
        _STATES.EVIDENCE_OUTSTANDING,
        after=_STATES.CONFIRMED,
        event="AssessmentConfirmed",
    ),
    *_transitions(Cause.CLOSING, *OPEN, after=_STATES.CLOSED, event="AssessmentClosed"),
    *_transitions(Cause.CLOSING, *OPEN, after=_STATES.CONFIRMED, event="AssessmentClosed"),
    *_transitions(Cause.WITHDRAWAL, None, *OPEN, _STATES.CONFIRMED, after=_STATES.CLOSED),
)
"""All of them. The confirmation or closing of some of a claim's schemes, and a second start, change no state."""

POSSIBLE = frozenset((one.cause, one.before, one.after) for one in TRANSITIONS)


def is_possible(cause: Cause, before: AssessmentState | None, after: AssessmentState) -> bool:
    """Whether the cause can lead from one state to the other; every cause may also leave the state as it is."""
    return before is after or (cause, before, after) in POSSIBLE
