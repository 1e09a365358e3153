"""PSCS's control files are its side of the balance: what it lost goes again in another file, but only after all were read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.errors import Unavailable
from legacy_gateway.domain import HeldRecord, System
from tests.support.books import Books
from tests.support.file_exchange import FileExchange, exchange_with_pscs


@pytest.fixture
def exchange(gateway: Any, clock_file: Path, tmp_path: Path) -> Iterator[FileExchange]:
    with exchange_with_pscs(gateway, tmp_path) as made:
        yield made


@pytest.fixture
def files(exchange: FileExchange, books_of: Callable[[System, Any, int], Books]) -> Books:
    """The books of PSCS."""
    return books_of(System.PSCS, exchange.system, exchange.pscs.control_port)


class Lists:
    """PSCS with these records under each day, and no control file of the days for which there is none."""

    def __init__(self, days: Mapping[date, Sequence[HeldRecord]]) -> None:
        self.days = days

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        if day not in self.days:
            raise Unavailable("NO_LIST", "there is no control file of the day")
        yield self.days[day]


def accepted(exchange: FileExchange, files: Books) -> str:
    claim_ref = exchange.claim()
    exchange.carry()
    assert exchange.gateway.states(claim_ref) == ["ACCEPTED"]
    files.let_it_settle()
    return claim_ref


def test_a_record_that_pscs_lost_overnight_goes_again_in_another_file(exchange: FileExchange, files: Books) -> None:
    claim_ref = accepted(exchange, files)
    [before] = exchange.gateway.rows(claim_ref)
    files.lose(claim_ref)
    exchange.cycle()

    files.ask_for(clock.today())
    files.run()
    exchange.carry()

    [after] = exchange.gateway.rows(claim_ref)
    assert files.found() == [("MISSING_THERE", "CLOSED", "", "SENT_AGAIN")]
    assert (after["state"], after["transfer_id"], after["payload"]) == (
        "ACCEPTED",
        before["transfer_id"],
        before["payload"],
    )
    assert after["batch"] == before["batch"] + 1
    assert exchange.held(claim_ref)["held"] == 1


def test_both_ledgers_balance_when_pscs_lost_nothing(exchange: FileExchange, files: Books) -> None:
    accepted(exchange, files)

    files.ask_for(clock.today())
    files.run()

    assert files.found() == []
    assert files.columns(clock.today()) == (1, 1, 0, 0, 0, 0)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_record_under_the_day_on_which_its_file_was_sent_is_not_sent_again(
    exchange: FileExchange, files: Books, *, is_whole: bool
) -> None:
    """Its response was read three days later: it is on no list beside the day of its acceptance."""
    claim_ref = accepted(exchange, files)
    [row] = exchange.gateway.rows(claim_ref)
    sent = clock.today()
    held = HeldRecord(transfer_id=row["transfer_id"], legacy_ref=row["legacy_ref"])
    lists = {sent + timedelta(days=n): [held] if n == 0 else [] for n in range(-1, 6) if is_whole or n != 0}
    exchange.gateway.change("UPDATE transfers SET updated = updated + interval '3 days'")
    files.next_morning(days=5)

    files.ask_for(sent + timedelta(days=3))
    files.run(Lists(lists))

    found = ("MISSING_THERE", "CLOSED", "", "NONE") if is_whole else ("MISSING_THERE", "ASKING", "", "")
    assert files.found() == [found]
    assert exchange.gateway.states(claim_ref) == ["ACCEPTED"]
