"""The ledger: nothing is told before it is on disk, and what was told is found again."""

import json
import os
import threading
from pathlib import Path

import pytest

from simulators.errors import LedgerError
from simulators.ledger import Ledger


def test_entries_are_numbered_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.jsonl"
    first = Ledger(path)
    first.append({"event": "held"})
    first.append({"event": "refused"})
    first.close()

    again = Ledger(path)

    assert list(again.entries()) == [{"sequence": 1, "event": "held"}, {"sequence": 2, "event": "refused"}]
    assert again.next_sequence == 3
    again.close()


def test_settling_leaves_every_entry_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    ledger.append({"event": "held"})
    unflushed = len(flushed)

    ledger.settle()

    assert (unflushed, len(flushed)) == (0, 1)
    assert len(list(ledger.entries())) == 1
    ledger.close()


def test_many_threads_lose_nothing_and_share_flushes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")

    def write(thread: int) -> None:
        for number in range(50):
            ledger.append({"thread": thread, "number": number})
            ledger.settle()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entries = list(ledger.entries())
    assert [entry["sequence"] for entry in entries] == list(range(1, 401))
    assert len({(entry["thread"], entry["number"]) for entry in entries}) == 400
    ledger.close()


def test_a_torn_last_line_is_cut_and_its_number_used_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"sequence":1}\n{"seq')

    ledger = Ledger(path)
    ledger.append({"event": "held"})
    ledger.close()

    assert [json.loads(line)["sequence"] for line in path.read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize("content", ['{"sequence":1}\nnonsense\n', '{"sequence":2}\n', "[]\n"])
def test_a_spoilt_ledger_is_not_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(content)

    with pytest.raises(LedgerError):
        Ledger(path)


def test_a_ledger_has_one_user(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")

    with pytest.raises(LedgerError, match="another process"):
        Ledger(tmp_path / "ledger.jsonl")

    ledger.close()


def test_after_a_failed_write_nothing_is_acknowledged_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append({"event": "held"})
    monkeypatch.setattr(os, "fsync", full)

    for _ in range(2):
        with pytest.raises(LedgerError):
            ledger.settle()
    with pytest.raises(LedgerError):
        ledger.append({"event": "held"})

    assert ledger.broken
    ledger.close()
