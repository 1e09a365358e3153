"""Two notifiers on one database with authorities that fail: each claim has one notice, and none is loaded twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.postcodes import Postcodes
from chassis.testing import event_of, eventually
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.channels.api import Councils
from la_notifier.config import Settings, read_secrets
from la_notifier.domain.notices import NoticeVersion, SendAnswer, SendResult
from la_notifier.service import reviews, sending
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sender, waits_of
from la_notifier.store import notices

CLAIMS = [f"C01234567{number:02d}A" for number in range(10, 26)]


@pytest.fixture
def notifiers(
    *, database: Database, vault: Vault, settings: Settings, postcodes: Postcodes, claims: Any
) -> Iterator[list[tuple[Reviewer, Sender]]]:
    """Two of them, with connections to the councils of their own."""
    waits = partial(waits_of, scale=0.01, poll_seconds=2.0)
    secrets = read_secrets(settings.council_secrets_file)
    with ExitStack() as stack:
        councils = [stack.enter_context(closing(Councils(settings.councils_url, secrets))) for _ in range(2)]
        yield [
            (
                Reviewer(database, vault, claims, claims, postcodes, waits=waits),
                Sender(database, vault, own, waits=waits, pause_seconds=0),
            )
            for own in councils
        ]


@pytest.fixture
def at_work(notifiers: list[tuple[Reviewer, Sender]]) -> Iterator[None]:
    """The reviewer, senders and status checkers of each notifier in threads."""
    stopping = Event()

    def work(step: Any) -> None:
        while not stopping.is_set():
            step() or stopping.wait(0.01)

    steps = [
        step
        for reviewer, sender in notifiers
        for step in (reviewer.review_next, sender.send_next, sender.send_next, sender.ask_next)
    ]
    threads = [Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    yield
    stopping.set()
    for thread in threads:
        thread.join()


def hear(database: Database, claim_ref: str, version: int) -> None:
    with database.transaction() as conn:
        reviews.hear(conn, event_of(events_pb2.ClaimAmended(), claim_ref=claim_ref, version=version))


def end_some_leases(database: Database) -> None:
    """Ends leases of rows that nobody has locked: waiting for many rows while others wait for theirs makes a deadlock."""
    with database.transaction() as conn:
        for table, key in (("notice_versions", "notice_id, version"), ("looks", "claim_ref")):
            found = f"SELECT {key} FROM {table} WHERE random() < 0.3 FOR UPDATE SKIP LOCKED"  # noqa: S608
            statement = f"UPDATE {table} SET leased_until = statement_timestamp() WHERE ({key}) IN ({found})"  # noqa: S608
            conn.execute(statement.encode())


def everything_is_loaded(database: Database) -> bool:
    with database.transaction() as conn:
        waiting = conn.execute("SELECT 1 FROM looks").fetchone()
        newest = conn.execute(
            "SELECT DISTINCT ON (notice_id) state FROM notice_versions ORDER BY notice_id, version DESC"
        ).fetchall()
    return waiting is None and [row["state"] for row in newest] == ["LOADED"] * len(CLAIMS)


def test_every_claim_ends_with_one_notice_whose_newest_version_was_loaded_once(
    database: Database, at_work: None, scene: Any, tenant: Any
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
    ledger = scene.ledger("")
    assert sorted(ledger["claims"]) == CLAIMS
    assert [len(notices) for notices in ledger["claims"].values()] == [1] * len(CLAIMS)
    assert ledger["duplicates"] == 0
    with database.transaction() as conn:
        repeated = conn.execute(
            "SELECT type, claim_ref, version, count(*) FROM outbox GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        assert repeated.fetchall() == []


def test_an_answer_waits_for_the_review_that_wants_the_notice_again(
    database: Database, notifiers: list[tuple[Reviewer, Sender]], scene: Any, tenant: Any
) -> None:
    [(reviewer, _), _] = notifiers
    scene.claims.keep(replace(tenant(), claim_ref=CLAIMS[0]))
    hear(database, CLAIMS[0], 3)
    reviewer.review_next()
    with database.transaction() as conn:
        taken = sending.take_to_send(conn)
        conn.execute("UPDATE notices SET wanted = false")
    assert taken is not None

    with ThreadPoolExecutor(1) as sender:
        with database.transaction() as conn:
            [notice] = notices.notices_of(conn, CLAIMS[0])
            notices.set_wanted(conn, notice["notice_id"], wanted=True)
            settled = sender.submit(settle_as_not_taken, database, taken[0])
            eventually(lambda: somebody_waits_for_a_lock(conn), what="the wait for the review")
        settled.result()

    assert scene.versions() == [(1, "INTENTION", "WAITING")]


def settle_as_not_taken(database: Database, version: NoticeVersion) -> None:
    with database.transaction() as conn:
        answer = SendAnswer(result=SendResult.NOT_TAKEN)
        sending.settle_send(conn, version, answer, waits_of(scale=1.0, poll_seconds=2.0))


def somebody_waits_for_a_lock(conn: Connection) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return conn.execute(waiting).fetchone() is not None
