"""Withdrawn claims: what the systems hold of one, once nothing of it is on its way any more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from legacy_gateway.domain.systems import Rules, System
from legacy_gateway.domain.transfers import State

_UNDER_WAY = {State.WAITING, State.SENDING, State.UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class TransferOfWithdrawn:
    """A transfer of a withdrawn claim. `rules` are its system's."""

    rules: Rules
    phase: int
    state: State


@dataclass(frozen=True, kw_only=True)
class WithdrawnRecord:
    """A withdrawn claim's record that a system holds, or held until a person ended it. `half`: only phases before the last."""

    system: System
    half: bool
    since: datetime
    removed_time: datetime | None


def held_of_withdrawn(transfers: Collection[TransferOfWithdrawn]) -> Mapping[System, bool] | None:
    """The systems that hold something of the claim, each with whether it is half a claim.

    None while a transfer may still be accepted. A transfer that is left to a person has a deadline of its own.
    """
    if any(transfer.state in _UNDER_WAY for transfer in transfers):
        return None
    held = [transfer for transfer in transfers if transfer.state is State.ACCEPTED]
    last: dict[Rules, int] = {}
    for transfer in held:
        last[transfer.rules] = max(transfer.phase, last.get(transfer.rules, 0))
    return {rules.system: phase < rules.phases for rules, phase in last.items()}


@dataclass(frozen=True, kw_only=True)
class HalfClaim:
    """A withdrawn claim of which a system holds first phases alone. `transfer_ids` begin with the newest.

    `since` is when that was known, on the platform's clock. `setbacks` counts the attempts before this one.
    """

    claim_ref: str
    system: System
    since: datetime
    transfer_ids: tuple[str, ...]
    setbacks: int
