"""The ledger's states in one table: what may become of a transfer, by what, which event tells of it, and who waits how long.

Pure data. docs/states.md shows it, and a test holds that page, the transitions of `Transfer` and the history that the ledger
wrote in every integration test against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from legacy_gateway.domain.transfers import State


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long a transfer may be in a state, and the role that acts after that.

    `by_real_time`: the deadline goes by real time, not by the platform's clock.
    """

    deadline: timedelta
    owner: str
    by_real_time: bool = False


STAYS: Mapping[State, Stay] = {
    State.WAITING: Stay(deadline=timedelta(hours=1), owner="SUPPORT"),
    State.SENDING: Stay(deadline=timedelta(minutes=10), owner="SUPPORT"),
    State.UNKNOWN: Stay(deadline=timedelta(hours=1), owner="SUPPORT", by_real_time=True),
    State.HELD: Stay(deadline=timedelta(days=1), owner="PROCESSING_OFFICER"),
    State.REJECTED: Stay(deadline=timedelta(days=1), owner="PROCESSING_OFFICER"),
    State.CLERICAL: Stay(deadline=timedelta(days=5), owner="PROCESSING_OFFICER"),
}
"""Every state that is not an end. ACCEPTED and CANCELLED are."""


class Cause(StrEnum):
    """The cause of a change of a transfer's state."""

    CONFIRMATION = "CONFIRMATION"
    """An assessor or a caseworker confirmed a scheme; or did so after a confirmation that its owners did not stand for."""
    AMENDMENT = "AMENDMENT"
    """The claim was amended after that, in a fact that feeds a record of the system."""
    TURN = "TURN"
    """A held change: nothing of the claim is under way at the system any more, or a newer record took its amendment in."""
    SENDER = "SENDER"
    """A sender is about to send the record, or a file with it was made."""
    ANSWER = "ANSWER"
    """The system answered, or did not; or nothing left."""
    LEASE_END = "LEASE_END"
    """The sender did not come back."""
    ENQUIRY = "ENQUIRY"
    """The system was asked about it."""
    OWN_CHECK = "OWN_CHECK"
    """No record can be made of the facts."""
    DOUBT = "DOUBT"
    """Intake or assessment-svc does not stand for the record."""
    DEFECT = "DEFECT"
    """Our own code failed."""
    PHASE_BEFORE = "PHASE_BEFORE"
    """The phase before it was refused, or is withdrawn because the claim was amended in it."""
    PHASE_WITHDRAWN = "PHASE_WITHDRAWN"
    """The system gave up a first phase that will not be completed."""
    CLAIM_WITHDRAWN = "CLAIM_WITHDRAWN"
    """The claimant withdrew the claim."""
    RETRY = "RETRY"
    """A person let it go on."""
    CANCELLATION = "CANCELLATION"
    """A person gave it up."""
    LOSS = "LOSS"
    """The system lost what it had accepted."""
    SEEN_TO = "SEEN_TO"
    """A person has seen to what the system lost."""


ACCEPTED, REJECTED = "TransferAccepted", "TransferRejected"
"""The events that tell of a transition; of an acceptance, with the last phase."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A way from one state to another. `before`: None for a transfer that is made. `event`: empty where none tells of it."""

    cause: Cause
    before: State | None
    after: State
    event: str = ""


def _transitions(cause: Cause, before: State | None, *after: State) -> tuple[Transition, ...]:
    events = {State.ACCEPTED: ACCEPTED, State.REJECTED: REJECTED}
    told = cause is not Cause.SEEN_TO
    return tuple(
        Transition(cause=cause, before=before, after=state, event=events.get(state, "") if told else "")
        for state in after
    )


TRANSITIONS: tuple[Transition, ...] = (
    *_transitions(Cause.CONFIRMATION, None, State.WAITING),
    *_transitions(Cause.CONFIRMATION, State.CLERICAL, State.CANCELLED),
    *_transitions(Cause.CONFIRMATION, State.WAITING, State.CANCELLED),
    *_transitions(Cause.CONFIRMATION, State.HELD, State.CANCELLED),
    *_transitions(Cause.AMENDMENT, None, State.HELD),
    *_transitions(Cause.TURN, State.HELD, State.WAITING, State.CANCELLED),
    *_transitions(Cause.SENDER, State.WAITING, State.SENDING),
    *_transitions(
        Cause.ANSWER,
        State.SENDING,
        State.ACCEPTED,
        State.REJECTED,
        State.CLERICAL,
        State.WAITING,
        State.UNKNOWN,
    ),
    *_transitions(Cause.LEASE_END, State.SENDING, State.UNKNOWN),
    *_transitions(Cause.ENQUIRY, State.UNKNOWN, State.ACCEPTED, State.REJECTED, State.CLERICAL, State.WAITING),
    *_transitions(Cause.OWN_CHECK, State.WAITING, State.REJECTED, State.CLERICAL),
    *_transitions(Cause.DOUBT, State.WAITING, State.CLERICAL),
    *_transitions(Cause.DEFECT, State.WAITING, State.CLERICAL),
    *_transitions(Cause.DEFECT, State.SENDING, State.UNKNOWN, State.CLERICAL),
    *_transitions(Cause.DEFECT, State.UNKNOWN, State.CLERICAL),
    *_transitions(Cause.PHASE_BEFORE, State.WAITING, State.CANCELLED),
    *_transitions(Cause.PHASE_WITHDRAWN, State.ACCEPTED, State.CANCELLED),
    *_transitions(Cause.CLAIM_WITHDRAWN, State.WAITING, State.CANCELLED),
    *_transitions(Cause.CLAIM_WITHDRAWN, State.HELD, State.CANCELLED),
    *_transitions(Cause.CLAIM_WITHDRAWN, State.REJECTED, State.CANCELLED),
    *_transitions(Cause.RETRY, State.CLERICAL, State.WAITING, State.UNKNOWN),
    *_transitions(Cause.CANCELLATION, State.WAITING, State.CANCELLED),
    *_transitions(Cause.CANCELLATION, State.HELD, State.CANCELLED),
    *_transitions(Cause.CANCELLATION, State.REJECTED, State.CANCELLED),
    *_transitions(Cause.CANCELLATION, State.CLERICAL, State.CANCELLED),
    *_transitions(Cause.LOSS, State.ACCEPTED, State.WAITING, State.CLERICAL, State.CANCELLED),
    *_transitions(Cause.LOSS, State.WAITING, State.CANCELLED),
    *_transitions(Cause.LOSS, State.HELD, State.CANCELLED),
    *_transitions(Cause.SEEN_TO, State.CLERICAL, State.ACCEPTED, State.CANCELLED),
)
"""All of them. An amendment that moves a transfer on to a newer version, and an enquiry that tells nothing, change no state."""

POSSIBLE = frozenset((one.before, one.after) for one in TRANSITIONS)
"""The states that can follow each other."""


def is_possible(before: State | None, after: State) -> bool:
    """Whether a transfer can go from one state to the other; `before` is None for one that is made."""
    return before is after or (before, after) in POSSIBLE
