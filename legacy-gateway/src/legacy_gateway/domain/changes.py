"""Amendments after the confirmation: what becomes of a claim's records at one system. Pure.

The rules are the interface document's ("New and changed", "Two phases"): two new records held for a claim and dialogue are
paid twice, a change without a held new record is refused, and a change is a whole record of every phase. ADR 45 gives the
reasons for what is decided here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from legacy_gateway.domain.systems import Rules
from legacy_gateway.domain.transfers import Action, State

_UNDER_WAY = {State.WAITING, State.SENDING, State.UNKNOWN}

Fed = Mapping[int, Collection[int]]
"""By the version of an amendment, the phases of one system whose records its changed facts feed."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A transfer of a claim at a system, as far as changes need it.

    `untouched`: no byte of it was ever made and no sender prepares it. `is_due`: a time is set for its next attempt.
    `being_withdrawn`: it is a first phase that the system is asked to give up. `is_corrected`: refused, and another went in
    its place.
    """

    transfer_id: str
    generation: int
    phase: int
    state: State
    claim_version: int
    untouched: bool = False
    is_due: bool = False
    being_withdrawn: bool = False
    is_corrected: bool = False


class Course(StrEnum):
    """The course that is taken with the amendments of a claim at a system."""

    NOTHING = "NOTHING"
    """The system's records do not change, or the newest one has taken the amendments in."""
    MOVE_ON = "MOVE_ON"
    """Waiting transfers whose records were never made take the amendments in."""
    HOLD = "HOLD"
    """A change waits until what is under way is settled."""
    WITHDRAW = "WITHDRAW"
    """The first phase is withdrawn from the system, and the later ones are given up; a change waits for that, if any."""
    SEND = "SEND"
    """The change goes now, as a record of every phase."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The course to take, and the transfers that it concerns.

    `version`: of the claim, for the change that is held or sent and for those that are moved on; 0 for none. `actions`: of a
    change that is sent, how each phase goes. `moved`, `cancelled`: transfer ids. `withdrawn`: the first phase's id, or empty.
    `due`: the id of a later phase that may go now, or empty. `corrected`: the refused ones that the change replaces. `held`:
    the phases of the change that is held already; it takes the version in.
    """

    course: Course
    version: int = 0
    actions: Mapping[int, Action] = field(default_factory=dict)
    moved: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    withdrawn: str = ""
    due: str = ""

    @property
    def holds(self) -> bool:
        """Whether there is a change now, be it only for the moment before it is sent."""
        return self.version > 0 and self.course is not Course.MOVE_ON


def decide(entries: Collection[Entry], fed: Fed, rules: Rules) -> Decision:
    """Decides what to do with a claim at a system, given all its transfers there and all amendments. Call it at any time.

    At most one generation is under way and at most one is held after it; versions go in order, since a held change takes in
    each amendment that comes meanwhile.
    """
    orphans = _orphans(_newest(entries))
    live = [replace(entry, state=State.CANCELLED) if entry in orphans else entry for entry in entries]
    held = [entry for entry in live if entry.state is State.HELD]
    current = _newest(live)
    if not current:
        return Decision(course=Course.NOTHING)
    if pending := _pending(live, fed):
        decision = _with_amendment(live, current, held, pending, rules)
    else:
        decision = _without_amendment(live, current, held, rules)
    kept = [entry for entry in held if entry.transfer_id not in decision.cancelled]
    return replace(decision, cancelled=(*_ids(orphans), *decision.cancelled), held=_ids(kept))


def decide_anew(entries: Collection[Entry]) -> Decision:
    """Decides what to do where a person asks for another record of the same version in the place of a refused one."""
    held = [entry for entry in entries if entry.state is State.HELD]
    current = _newest(entries)
    version = max(entry.claim_version for entry in (*current.values(), *held))
    return replace(_send(entries, current, held, version), held=_ids(held))


def _orphans(current: Mapping[int, Entry]) -> list[Entry]:
    """Phases that can never go, because the one before them was refused or given up."""
    ended = [phase for phase, entry in current.items() if entry.state in {State.REJECTED, State.CANCELLED}]
    return [entry for phase, entry in current.items() if entry.state is State.WAITING and any(e < phase for e in ended)]


def _newest(entries: Collection[Entry]) -> dict[int, Entry]:
    """The entries of the generation that is under way, else of the newest that is not held back; by phase."""
    others = [entry for entry in entries if entry.state is not State.HELD]
    under_way = [entry for entry in others if entry.state in _UNDER_WAY]
    generation = max((entry.generation for entry in under_way or others), default=0)
    return {entry.phase: entry for entry in others if entry.generation == generation}


def _pending(entries: Iterable[Entry], fed: Fed) -> dict[int, int]:
    """The phases that amendments feed which no record took in, each with the newest of their versions.

    A change that somebody gave up has taken its amendments in: they alone do not make another one.
    """
    taken_in: dict[int, int] = {}
    for entry in entries:
        if entry.state is not State.HELD:
            taken_in[entry.phase] = max(entry.claim_version, taken_in.get(entry.phase, 0))
    found: dict[int, int] = {}
    for phase, taken in taken_in.items():
        versions = [version for version, phases in fed.items() if version > taken and phase in phases]
        if versions:
            found[phase] = max(versions)
    return found


def _without_amendment(
    entries: Collection[Entry], current: Mapping[int, Entry], held: Collection[Entry], rules: Rules
) -> Decision:
    dropped = _ids(held)
    if loose := _loose_first_phase(entries, rules):
        return Decision(course=Course.WITHDRAW, withdrawn=loose, cancelled=dropped)
    return Decision(course=Course.NOTHING, cancelled=dropped, due=_next_due(current))


def _loose_first_phase(entries: Collection[Entry], rules: Rules) -> str:
    """The newest first phase that is held without its last, where nothing is left that would complete it; empty for none.

    Nobody is paid by it, or it has replaced a half of what is paid. So it must not stay.
    """
    if not rules.withdraws_first_phase or any(_may_complete(entry) for entry in entries):
        return ""
    accepted = [entry for entry in entries if entry.state is State.ACCEPTED]
    whole = max((entry.generation for entry in accepted if entry.phase == rules.phases), default=0)
    loose = [entry for entry in accepted if entry.phase == 1 and entry.generation > whole]
    return max(loose, key=lambda entry: entry.generation).transfer_id if loose else ""


def _may_complete(entry: Entry) -> bool:
    refused = entry.state is State.REJECTED and not entry.is_corrected
    return refused or entry.state in _UNDER_WAY or _waits_for_others(entry)


def _waits_for_others(entry: Entry) -> bool:
    """Whether a person, or the system that is to give it up, has the next word."""
    return entry.state is State.CLERICAL or (entry.being_withdrawn and entry.state is State.ACCEPTED)


def _with_amendment(
    entries: Collection[Entry],
    current: Mapping[int, Entry],
    held: Collection[Entry],
    pending: Mapping[int, int],
    rules: Rules,
) -> Decision:
    version = max(pending.values())
    hold = Decision(course=Course.HOLD, version=version, due=_next_due(current))
    under_way = [entry for entry in current.values() if entry.state in _UNDER_WAY]
    if any(_waits_for_others(entry) for entry in entries):
        return Decision(course=Course.HOLD, version=version)
    if not under_way:
        return _send(entries, current, held, version)
    if not all(entry.untouched for entry in under_way):
        return hold
    if 1 not in pending or current[1] in under_way:
        return Decision(
            course=Course.MOVE_ON,
            version=version,
            moved=_ids(under_way),
            cancelled=_ids(held),
            due=_next_due(current),
        )
    if not rules.withdraws_first_phase:
        return hold
    return Decision(
        course=Course.WITHDRAW, version=version, cancelled=_ids(under_way), withdrawn=current[1].transfer_id
    )


def _send(entries: Collection[Entry], current: Mapping[int, Entry], held: Collection[Entry], version: int) -> Decision:
    accepted = {entry.phase for entry in entries if entry.state is State.ACCEPTED}
    given_up = all(entry.state is State.CANCELLED for entry in current.values())
    if given_up and not accepted and not held:
        # Somebody gave the whole claim up at this system, and an amendment is no reason to begin again.
        return Decision(course=Course.NOTHING)
    refused = [entry for entry in entries if entry.state is State.REJECTED and not entry.is_corrected]
    return Decision(
        course=Course.SEND,
        version=version,
        actions={phase: Action.CHANGE if phase in accepted else Action.NEW for phase in current},
        corrected=_ids(refused),
    )


def _next_due(current: Mapping[int, Entry]) -> str:
    """The phase whose turn has come and for which no time is set, because a change was looked at first."""
    for phase, entry in current.items():
        before = current.get(phase - 1)
        if entry.state is State.WAITING and not entry.is_due and before and before.state is State.ACCEPTED:
            return entry.transfer_id
    return ""


def _ids(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(entry.transfer_id for entry in entries)
