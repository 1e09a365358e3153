"""Two notifiers on one database, and authorities that fail: one notice for each claim, and none loaded twice."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.bus import Bus
from chassis.database import Database
from chassis.identity import ServiceToken
from chassis.inbox import Event as Heard
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.testing import Tokens, eventually
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.clients import Councils
from la_notifier.config import Settings, read_secrets
from la_notifier.service import looks
from la_notifier.service.sending import Pace
from la_notifier.workers import Looker, Sender
from simulators.testing import call

CLAIMS = [f"C01234567{number:02d}A" for number in range(10, 26)]


@pytest.fixture
def notifiers(
    *, database: Database, bus: Bus, vault: Vault, tokens: Tokens, settings: Settings, claims: Any
) -> Iterator[list[tuple[Looker, Sender]]]:
    """Two of them, with connections of their own."""
    pace = Pace(time_scale=0.01, poll_seconds=2.0)
    with ExitStack() as closing:
        postcodes = closing.enter_context(Postcodes(settings.postcodes_file))
        made = []
        for owner in ("one", "other"):
            runtime = Runtime(
                name="la-notifier",
                database=database,
                bus=bus,
                vault=vault,
                token=ServiceToken(tokens.service_file("la-notifier")),
                lease_owner=owner,
            )
            councils = Councils(settings.councils_url, read_secrets(settings.council_secrets_file))
            closing.callback(councils.close)
            made.append((Looker(runtime, claims, postcodes, pace), Sender(runtime, councils, pace, pause_seconds=0)))
        yield made


@pytest.fixture
def at_work(notifiers: list[tuple[Looker, Sender]]) -> Iterator[None]:
    """Each notifier's looker, senders and askers in threads."""
    stopping = Event()

    def work(step: Any) -> None:
        while not stopping.is_set():
            step() or stopping.wait(0.01)

    steps = [step for looker, sender in notifiers for step in (looker.step, sender.send, sender.send, sender.ask)]
    threads = [Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    yield
    stopping.set()
    for thread in threads:
        thread.join()


def hear(database: Database, claim_ref: str, version: int) -> None:
    event = Heard(
        event_id=uuid4(),
        name="ClaimAmended",
        source="intake-svc",
        claim_ref=claim_ref,
        version=version,
        occurred_time=clock.now(),
        message=events_pb2.ClaimAmended(),
    )
    with database.transaction() as conn:
        looks.hear(conn, event)


def end_some_leases(database: Database) -> None:
    """Of what nobody holds at this moment: who waits for many rows while others wait for theirs makes a deadlock."""
    with database.transaction() as conn:
        for table, key in (("notice_versions", "notice_id, version"), ("looks", "claim_ref")):
            found = f"SELECT {key} FROM {table} WHERE random() < 0.3 FOR UPDATE SKIP LOCKED"  # noqa: S608
            statement = f"UPDATE {table} SET leased_until = clock_timestamp() WHERE ({key}) IN ({found})"  # noqa: S608
            conn.execute(statement.encode())


def everything_is_loaded(database: Database) -> bool:
    with database.transaction() as conn:
        waiting = conn.execute("SELECT 1 FROM looks").fetchone()
        newest = conn.execute(
            "SELECT DISTINCT ON (notice_id) state FROM notice_versions ORDER BY notice_id, version DESC"
        ).fetchall()
    return waiting is None and [row["state"] for row in newest] == ["LOADED"] * len(CLAIMS)


def test_every_claim_ends_with_one_notice_whose_newest_version_was_loaded_once(
    database: Database, at_work: None, scene: Any, tenant: Any, councils: Any
) -> None:
    for number, failure in enumerate(("lose_reply", "unavailable", "too_many")):
        scene.order(failure, rate=0.2, seed=number, count=10, retry_after=0)
    scene.order("slow", rate=0.2, seed=9, count=10, seconds=0.3)

    for version, changed in enumerate(({}, {"rent_amount": "90.00"}, {"rent_amount": "95.00"}), start=3):
        for claim_ref in CLAIMS:
            facts = replace(tenant(**changed), claim_ref=claim_ref, version=version, claim_on=clock.today())
            scene.claims.keep(facts)
            hear(database, claim_ref, version)
        end_some_leases(database)

    eventually(lambda: everything_is_loaded(database), seconds=40, what="every notice loaded")
    assert sum(scene.fired().values()) >= 10
    ledger = call(councils.control_port, "GET", "/ledger").body
    assert sorted(ledger["claims"]) == CLAIMS
    assert [len(notices) for notices in ledger["claims"].values()] == [1] * len(CLAIMS)
    assert ledger["duplicates"] == 0
    with database.transaction() as conn:
        told = conn.execute(
            "SELECT type, claim_ref, version, count(*) FROM outbox GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        assert told.fetchall() == []
