"""What is remembered of records: their versions, for a while, and nothing of a time before everything was forgotten."""

from typing import Any

import pytest

from chassis import memory
from chassis.memory import Memory


def test_a_record_is_remembered_at_the_version_that_came_last() -> None:
    held = Memory()
    held.remember("C1", "first", version=1, epoch=0)
    held.remember("C1", "second", version=2, epoch=0)

    assert held.recall("C1", version=2) == "second"
    assert held.recall("C1", version=1) is None
    assert held.recall("C2", version=2) is None


def test_what_was_learnt_before_everything_was_forgotten_is_not_remembered_after_it() -> None:
    held = Memory()
    learnt_in = held.epoch
    held.remember("C1", "first", version=1, epoch=learnt_in)

    held.forget_all()
    held.remember("C2", "late", version=1, epoch=learnt_in)

    assert held.recall("C1", version=1) is None
    assert held.recall("C2", version=1) is None
    held.remember("C2", "anew", version=1, epoch=held.epoch)
    assert held.recall("C2", version=1) == "anew"


def test_of_many_records_those_are_forgotten_that_were_remembered_longest_ago() -> None:
    held = Memory()
    for number in range(memory.MOST):
        held.remember(f"C{number}", number, version=1, epoch=0)

    held.remember("C0", "again", version=2, epoch=0)
    held.remember("one more", "new", version=1, epoch=0)

    assert held.recall("C0", version=2) == "again"
    assert held.recall("C1", version=1) is None
    assert held.recall("C2", version=1) == 2


def test_after_a_while_a_record_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Memory()
    now: Any = [1000.0]
    monkeypatch.setattr("chassis.memory.time.monotonic", lambda: now[0])
    held.remember("C1", "old", version=1, epoch=0)
    now[0] += memory.LONGEST_SECONDS - 1
    held.remember("C2", "young", version=1, epoch=0)

    assert held.forget_old() is False
    assert held.recall("C1", version=1) == "old"
    now[0] += 1
    held.forget_old()

    assert held.recall("C1", version=1) is None
    assert held.recall("C2", version=1) == "young"
