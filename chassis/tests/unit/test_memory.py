"""What is remembered of records: their versions, for a while, and for the server alone that committed them."""

from typing import Any

import pytest

from chassis import memory
from chassis.memory import Memory


def remembered(held: Memory, record: str, value: object, *, version: int = 1) -> None:
    held.remember(record, value, version=version, server="one")


def recalled(held: Memory, record: str, *, version: int = 1) -> Any:
    return held.recall(record, version=version, server="one")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be moved."""
    time = [1000.0]
    monkeypatch.setattr("chassis.memory.time.monotonic", lambda: time[0])
    return time


def test_a_record_is_remembered_at_the_version_that_came_last() -> None:
    held = Memory()
    remembered(held, "C1", "first")
    remembered(held, "C1", "second", version=2)

    assert recalled(held, "C1", version=2) == "second"
    assert recalled(held, "C1") is None
    assert recalled(held, "C2", version=2) is None


def test_what_one_server_committed_is_not_recalled_for_another() -> None:
    held = Memory()
    remembered(held, "C1", "lost with the server")

    assert held.recall("C1", version=1, server="two") is None
    held.remember("C1", "committed anew", version=1, server="two")
    assert held.recall("C1", version=1, server="two") == "committed anew"
    assert recalled(held, "C1") is None


def test_of_many_records_those_are_forgotten_that_were_remembered_longest_ago() -> None:
    held = Memory()
    for number in range(memory.MOST):
        remembered(held, f"C{number}", number)

    remembered(held, "C0", "again", version=2)
    remembered(held, "one more", "new")

    assert recalled(held, "C0", version=2) == "again"
    assert recalled(held, "C1") is None
    assert recalled(held, "C2") == 2


def test_after_a_while_a_record_is_recalled_no_more(now: list[float]) -> None:
    held = Memory()
    remembered(held, "C1", "old")

    now[0] += memory.LONGEST_SECONDS - 1
    assert recalled(held, "C1") == "old"
    now[0] += 1
    assert recalled(held, "C1") is None


def test_what_is_old_is_forgotten_and_nothing_else(now: list[float]) -> None:
    held = Memory()
    remembered(held, "C1", "old")
    now[0] += memory.LONGEST_SECONDS - 1
    remembered(held, "C2", "young")
    now[0] += 1

    assert held.forget_old() is False

    assert list(held._held) == ["C2"]
    assert recalled(held, "C2") == "young"
