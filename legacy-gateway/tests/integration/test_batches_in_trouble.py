"""The exchange of files with PSCS when processes die, the line fails or the system is held: each claim is held once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from legacy_gateway.domain import System
from legacy_gateway.store import batches as store
from tests.support.file_exchange import FileExchange, exchange_with_pscs

TELL_GONE = """
    UPDATE senders SET gone_time = clock_timestamp() WHERE sender_id IN (SELECT sender_id FROM batch_turns)
"""


@pytest.fixture
def exchange(gateway: Any, clock_file: Path, tmp_path: Path) -> Iterator[FileExchange]:
    with exchange_with_pscs(gateway, tmp_path) as made:
        yield made


def held(exchange: FileExchange, claim_ref: str) -> tuple[int, int]:
    found = exchange.held(claim_ref)
    return found.get("held", 0), found.get("duplicates", 0)


def test_a_file_that_was_lost_before_it_was_taken_goes_again(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.step()
    (exchange.root / "in" / "CMS3.PSCS.S000001.DAT").unlink()

    exchange.carry()
    assert exchange.gateway.states(claim) == ["SENDING"]
    exchange.wait_in_vain(hours=4)
    exchange.carry()

    assert exchange.gateway.states(claim) == ["ACCEPTED"]
    assert held(exchange, claim) == (1, 0)


@pytest.mark.parametrize(
    "failure",
    [
        {"failure": "refuse"},
        {"failure": "hang"},
        pytest.param({"failure": "hang", "at": "rename"}, marks=pytest.mark.long),
        pytest.param({"failure": "hang", "at": "read"}, marks=pytest.mark.long),
        {"failure": "break_off", "at": "write"},
        pytest.param({"failure": "break_off", "at": "rename"}, marks=pytest.mark.long),
        {"failure": "lose_reply", "at": "rename"},
        pytest.param({"failure": "lose_reply", "at": "write"}, marks=pytest.mark.long),
        pytest.param({"failure": "system_error", "at": "write"}, marks=pytest.mark.long),
        pytest.param({"failure": "answer_late", "at": "rename", "seconds": 1.5}, marks=pytest.mark.long),
    ],
    ids=lambda failure: "-".join(str(part) for part in failure.values()),
)
def test_every_failure_of_the_line_leaves_a_claim_held_once(exchange: FileExchange, failure: dict[str, Any]) -> None:
    exchange.order(**failure, count=1)
    claim = exchange.claim(1)

    for _ in range(3):
        exchange.carry()

    assert exchange.gateway.states(claim) == ["ACCEPTED"]
    assert held(exchange, claim) == (1, 0)
    assert exchange.states() == [(1, "ANSWERED")]


class Killed(BaseException):
    """The process ends."""


def dies_at(monkeypatch: pytest.MonkeyPatch, point: str) -> list[str]:
    """Lets the process die at a crash point; gives what happened."""
    deaths: list[str] = []

    def reach(name: str) -> None:
        if name == point:
            deaths.append(name)
            raise Killed

    monkeypatch.setattr("chassis.crash.point", reach)
    return deaths


@pytest.mark.parametrize(
    "point",
    [
        "batch.after_making",
        "batch.before_upload",
        "sftp.after_part",
        "batch.after_rename",
        "batch.after_response",
        "batch.after_storing",
    ],
)
@pytest.mark.parametrize(
    "answered",
    [pytest.param(False, id="at-once"), pytest.param(True, id="after-a-cycle", marks=pytest.mark.long)],
)
def test_a_process_that_dies_at_any_point_leaves_each_claim_held_once(
    exchange: FileExchange, monkeypatch: pytest.MonkeyPatch, point: str, *, answered: bool
) -> None:
    claims = [exchange.claim(1), exchange.claim(2)]
    deaths = dies_at(monkeypatch, point)
    with pytest.raises(Killed):
        exchange.carry()
    monkeypatch.undo()
    exchange.restart()
    exchange.gateway.change(TELL_GONE)
    if answered:
        exchange.cycle()

    for _ in range(2):
        exchange.carry()

    assert deaths == [point]
    assert [exchange.gateway.states(claim) for claim in claims] == [["ACCEPTED"]] * 2
    assert [held(exchange, claim) for claim in claims] == [(1, 0)] * 2
    assert exchange.states() == [(1, "ANSWERED")]


def test_another_process_goes_on_when_the_one_with_the_turn_is_gone(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.step()
    exchange.restart()

    exchange.step()
    assert exchange.gateway.states(claim) == ["SENDING"]
    exchange.gateway.change(TELL_GONE)
    exchange.carry()

    assert exchange.gateway.states(claim) == ["ACCEPTED"]


def test_a_process_that_lost_its_turn_stores_nothing(exchange: FileExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = exchange.claim(1)
    exchange.step()
    exchange.cycle()
    look = exchange.system.look

    def slow(sequence: int) -> Any:
        found = look(sequence)
        exchange.gateway.change("UPDATE batch_turns SET sender_id = 1")
        return found

    monkeypatch.setattr(exchange.system, "look", slow)
    with pytest.raises(store.TurnLost):
        exchange.step()

    assert exchange.gateway.states(claim) == ["SENDING"]
    assert exchange.states() == [(1, "SENT")]


def test_nothing_new_goes_to_a_held_system_and_what_is_there_is_taken_in(exchange: FileExchange) -> None:
    first = exchange.claim(1)
    exchange.step()
    exchange.hold()
    second = exchange.claim(2)

    exchange.carry()
    assert exchange.gateway.states(first) == ["ACCEPTED"]
    exchange.carry()
    assert exchange.states() == [(1, "ANSWERED")]
    exchange.release()
    exchange.carry()

    assert exchange.gateway.states(second) == ["ACCEPTED"]


def test_the_breaker_opens_where_the_server_is_away_and_a_probe_closes_it(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.order("refuse")
    for _ in range(7):
        exchange.step()
    assert exchange.breaker() == "OPEN"

    exchange.no_failures()
    exchange.gateway.change("UPDATE systems SET next_probe_time = clock_timestamp() WHERE next_probe_time IS NOT NULL")
    exchange.carry()
    exchange.carry()

    assert exchange.breaker() != "OPEN"
    assert exchange.gateway.states(claim) == ["ACCEPTED"]


def test_a_file_has_no_more_than_its_most_details_and_the_rest_goes_with_the_next(
    exchange: FileExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("legacy_gateway.service.file_work.MOST_DETAILS", 120)
    exchange.claim(1)
    exchange.prepare()
    exchange.multiply(130)

    exchange.carry()
    assert exchange.states() == [(1, "ANSWERED"), (2, "SENT")]
    assert exchange.counts() == {"ACCEPTED": 120, "SENDING": 11}
    exchange.carry()

    assert exchange.counts() == {"ACCEPTED": 131}


def test_a_record_lost_overnight_is_found_by_the_balance_and_held_once(
    exchange: FileExchange, books_of: Callable[..., Any]
) -> None:
    lost, kept = exchange.claim(1), exchange.claim(2)
    exchange.carry()
    books = books_of(System.PSCS, exchange.system, exchange.pscs.control_port)
    exchange.gateway.change("UPDATE transfers SET updated = updated - interval '1 hour' WHERE state = 'ACCEPTED'")
    books.lose(lost)
    day = books.next_morning()
    exchange.cycle()

    books.run()
    for _ in range(2):
        exchange.carry()

    assert [held(exchange, claim) for claim in (lost, kept)] == [(1, 0)] * 2
    [(kind, state, _, remedy)] = books.found()
    assert (kind, state, remedy) == ("MISSING_THERE", "CLOSED", "SENT_AGAIN")
    assert books.balance(day).unexplained == 0


def test_a_day_whose_list_is_cut_short_is_balanced_when_the_list_is_whole(
    exchange: FileExchange, books_of: Callable[..., Any]
) -> None:
    claims = [exchange.claim(1), exchange.claim(2)]
    exchange.carry()
    books = books_of(System.PSCS, exchange.system, exchange.pscs.control_port)
    day = books.next_morning()
    exchange.cycle()
    listed = exchange.root / "control" / f"PSCS.D{day:%Y%m%d}.CTL"
    whole = listed.read_bytes()
    listed.write_bytes(whole[:-1])

    books.run()
    assert [row["done_time"] for row in books.days()] == [None]
    listed.write_bytes(whole)
    exchange.gateway.change("UPDATE reconciliation_days SET due_time = clock_timestamp()")
    books.run()

    assert [row["done_time"] is not None for row in books.days()] == [True]
    assert books.found() == []
    assert [held(exchange, claim) for claim in claims] == [(1, 0)] * 2
