"""A gateway whose days are balanced by hand, for the tests of the day's balance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.database import Row
from chassis.testing import eventually
from legacy_gateway.domain import Balance, Result, ShownDifference, System
from legacy_gateway.link import LinkPool
from legacy_gateway.service import differences
from legacy_gateway.service.lost_records import reconcile
from legacy_gateway.service.reconciling import Reconciliation, balance
from legacy_gateway.systems import RULES
from legacy_gateway.systems.record_link import RecordLinkSystem
from simulators.testing import call

CLAIM = "C00000000018"


@dataclass(kw_only=True)
class Books:
    """The ledger of a system, and its stand-in's behind a control door. The stand-in's clock does not move."""

    gateway: Any
    work: Reconciliation
    control_port: int

    def accepted(self, claim_ref: str = CLAIM) -> str:
        """A claim that JSAPS holds whole, for long enough that an enquiry knows of it."""
        self.gateway.claim(claim_ref)
        self.gateway.work_until_accepted(claim_ref)
        for row in self.gateway.rows(claim_ref):
            self._wait_until_the_enquiry_knows(row["transfer_id"])
        self.let_it_settle()
        return claim_ref

    def _wait_until_the_enquiry_knows(self, transfer_id: str) -> None:
        """The stand-in's enquiry lags by its own clock, whatever the ledger is told of the time."""
        eventually(
            lambda: self.work.adapter.ask(transfer_id).result is Result.HELD, what="the enquiry to know a record"
        )

    def let_it_settle(self) -> None:
        """Lets everything have been accepted so long ago that the system's enquiry and list know of it."""
        seconds = self.work.settling.total_seconds() + 1
        query = "UPDATE transfers SET updated = updated - make_interval(secs => %s) WHERE state = 'ACCEPTED'"
        self.gateway.change(query, seconds)

    def lose(self, claim_ref: str, dialogue: str | None = None) -> None:
        """The system forgets what it holds of a claim."""
        order = {"claim_ref": claim_ref} | ({"dialogue": dialogue} if dialogue else {})
        assert call(self.control_port, "POST", "/ledger/lose", body=order).body["lost"] > 0

    def next_morning(self, *, days: int = 1) -> date:
        """Moves the clock to six in the morning so many days later. Gives the day before it moved."""
        today, now = clock.today(), clock.now().astimezone(clock.LONDON)
        clock.advance((now + timedelta(days=days)).replace(hour=6, minute=0) - now)
        return today

    def run(self, adapter: Any = None) -> None:
        """Steps of the reconciler until nothing is due; with another adapter than its own."""
        work = replace(self.work, adapter=adapter) if adapter else self.work
        while reconcile(work):
            """A day is run, or the system is asked about a record."""

    def ask_for(self, day: date) -> None:
        """Somebody asks for the balance of a day."""
        with self.gateway.database.transaction() as conn:
            differences.request(conn, self.work.system, day)

    def found(self) -> list[tuple[str, str, str, str]]:
        """Kind, state, cause and why it was closed, of every difference."""
        query = "SELECT kind, state, cause, closing_reason FROM differences ORDER BY kind, since"
        return [(row["kind"], row["state"], row["cause"], row["closing_reason"]) for row in self._rows(query)]

    def found_of(self, claim_ref: str) -> list[tuple[str, str]]:
        """The transfer and why it was closed, of every difference of a claim."""
        query = "SELECT transfer_id, closing_reason FROM differences WHERE claim_ref = %s"
        return [(row["transfer_id"], row["closing_reason"]) for row in self._rows(query, claim_ref)]

    def the_one(self) -> ShownDifference:
        """The one difference that is not closed."""
        with self.gateway.database.transaction() as conn:
            [shown] = differences.page(conn, None, after=differences.FIRST, limit=10)
        return shown

    def balance(self, day: date) -> Balance:
        """The balance of a day."""
        return balance(self.work.database, self.work.system, day)

    def columns(self, day: date) -> tuple[int, int, int, int, int, int]:
        """Captured, accepted, rejected, waiting, clerical, unexplained."""
        of = self.balance(day)
        return of.captured, of.accepted, of.rejected, of.waiting, of.clerical, of.unexplained

    def days(self) -> list[Row]:
        """The days that were planned or asked for."""
        return self._rows("SELECT * FROM reconciliation_days ORDER BY day")

    def send_until_held_anew(self, *claims: str) -> None:
        """Steps until both phases of the claims' second generation are accepted."""

        def there() -> bool:
            self.gateway.send()
            return all(self.gateway.states(one, 2) == ["ACCEPTED", "ACCEPTED"] for one in claims)

        eventually(there, seconds=30, what="every claim held anew")

    def _rows(self, query: str, *values: str) -> list[Row]:
        with self.gateway.database.transaction() as conn:
            rows: list[Row] = conn.execute(query, values).fetchall()
        return rows


@pytest.fixture
def books_of(gateway: Any, clock_file: Path) -> Callable[[System, Any, int], Books]:
    """The books of a system behind this adapter and control door, on a clock of the test's own."""
    assert clock_file

    def made(system: System, adapter: Any, control_port: int) -> Books:
        work = Reconciliation(
            database=gateway.database,
            database_url=gateway.url,
            rules=RULES[system],
            adapter=adapter,
            hour=5,
            lease_seconds=5.0,
            time_scale=gateway.resources.time_scale,
        )
        return Books(gateway=gateway, work=work, control_port=control_port)

    return made


@pytest.fixture
def books(gateway: Any, books_of: Callable[[System, Any, int], Books]) -> Iterator[Books]:
    """The books of JSAPS, on a connection of their own that is patient with a busy machine."""
    pool = LinkPool("127.0.0.1", gateway.jsaps.port, size=1, timeout=10.0)
    yield books_of(System.JSAPS, RecordLinkSystem(RULES[System.JSAPS], pool), gateway.jsaps.control_port)
    pool.close()
