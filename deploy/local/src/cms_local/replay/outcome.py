"""The outcome of every claim of the week: by the ledgers of the outside systems, and for the rest by the gateway."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from cms_local.acknowledged import read
from cms_local.audit import Ledgers
from cms_local.doors import Doors
from cms_local.journey import GATEWAY
from cms_local.layout import Layout
from cms_local.systems import systems_of

_EXPLAINED = ("REJECTED", "CLERICAL")
_OPEN = ("WAITING", "SENDING", "UNKNOWN", "HELD")
_ENQUIRIES_SECONDS = 60.0
_PAUSE_SECONDS = 1.0


@dataclass(kw_only=True)
class Outcome:
    """Counts of claims. Each is in one of accepted, rejected, clerical, waiting and lost; duplicates and halves besides.

    `accepted` is by the outside ledgers alone: each phase is held once. `unexplained` sums the gateway's daily balances.
    """

    claims: int = 0
    accepted: int = 0
    rejected: int = 0
    clerical: int = 0
    waiting: int = 0
    lost: int = 0
    duplicates: int = 0
    half_transfers: int = 0
    unexplained: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """The rules by which records were rejected, with the number of claims."""
    accepted_by: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """A line for each claim that is lost, doubled or half."""

    @property
    def good(self) -> bool:
        """Whether every claim is held once or stands on a list, and nothing is unexplained."""
        nothing_wrong = not (self.lost or self.duplicates or self.half_transfers or self.unexplained or self.waiting)
        return nothing_wrong and self.accepted + self.rejected + self.clerical == self.claims


def outcome_of(layout: Layout, doors: Doors, token: str, refs: Sequence[str], *, days: Sequence[date]) -> Outcome:
    """Looks for every claim in the outside ledgers, asks the gateway about those not held whole, and adds its balances."""
    found = Outcome(claims=len(refs))
    ledgers = Ledgers.of_paying(layout, doors.client)
    acknowledged = read(layout.acknowledged_file)
    for ref in refs:
        held_whole = ledgers.held_whole(acknowledged[ref])
        if ledgers.doubled(ref):
            found.duplicates += 1
            found.wrong.append(f"{ref} is held twice")
        if held_whole:
            found.accepted += 1
            found.accepted_by.update(system.name for system in systems_of(acknowledged[ref].to_carry))
        else:
            _explain(found, ref, _asked(doors, token, ref), half=ledgers.held_half(ref))
    found.unexplained = sum(_unexplained(doors, token, days))
    return found


def _explain(found: Outcome, ref: str, shown: Any, *, half: bool) -> None:
    states = {name.removeprefix("TRANSFER_STATE_") for name in (row["state"] for row in shown["systems"])}
    if "REJECTED" in states:
        found.rejected += 1
        found.reasons.update({message["code"] for row in shown["transfers"] for message in row["messages"]})
    elif "CLERICAL" in states:
        found.clerical += 1
    elif states & set(_OPEN):
        found.waiting += 1
    else:
        found.lost += 1
        found.wrong.append(f"{ref} is not held, and the gateway says {', '.join(states) or 'nothing'}")
    if half and not states & set(_EXPLAINED):
        found.half_transfers += 1
        found.wrong.append(f"{ref} is held half, and the gateway says {', '.join(states)}")


def _asked(doors: Doors, token: str, ref: str) -> Any:
    return doors.call(GATEWAY, "GetTransfers", {"claimRef": ref}, token=token, purpose=f"work item {ref}")


def _unexplained(doors: Doors, token: str, days: Sequence[date]) -> Iterator[int]:
    """The number of records that each system's balance of each day leaves unexplained.

    A transfer that was accepted days after it was sent is asked about before it is explained (ADR 49), so a balance that is
    not whole, or leaves something unexplained, is asked for again until the gateway has had time for its enquiries.
    """
    until = time.monotonic() + _ENQUIRIES_SECONDS
    for system in ("ISCS", "JSAPS", "PSCS"):
        for day in days:
            answer = _balanced(doors, token, system, day)
            while not _is_settled(answer) and time.monotonic() < until:
                time.sleep(_PAUSE_SECONDS)
                answer = _balanced(doors, token, system, day)
            yield _unexplained_in(answer)


def _balanced(doors: Doors, token: str, system: str, day: date) -> Any:
    date_of = {"year": day.year, "month": day.month, "day": day.day}
    body = {"system": f"SYSTEM_{system}", "date": date_of, "requestId": str(uuid4())}
    return doors.call(GATEWAY, "Reconcile", body, token=token)


def _is_settled(answer: Any) -> bool:
    return not answer.get("inProgress") and not _unexplained_in(answer)


def _unexplained_in(answer: Any) -> int:
    return int(answer["balance"].get("unexplained", 0))
