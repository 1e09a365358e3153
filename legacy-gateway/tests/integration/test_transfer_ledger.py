"""The ledger: its constraints, events in any order, leases and gauges."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from chassis.database import Database
from chassis.inbox import Event
from chassis.testing import as_owner, eventually
from legacy_gateway import consumers, metrics
from legacy_gateway.domain import AlreadyLeased, System
from legacy_gateway.store import leases, transfers

CLAIM = "C00000000018"

MakeEvent = Callable[..., Event]


def hear(database: Database, *events: Event) -> None:
    for event in events:
        with database.transaction() as conn:
            consumers.HANDLERS[event.name](conn, event)


def rows(database: Database, claim_ref: str = CLAIM) -> list[dict[str, Any]]:
    with database.transaction() as conn:
        return conn.execute(transfers.OF_CLAIM, [claim_ref]).fetchall()


def change(database: Database, statement: str, *values: str) -> None:
    with as_owner(database) as conn:
        conn.execute(statement.encode(), values)


def make(database: Database) -> None:
    """The first phases' records are made, and wait."""
    change(database, "UPDATE transfers SET payload = 'sealed' WHERE phase = 1")


def test_a_confirmation_makes_both_phases_and_only_the_first_is_due(
    database: Database, confirmation: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, version=7))

    first, second = rows(database)
    assert [(row["phase"], row["state"], row["action"], row["claim_version"]) for row in (first, second)] == [
        (1, "WAITING", "NEW", 7),
        (2, "WAITING", "NEW", 7),
    ]
    assert first["next_attempt_time"] is not None
    assert second["next_attempt_time"] is None
    assert (first["office_code"], first["assessor_id"]) == ("100123", "ASSESS01")


def test_the_order_and_repetition_of_events_change_nothing(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    wanted = [("NEW", 1, "WAITING", 9), ("NEW", 2, "WAITING", 9)]
    for number, order in enumerate(itertools.permutations([(7, True), (5, False), (8, False), (9, False)])):
        claim_ref = f"C00000000{number:03d}"
        events = [
            confirmation(claim_ref, version=version) if confirms else amendment(claim_ref, version=version)
            for version, confirms in order
        ]

        hear(database, *events)
        once = rows(database, claim_ref)
        hear(database, *reversed(events))

        assert [(row["action"], row["phase"], row["state"], row["claim_version"]) for row in once] == wanted
        assert rows(database, claim_ref) == once


def test_amendments_of_a_record_that_was_made_are_held_as_one_change(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    later = [amendment(CLAIM, version=version) for version in (9, 5, 8)]
    hear(database, confirmation(CLAIM, version=7))
    make(database)

    hear(database, *later)
    once = rows(database)
    hear(database, *reversed(later))

    assert [(row["action"], row["phase"], row["state"], row["claim_version"]) for row in once] == [
        ("NEW", 1, "WAITING", 7),
        ("NEW", 2, "WAITING", 7),
        ("CHANGE", 1, "HELD", 9),
        ("CHANGE", 2, "HELD", 9),
    ]
    assert [row["replaces"] for row in once] == [None, None, once[0]["transfer_id"], once[1]["transfer_id"]]
    assert [row for row in rows(database) if row not in once] == []


def test_an_amendment_that_feeds_no_record_of_the_system_changes_nothing(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, version=7))
    make(database)
    before = rows(database)

    hear(database, amendment(CLAIM, "fathers_employer", version=8))

    assert rows(database) == before


def test_an_amendment_whose_facts_an_earlier_release_did_not_keep_feeds_every_record(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    hear(database, amendment(CLAIM, "fathers_employer", version=8))
    change(database, "DELETE FROM amended_facts")

    hear(database, confirmation(CLAIM, version=7))

    assert [row["claim_version"] for row in rows(database)] == [8, 8]


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_an_amendment_that_is_part_of_the_confirmation_makes_no_change(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent, *, confirmed_first: bool
) -> None:
    events = [confirmation(CLAIM, version=7), amendment(CLAIM, version=7)]

    hear(database, *(events if confirmed_first else reversed(events)))

    assert [row["action"] for row in rows(database)] == ["NEW", "NEW"]


def test_an_amendment_before_the_confirmation_makes_no_transfer(database: Database, amendment: MakeEvent) -> None:
    hear(database, amendment(CLAIM, version=8))

    assert rows(database) == []


def test_events_of_one_claim_at_the_same_moment_wait_for_each_other(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    with database.transaction() as conn:
        consumers.HANDLERS["AssessmentConfirmed"](conn, confirmation(CLAIM, version=7))
        twin = threading.Thread(target=hear, args=(database, amendment(CLAIM, version=8)))
        twin.start()
        eventually(lambda: waits_for_a_lock(database), what="the twin at the lock")
    twin.join()

    assert [row["claim_version"] for row in rows(database)] == [8, 8]


def waits_for_a_lock(database: Database) -> bool:
    with database.transaction() as conn:
        found = conn.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    return found is not None


COPY = """
    INSERT INTO transfers
    SELECT upper(left(md5(transfer_id), 26)) AS transfer_id, {replaces}, claim_ref, claim_version, '{action}',
        {generation}, system, phase, '{state}', attempts, setbacks, NULL, NULL, NULL, NULL, payload, messages, legacy_ref,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    FROM transfers WHERE phase = 1 AND generation = {of}
"""


def test_a_second_new_claim_for_a_phase_cannot_be_written(database: Database, confirmation: MakeEvent) -> None:
    hear(database, confirmation(CLAIM))

    with pytest.raises(psycopg.errors.UniqueViolation, match="transfers_one_"):
        change(database, COPY.format(replaces="NULL", action="NEW", generation=1, state="WAITING", of=1))


def test_a_second_held_change_cannot_be_written(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, version=7))
    make(database)
    hear(database, amendment(CLAIM, version=8))

    with pytest.raises(psycopg.errors.UniqueViolation, match="transfers_one_open"):
        change(database, COPY.format(replaces="transfer_id", action="CHANGE", generation=3, state="HELD", of=2))


def test_a_second_record_under_way_cannot_be_written(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, version=7))
    make(database)
    hear(database, amendment(CLAIM, version=8))

    with pytest.raises(psycopg.errors.UniqueViolation, match="transfers_one_open"):
        change(database, "UPDATE transfers SET state = 'WAITING' WHERE generation = 2")


SET = "UPDATE transfers SET {setting} WHERE phase <= {phases}"
LEASE = "lease_token = gen_random_uuid(), lease_until = clock_timestamp()"


@pytest.mark.parametrize(
    ("setting", "constraint"),
    [
        ("state = 'SENDING', next_attempt_time = NULL", "transfers_sending"),
        (f"state = 'SENDING', next_attempt_time = NULL, {LEASE}", "transfers_sending"),
        ("attempts = 1", "transfers_payload"),
        ("state = 'UNKNOWN'", "transfers_unknown"),
        ("connection_closed_time = clock_timestamp()", "transfers_unknown"),
        (
            "state = 'UNKNOWN', connection_closed_time = clock_timestamp(), next_attempt_time = NULL",
            "transfers_asked",
        ),
        ("state = 'ACCEPTED', next_attempt_time = NULL", "transfers_accepted"),
        ("state = 'REJECTED'", "transfers_due"),
        ("action = 'CHANGE'", "transfers_first_is_new"),
        ("corrected = true", "transfers_corrected"),
        (f"state = 'HELD', next_attempt_time = NULL, {LEASE}", "transfers_lease_state"),
        ("lease_until = clock_timestamp()", "transfers_lease_whole"),
        (LEASE, "transfers_one_lease"),
    ],
)
def test_constraints_refuse_rows_that_contradict_themselves(
    database: Database, confirmation: MakeEvent, setting: str, constraint: str
) -> None:
    hear(database, confirmation(CLAIM))

    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        change(database, SET.format(setting=setting, phases=2 if constraint == "transfers_one_lease" else 1))

    assert refused.value.diag.constraint_name == constraint


def test_a_claim_is_leased_to_one_worker_at_a_time(database: Database, confirmation: MakeEvent) -> None:
    hear(database, confirmation(CLAIM))
    change(database, "UPDATE transfers SET next_attempt_time = clock_timestamp()")
    with database.transaction() as conn:
        leased = leases.take(conn, System.JSAPS, seconds=60)

    with database.transaction() as conn:
        other = leases.take(conn, System.JSAPS, seconds=60)

    assert leased is not None
    assert other is None


def test_two_workers_cannot_lease_phases_of_a_claim_at_the_same_moment(
    database: Database, confirmation: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM))
    change(database, "UPDATE transfers SET next_attempt_time = clock_timestamp()")
    refused: list[Exception] = []

    def lease() -> None:
        try:
            with database.transaction() as conn:
                leases.take(conn, System.JSAPS, seconds=60)
        except AlreadyLeased as error:
            refused.append(error)

    with database.transaction() as conn:
        first = leases.take(conn, System.JSAPS, seconds=60)
        twin = threading.Thread(target=lease)
        twin.start()
        eventually(lambda: waits_for_a_lock(database), what="the twin at the lock")
    twin.join()

    assert first is not None
    assert len(refused) == 1


def test_another_worker_takes_over_a_lease_that_ended_before_sending(
    database: Database, confirmation: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM))
    with database.transaction() as conn:
        first = leases.take(conn, System.JSAPS, seconds=0)

    with database.transaction() as conn:
        second = leases.take(conn, System.JSAPS, seconds=60)

    assert first is not None
    assert second is not None
    assert first.transfer == second.transfer
    assert first.token != second.token


def test_the_oldest_due_goes_first(database: Database, confirmation: MakeEvent) -> None:
    later, earlier = "C00000000020", "C00000000030"
    hear(database, confirmation(later), confirmation(earlier))
    change(
        database,
        "UPDATE transfers SET next_attempt_time = next_attempt_time - interval '1 hour' WHERE claim_ref = %s",
        earlier,
    )

    with database.transaction() as conn:
        leased = leases.take(conn, System.JSAPS, seconds=60)

    assert leased is not None
    assert leased.transfer.claim_ref == earlier


def test_the_gauges_are_read_from_the_ledger(database: Database, confirmation: MakeEvent, amendment: MakeEvent) -> None:
    transfers, oldest, *_ = metrics.GAUGES
    with database.transaction() as conn:
        assert list(transfers.read(conn)) == []
        assert {age for _, age in oldest.read(conn)} == {0.0}

    hear(database, confirmation(CLAIM, version=7))
    make(database)
    hear(database, amendment(CLAIM, version=8))
    change(database, "UPDATE transfers SET created = created - interval '1 hour'")

    with database.transaction() as conn:
        assert dict(transfers.read(conn)) == {("JSAPS", "WAITING"): 2.0, ("JSAPS", "HELD"): 2.0}
        age = dict(oldest.read(conn))["JSAPS",]
    assert 3600 <= age < 3660
