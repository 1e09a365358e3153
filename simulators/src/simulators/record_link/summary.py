"""The ledger in numbers, as the control door tells it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from simulators.record_link.held import HELD, LOST, WITHDRAWN, Held
from simulators.record_link.mainframe import Mainframe

Stated = tuple[Held, str]
"""A record with its state."""


def of_claims(mainframe: Mainframe, claims: Mapping[str, Sequence[Stated]]) -> dict[str, Any]:
    """The holdings of each claim, and the sums of their faults."""
    found = {
        claim_ref: _claim(mainframe, [held for held, state in records if state == HELD])
        for claim_ref, records in claims.items()
        if records
    }
    return {
        "claims": found,
        "duplicates": sum(claim["duplicates"] for claim in found.values()),
        "half": sum(claim["half"] for claim in found.values()),
    }


def of_dialogues(
    mainframe: Mainframe, counted: Sequence[tuple[str, str]], refusals: Mapping[str, int]
) -> dict[str, Any]:
    """Counts of records by dialogue and state; `counted` has the dialogue and state of each that was held."""
    counts = Counter(counted)
    return {
        "dialogues": {
            dialogue: {state: counts[dialogue, state] for state in (HELD, WITHDRAWN, LOST)}
            | {"refused": refusals.get(dialogue, 0)}
            for dialogue in mainframe.by_dialogue
        }
    }


def row(held: Held, state: str) -> dict[str, Any]:
    """One record of a claim."""
    return {
        "dialogue": held.dialogue,
        "transfer_id": held.transfer_id,
        "action": held.action,
        "legacy_ref": held.legacy_ref,
        "first_reference": held.first_reference,
        "received": held.received.isoformat(),
        "state": state,
    }


def _claim(mainframe: Mainframe, present: Sequence[Held]) -> dict[str, Any]:
    current = {
        phase.counted_as: _current([held for held in present if held.dialogue == phase.dialogue])
        for phase in mainframe.phases
    }
    first, *later = current.values()
    used = {held.first_reference for records in later for held in records}
    return {
        **{name: len(records) for name, records in current.items()},
        "duplicates": _duplicates(present),
        "half": bool(later) and any(held.legacy_ref not in used for held in first),
    }


def _current(records: Sequence[Held]) -> Sequence[Held]:
    """Those of one dialogue that a claimant is paid by: a change takes the place of all before it."""
    last_change = max((place for place, held in enumerate(records) if held.action == "C"), default=0)
    return records[last_change:]


def _duplicates(records: Sequence[Held]) -> int:
    """New claims beyond the first in a dialogue, and changes sent again under the same transfer."""
    new = Counter(held.dialogue for held in records if held.action == "N")
    changes = Counter(held.transfer_id for held in records if held.action == "C")
    return sum(count - 1 for count in (*new.values(), *changes.values()))
