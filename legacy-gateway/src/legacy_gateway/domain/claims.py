"""A claim as the gateway knows it: its confirmation, its facts, its transfers and its state with each system."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.errors import FailedPrecondition
from legacy_gateway.domain.systems import System
from legacy_gateway.domain.transfers import RefusalMessage, State, Transfer

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


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Intake's facts of a claim at a version: answers by fact, in the form to which the claimant agreed for records.

    `contact_on` is the London day of the first contact, `evidence_on` that on which all evidence was in. `claim_state` is the
    claim's state when they were asked for, by intake's name for it.
    """

    answers: Mapping[str, Any]
    contact_on: date
    evidence_on: date | None
    operator: str
    operator_grade: str
    claim_state: str = ""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """An assessor's confirmation of a claim. `confirmed_time` is on the platform's clock."""

    claim_ref: str
    claim_version: int
    confirmed_time: datetime
    office_code: str
    assessor_id: str


@dataclass(frozen=True, kw_only=True)
class UncarriedScheme:
    """A confirmed scheme that waits for a system to carry it. `confirmed_time` is on the platform's clock."""

    scheme: str
    claim_version: int
    confirmed_time: datetime


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A transfer that one worker has to itself, with what the worker needs to go on with it.

    `closed_seconds`: how long the connection that may have carried its record is known to be closed; None where it may
    be open. `has_kept_facts`: the facts of its version were kept for it.
    """

    transfer: Transfer
    token: UUID
    confirmation: Confirmation
    sealed_payload: bytes | None
    first_phase_reference: str
    traceparent: str
    closed_seconds: float | None = None
    has_kept_facts: bool = False


@dataclass(frozen=True, kw_only=True)
class ShownTransfer:
    """A transfer as staff see it. Times are on the platform's clock, `next_attempt_time` is real time."""

    transfer: Transfer
    replaces: str
    attempts: int
    next_attempt_time: datetime | None
    legacy_ref: str
    is_corrected: bool
    messages: tuple[RefusalMessage, ...]
    created: datetime
    updated: datetime


def standing(transfers: Iterable[ShownTransfer]) -> dict[System, State]:
    """The state of a claim at each system: the worst of its transfers, without those that were corrected.

    A held change says only that the claim is held there in an older form. So it counts after all that is still on its
    way: it shows once everything else is accepted. A first phase alone is no claim: by it nobody is paid.
    """
    by_system: dict[System, list[ShownTransfer]] = defaultdict(list)
    for shown in transfers:
        if not shown.is_corrected:
            by_system[shown.transfer.system].append(shown)
    return {system: _standing(of_system) for system, of_system in by_system.items()}


def _standing(transfers: Iterable[ShownTransfer]) -> State:
    held_changes = [shown for shown in transfers if shown.transfer.is_held_change]
    others = [shown.transfer.state for shown in transfers if not shown.transfer.is_held_change]
    so_far = worst(others) if others else State.CANCELLED
    is_held = any(shown.transfer.state is State.ACCEPTED and shown.transfer.is_last_phase for shown in transfers)
    if so_far is State.ACCEPTED and not is_held:
        so_far = State.CANCELLED
    return State.HELD if held_changes and so_far in {State.ACCEPTED, State.CANCELLED} else so_far


def worst(states: Iterable[State]) -> State:
    """The state of a claim at a system, from the states of its transfers. ValueError without any."""
    return min(states, key=_WORST_FIRST.index)


def sorted_by_carrier(schemes: Iterable[str], systems: Mapping[str, System]) -> tuple[Sequence[System], Sequence[str]]:
    """The systems that carry these schemes, and the schemes that no system carries yet.

    `systems` are those that are deployed, by scheme. FailedPrecondition for a claim of no scheme.
    """
    found = list(schemes)
    if not found:
        raise FailedPrecondition("SCHEME_NOT_CARRIED", "no system takes a claim of no scheme")
    carried = sorted({systems[scheme] for scheme in found if scheme in systems})
    return carried, [scheme for scheme in found if scheme not in systems]
