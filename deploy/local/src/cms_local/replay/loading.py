"""Loads confirmed claims through the doors of the services, before the week begins.

The gateway does not run while they are loaded: their confirmations wait for it on the bus and in the outbox.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cms_local.cases import Case
from cms_local.demo import journey
from cms_local.doors import Doors
from cms_local.journey import Journey
from cms_local.layout import Layout

_CALLERS = 32


@dataclass(kw_only=True)
class PlainJourney(Journey):
    """A claim on its way, with as few calls as the doors allow: all answers in one save."""

    def answer(self, answers: Mapping[str, Any]) -> None:
        """Gives every answer in one save and agrees to the forms that records can hold; then what else that asked for."""
        asked = [
            {"questionId": question["id"], "value": answers[question["id"]]}
            for question in self.interview["questions"]
            if question["id"] in answers and "answer" not in question
        ]
        while asked:
            self._take(asked)
            asked = [batch for section in self._batches(answers) for batch in section]


def load(
    layout: Layout, doors: Doors, cases: Sequence[Case], *, seed: int, progress: Callable[[int], None]
) -> list[str]:
    """Carries every case to its confirmation; returns the claims' references. Raises what a door refused with."""
    source = random.Random(seed)
    claims = [_begin(layout, doors, case, source) for case in cases]
    done = 0
    lock = threading.Lock()

    def carry(claim: Journey) -> str:
        nonlocal done
        claim.take_call()
        claim.assess()
        with lock:
            done += 1
            progress(done)
        return claim.claim_ref

    with ThreadPoolExecutor(_CALLERS) as callers:
        return list(callers.map(carry, claims))


def _begin(layout: Layout, doors: Doors, case: Case, source: random.Random) -> Journey:
    claim = journey(layout, doors, case, random.Random(source.random()))
    return PlainJourney(
        case=case,
        doors=doors,
        issue=claim.issue,
        acknowledged_file=claim.acknowledged_file,
        random=claim.random,
        ninos=claim.random,
    )
