"""The lock by which others know that a process lives, and what they make of one that is missing."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.database import Database
from chassis.testing import DatabaseUrls, eventually
from legacy_gateway import machine
from legacy_gateway.domain import NotPresent
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.store import senders


class Links:
    """The connections to systems, with how often they were closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def links() -> Links:
    return Links()


@pytest.fixture
def presence(database_urls: DatabaseUrls, links: Links, monkeypatch: pytest.MonkeyPatch) -> Iterator[Presence]:
    """The lock of a process on another machine, taken."""
    elsewhere = replace(machine.this_process(), machine="another boot")
    monkeypatch.setattr(machine, "this_process", lambda: elsewhere)
    held = Presence(database_urls.app, close_links=links.close)
    held.keep()
    yield held
    held.close()


def number(presence: Presence) -> int:
    with presence.sending() as sender_id:
        return sender_id


def gone(database: Database) -> set[int]:
    with database.transaction() as conn:
        rows = conn.execute("SELECT sender_id FROM senders WHERE gone_time IS NOT NULL").fetchall()
    return {row["sender_id"] for row in rows}


def look(database: Database, watch: Watch, *, times: int = 3) -> None:
    for _ in range(times):
        with database.transaction() as conn:
            watch.look(conn)


def end_session(database_urls: DatabaseUrls, presence: Presence) -> None:
    """Ends the session that holds the lock, as an administrator may."""
    assert presence._conn is not None
    with psycopg.connect(database_urls.owner.replace("gateway_owner", "postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(%s, 5000)", [presence._conn.info.backend_pid])


def process_is_killed(database: Database, presence: Presence) -> None:
    """Returns when the server has noticed."""
    assert presence._conn is not None
    presence._conn.close()

    def lock_is_free() -> bool:
        with database.transaction() as conn:
            return presence._sender_id not in senders.held(conn)

    eventually(lock_is_free, what="the lock given back")


def at_once() -> Watch:
    """Believes a missing lock when it looks for the second time, however soon that is."""
    return Watch(missing_seconds=0.0)


def test_a_process_that_holds_its_lock_is_not_gone(database: Database, presence: Presence) -> None:
    look(database, at_once())

    assert gone(database) == set()


def test_a_process_whose_lock_is_missing_twice_is_gone(database: Database, presence: Presence) -> None:
    sender_id, watch = number(presence), at_once()
    process_is_killed(database, presence)

    look(database, watch, times=1)
    first = gone(database)
    look(database, watch, times=1)

    assert (first, gone(database)) == (set(), {sender_id})


def test_a_lock_that_is_missing_for_less_than_a_second_proves_nothing(database: Database, presence: Presence) -> None:
    sender_id, watch = number(presence), Watch()
    process_is_killed(database, presence)
    started = time.monotonic()

    def is_believed() -> bool:
        look(database, watch, times=1)
        return gone(database) == {sender_id}

    eventually(is_believed, what="the missing lock believed")

    assert time.monotonic() - started >= 1.0


def test_a_process_that_stops_in_good_order_says_so(database: Database, presence: Presence) -> None:
    sender_id = number(presence)

    presence.close()

    assert gone(database) == {sender_id}
    assert not presence.is_held


def another_session_ends(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("UPDATE sender_locks SET sessions_ended = sessions_ended - 1")


def server_restarts(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("UPDATE sender_locks SET server_started = server_started - interval '1 day'")


def server_crashes(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("DELETE FROM sender_locks")


@pytest.mark.parametrize("meanwhile", [another_session_ends, server_restarts, server_crashes])
def test_a_lock_that_may_have_been_lost_with_its_server_or_session_proves_nothing(
    database: Database, presence: Presence, meanwhile: Callable[[Database], None]
) -> None:
    process_is_killed(database, presence)
    meanwhile(database)

    look(database, at_once())

    assert gone(database) == set()


def test_a_process_whose_session_is_ended_is_not_taken_for_gone(
    database: Database, database_urls: DatabaseUrls, presence: Presence
) -> None:
    end_session(database_urls, presence)

    look(database, at_once())

    assert gone(database) == set()


def test_sessions_that_were_ended_while_the_lock_was_held_do_not_count(database: Database, presence: Presence) -> None:
    sender_id, watch = number(presence), at_once()
    another_session_ends(database)
    look(database, watch, times=1)

    process_is_killed(database, presence)
    look(database, watch)

    assert gone(database) == {sender_id}


def test_a_process_that_this_machine_knows_to_have_ended_is_gone_whatever_became_of_the_server(
    database: Database, presence: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender_id = number(presence)
    process_is_killed(database, presence)
    server_crashes(database)
    monkeypatch.setattr(machine, "has_ended", lambda _: True)

    look(database, at_once(), times=1)

    assert gone(database) == {sender_id}


def test_a_process_that_loses_its_lock_closes_its_connections_and_goes_on_under_another_number(
    database: Database, database_urls: DatabaseUrls, presence: Presence, links: Links
) -> None:
    former = number(presence)

    end_session(database_urls, presence)
    presence.keep()
    with pytest.raises(NotPresent), presence.sending():
        raise AssertionError
    lost = gone(database)
    presence.keep()

    assert links.closed > 0
    assert lost == set()
    assert gone(database) == {former}
    assert number(presence) != former


def test_a_process_is_not_said_to_be_gone_while_it_sends(
    database: Database, database_urls: DatabaseUrls, presence: Presence
) -> None:
    end_session(database_urls, presence)
    with presence.sending() as former:
        keeper = threading.Thread(target=lambda: [presence.keep() for _ in range(2)])
        keeper.start()
        eventually(lambda: not presence.is_held, what="the loss noticed")
        keeper.join(0.2)
        assert keeper.is_alive()
        assert gone(database) == set()
    keeper.join()

    assert gone(database) == {former}


def test_processes_that_are_gone_are_forgotten_after_a_day_unless_a_transfer_names_them(gateway: Any) -> None:
    transfer = gateway.claim()
    first, second = 1, 2
    for sender_id in (first, second):
        gateway.change(
            "INSERT INTO senders VALUES (%s, '', '', 1, '', statement_timestamp(), statement_timestamp() - interval '2 days')",
            sender_id,
        )
    gateway.change(
        """
        UPDATE transfers SET state = 'UNKNOWN', connection_closed_time = statement_timestamp(), attempts = 1,
            payload = '', sender_id = %s, sender_token = %s
        WHERE claim_ref = %s AND phase = 1
        """,
        first,
        uuid4(),
        transfer,
    )

    gateway.restart()

    with gateway.database.transaction() as conn:
        kept = {row["sender_id"] for row in conn.execute("SELECT sender_id FROM senders").fetchall()}
    assert first in kept
    assert second not in kept
