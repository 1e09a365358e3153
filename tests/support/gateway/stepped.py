"""The gateway's inside, stepped by hand, over a real ledger and JSAPS's stand-in."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import legacy_gateway
from chassis.database import Database, Row
from chassis.inbox import Event
from chassis.testing import as_owner, eventually
from chassis.vault import Vault
from legacy_gateway import consumers
from legacy_gateway.domain import HeldRecord, ShownTransfer, State, System, SystemAnswer
from legacy_gateway.domain.ledger import is_possible
from legacy_gateway.link import LinkPool
from legacy_gateway.service.changes import take_turns, withdraw_first_phase
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.store.transfers import of_claim
from legacy_gateway.systems import RecordSystem
from simulators.jsaps import JSAPS
from simulators.record_link.server import MainframeServer
from simulators.settings import JsapsSettings, read_settings
from simulators.testing import call
from tests.support.gateway.events import amended, confirmed, withdrawn
from tests.support.gateway.owners import AssessmentInMemory, IntakeInMemory, good_facts

COPYBOOKS = Path(legacy_gateway.__file__).parent / "copybooks"
SCALE = 0.05
"""An `N` is final 600 ms after the closing; the stand-in's buffer is 500 ms, its enquiry lags by 100."""
REPLY_SECONDS = 0.5


def jsaps_settings(folder: Path, *, port: int = 0) -> JsapsSettings:
    """The settings of JSAPS's stand-in with its data in this folder. Port 0 takes a free one."""
    return read_settings(
        JsapsSettings, port=port, control_port=0, data=folder / "jsaps", copybooks=COPYBOOKS, time_scale=SCALE
    )


class Recording:
    """JSAPS, with what went to it; `around` may do something in the moment of the first send."""

    def __init__(
        self, system: RecordSystem, around: Callable[[Callable[[], SystemAnswer]], SystemAnswer] | None
    ) -> None:
        self.system = system
        self.around = around
        self.sent: list[tuple[str, bytes]] = []

    def send(self, phase: int, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        self.sent.append((transfer_id, payload))
        around, self.around = self.around, None

        def send() -> SystemAnswer:
            return self.system.send(phase, transfer_id, payload, send_by=send_by)

        return around(send) if around else send()

    def ask(self, transfer_id: str) -> SystemAnswer:
        return self.system.ask(transfer_id)

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        return self.system.withdraw(transfer_id)

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        return self.system.held_on(day)

    def reset(self) -> None:
        self.system.reset()

    def close(self) -> None:
        self.system.close()


@dataclass(kw_only=True)
class Gateway:
    """The gateway's inside, stepped by hand, over a real ledger and JSAPS's stand-in."""

    database: Database
    url: str
    vault: Vault
    jsaps: MainframeServer
    intake: IntakeInMemory
    assessment: AssessmentInMemory
    resources: Resources
    changed_by_hand: bool = False

    def send(self) -> bool:
        """One step of a sender of JSAPS's crew."""
        return send_next(self.resources, System.JSAPS)

    def sweep(self) -> bool:
        """One step of the sweeper."""
        return sweep(self.resources)

    def turn(self) -> None:
        """One step of the workers that look after changes and first phases."""
        take_turns(self.database)
        withdraw_first_phase(self.resources)

    def amend(self, claim_ref: str, *facts: str, version: int, **answers: Any) -> None:
        """Amends these facts of a claim, and those of the answers, to good facts with the answers."""
        self.intake.known[claim_ref, version] = good_facts(**answers)
        self.hear(amended(claim_ref, *facts, *answers, version=version))

    def claim(self, claim_ref: str = "C00000000018", *, version: int = 7, **answers: Any) -> str:
        """A confirmed claim of good facts with these answers changed."""
        self.know(claim_ref, version=version, **answers)
        self.hear(confirmed(claim_ref, version=version))
        return claim_ref

    def know(self, claim_ref: str, *, version: int = 7, **answers: Any) -> None:
        """Lets intake know a claim of good facts with these answers changed."""
        self.intake.known[claim_ref, version] = good_facts(**answers)

    def confirmed(self, claim_ref: str, *, version: int = 7, schemes: list[str] | None = None) -> Event:
        """AssessmentConfirmed of a claim whose facts intake may not know."""
        return confirmed(claim_ref, version=version, schemes=schemes)

    def hear(self, *events: Event) -> None:
        """Handles each event in a transaction of its own. Of a withdrawal intake knows, as it does when the event is true."""
        for one in events:
            if one.name == "ClaimWithdrawn":
                self.intake.withdrawn.add(one.claim_ref)
            with self.database.transaction() as conn:
                consumers.HANDLERS[one.name](conn, one)

    def withdraw(self, claim_ref: str) -> None:
        """The claim is withdrawn."""
        self.hear(withdrawn(claim_ref))

    def order(self, failure: str, **rule: Any) -> None:
        """Orders a failure of JSAPS."""
        answer = call(self.jsaps.control_port, "POST", "/failures", body={"failure": failure, **rule})
        assert answer.status == 200, answer.body

    def held(self, claim_ref: str) -> dict[str, Any]:
        """JSAPS's holdings of a claim: es_held, ba_held, duplicates, half."""
        body = call(self.jsaps.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body
        found: dict[str, Any] = body["claims"].get(
            claim_ref, {"es_held": 0, "ba_held": 0, "duplicates": 0, "half": False}
        )
        return found

    def rows(self, claim_ref: str, generation: int = 1) -> list[Row]:
        """The claim's transfers by phase."""
        with self.database.transaction() as conn:
            return conn.execute(
                "SELECT * FROM transfers WHERE claim_ref = %s AND generation = %s ORDER BY phase",
                [claim_ref, generation],
            ).fetchall()

    def shown(self, claim_ref: str) -> list[ShownTransfer]:
        """The claim's transfers as staff see them."""
        with self.database.transaction() as conn:
            return of_claim(conn, self.vault, claim_ref)

    def states(self, claim_ref: str, generation: int = 1) -> list[str]:
        """The states of the claim's phases."""
        return [row["state"] for row in self.rows(claim_ref, generation)]

    def work_until(self, claim_ref: str, *states: str, seconds: float = 15.0) -> None:
        """Steps until the claim's phases are in these states."""

        def there() -> bool:
            self.send()
            self.sweep()
            return self.states(claim_ref) == list(states)

        eventually(there, seconds=seconds, what=f"{states}")

    def work_for(self, *, seconds: float) -> None:
        """Steps for this long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.send()
            self.sweep()

    def work_until_accepted(self, *claims: str, seconds: float = 30.0) -> None:
        """Steps until both phases of all these claims are accepted."""

        def there() -> bool:
            self.send()
            return all(self.states(claim) == ["ACCEPTED", "ACCEPTED"] for claim in claims)

        eventually(there, seconds=seconds, what="every claim accepted")

    def events(self) -> list[Row]:
        """The events that went out."""
        with self.database.transaction() as conn:
            return conn.execute("SELECT * FROM outbox ORDER BY created").fetchall()

    def recorded(self, around: Callable[[Callable[[], SystemAnswer]], SystemAnswer] | None = None) -> Recording:
        """Puts a recording between the sender and JSAPS."""
        recording = Recording(self.resources.systems[System.JSAPS], around)
        self.resources = replace(self.resources, systems={System.JSAPS: recording})
        return recording

    @contextmanager
    def jsaps_started_again(self, folder: Path) -> Iterator[None]:
        """JSAPS at the same address, with what it held. `folder` is the test's."""
        settings = jsaps_settings(folder, port=self.jsaps.port)
        self.jsaps = MainframeServer(JSAPS, settings)
        self.jsaps.start()
        yield
        self.jsaps.stop()

    def restart(self) -> None:
        """Its process ends, and another begins: the one's lock goes, the other takes its own."""
        process_ends(self.resources.presence)
        self.resources = replace(self.resources, presence=present(self.url), watch=Watch())

    def expire_leases(self) -> int:
        """Lets every lease have run out; gives their number."""
        return self.change(
            "UPDATE transfers SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_token IS NOT NULL"
        )

    def check_history(self) -> None:
        """No transfer went a way that is not in the table of states. A test that changes states by hand is left alone."""
        if self.changed_by_hand:
            return
        with self.database.transaction() as conn:
            events = conn.execute(
                "SELECT transfer_id, state FROM transfer_events ORDER BY transfer_id, number"
            ).fetchall()
        before: dict[str, State] = {}
        for event in events:
            name, state = event["transfer_id"], State(event["state"])
            assert is_possible(before.get(name), state), (before.get(name), state)
            before[name] = state

    def change(self, statement: str, *values: Any) -> int:
        """Changes the ledger behind the gateway's back; gives the number of rows."""
        self.changed_by_hand = True
        with as_owner(self.database) as conn:
            return conn.execute(statement.encode(), values).rowcount


def present(url: str, pool: LinkPool | None = None) -> Presence:
    """The lock of a process, taken."""
    presence = Presence(url, close_links=pool.reset if pool else lambda: None)
    presence.keep()
    return presence


def process_ends(presence: Presence) -> None:
    """The lock goes as it does with a process that was killed: nothing is said."""
    assert presence._conn is not None
    presence._conn.close()


def watched_for_long(database: Database) -> DatabaseClock:
    """The clock of a gateway that has run for an hour."""
    watched = DatabaseClock("")
    with database.transaction() as conn:
        since = watched.steady_since(conn)
    assert watched._watch is not None
    watched._watch = replace(watched._watch, steady_since=since - timedelta(hours=1))
    return watched
