"""RecordAnswers with five answers, by sixteen callers."""

from collections import Counter
from typing import Protocol

from google.protobuf.message import Message

from cms.intake.v1 import intake_pb2 as pb
from tests.load.driving import CALLERS, Rate, drive
from tests.load.interview import ANSWERS_IN_A_SAVE, Operators, plain_case, save, saves_of

_PREPARED_FOR_A_SECOND = 1200
"""Saves prepared for each second: more than can be made, so that no call is started while saves are measured."""
_WARM_UP_SECONDS = 1.0


class Door(Protocol):
    """A way to call intake-svc."""

    def encoded(self, request: Message) -> bytes:
        """Returns the request as the door takes it."""

    def acknowledge(self, method: str, request: bytes, *, token: str) -> None:
        """Calls, and ignores the response."""


def measure_saves_by(door: Door, operators: Operators, *, seconds: float) -> Rate:
    """Makes saves for so many seconds. Raises AssertionError where a claim does not hold what was acknowledged."""
    batches = [batch for batch in saves_of(operators, plain_case()) if len(batch) == ANSWERS_IN_A_SAVE]
    _drive(door, operators, batches, seconds=_WARM_UP_SECONDS)
    return _drive(door, operators, batches, seconds=seconds)


def _drive(door: Door, operators: Operators, batches: list[list[pb.Answer]], *, seconds: float) -> Rate:
    callers = [_Interviews(door, operators, batches, number, seconds=seconds) for number in range(CALLERS)]
    rate = drive(lambda number: callers[number].save_next, seconds=seconds)
    for caller in callers:
        caller.check()
    return rate


class _Interviews:
    """One caller's interviews. They are begun, and their saves serialised, before anything is measured."""

    def __init__(
        self, door: Door, operators: Operators, batches: list[list[pb.Answer]], number: int, *, seconds: float
    ) -> None:
        saves = int(seconds * _PREPARED_FOR_A_SECOND / CALLERS) + 1
        self._door = door
        self._intake = operators.intake
        self._begun = [operators.start(number) for _ in range(saves // len(batches) + 1)]
        self._saves = [
            (begun, door.encoded(save(begun.claim_ref, batch, version=begun.version + place)))
            for begun in self._begun
            for place, batch in enumerate(batches)
        ]
        self._made = 0
        self._done: Counter[str] = Counter()

    def save_next(self) -> None:
        """Makes the next save of the present interview, or the first of the next one. IndexError after the last."""
        begun, request = self._saves[self._made]
        self._door.acknowledge("RecordAnswers", request, token=begun.token)
        self._made += 1
        self._done[begun.claim_ref] += 1

    def check(self) -> None:
        """Checks that each claim has the version that its last acknowledged save gave it."""
        for begun in self._begun:
            request, saved = pb.GetClaimRequest(claim_ref=begun.claim_ref), self._done[begun.claim_ref]
            held = self._intake.ask("GetClaim", request, pb.GetClaimResponse, token=begun.token).claim
            if held.version != begun.version + saved:
                raise AssertionError(f"{begun.claim_ref} is at version {held.version} after {saved} saves")
