"""A transfer that stays too long in a state that is not final is overdue; one that ended is counted for an hour."""

from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock, deadlines
from chassis.database import Database
from legacy_gateway import metrics
from legacy_gateway.deadlines import DEADLINES

INSERT = """
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, attempts,
        next_attempt_time, lease_token, lease_until, connection_closed_time, payload, legacy_ref, confirmed_time,
        office_code, assessor_id, traceparent, created, updated)
    VALUES (%(id)s, 'C1', 1, %(action)s, %(generation)s, 'JSAPS', %(phase)s, %(state)s, %(attempts)s,
        CASE WHEN %(due)s THEN clock_timestamp() END,
        CASE WHEN %(state)s = 'SENDING' THEN gen_random_uuid() END,
        CASE WHEN %(state)s = 'SENDING' THEN clock_timestamp() END,
        CASE WHEN %(state)s = 'UNKNOWN' THEN clock_timestamp() - %(unknown_for)s END,
        CASE WHEN %(attempts)s > 0 THEN ''::bytea END, CASE WHEN %(state)s = 'ACCEPTED' THEN 'JS1' ELSE '' END,
        %(now)s, '', '', '', %(now)s, %(now)s)
"""


def transfer(
    database: Database, state: str, *, generation: int = 1, phase: int = 1, due: bool = False, hours_unknown: float = 0
) -> None:
    values = {
        "id": f"{generation}{phase}".rjust(26, "0"),
        "action": "NEW" if generation == 1 else "CHANGE",
        "generation": generation,
        "phase": phase,
        "state": state,
        "attempts": 0 if state in {"WAITING", "HELD"} else 1,
        "due": due or state == "UNKNOWN",
        "unknown_for": timedelta(hours=hours_unknown),
        "now": clock.now(),
    }
    with database.transaction() as conn:
        conn.execute(INSERT, values)


def overdue(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as conn:
        return [(late.state, late.reference) for late in deadlines.overdue(conn, DEADLINES)]


@pytest.mark.parametrize(
    ("state", "deadline"),
    [
        ("WAITING", timedelta(hours=1)),
        ("SENDING", timedelta(minutes=10)),
        ("HELD", timedelta(days=1)),
        ("REJECTED", timedelta(days=1)),
        ("CLERICAL", timedelta(days=5)),
    ],
)
def test_a_state_is_overdue_after_its_deadline(
    database: Database, clock_file: Path, state: str, deadline: timedelta
) -> None:
    transfer(database, state, due=state == "WAITING")
    clock.advance(deadline - timedelta(seconds=30))
    assert overdue(database) == []

    clock.advance(timedelta(minutes=1))
    assert overdue(database) == [(state, "C1")]


def test_an_unknown_transfer_is_overdue_by_real_time(database: Database, clock_file: Path) -> None:
    transfer(database, "UNKNOWN", hours_unknown=0.9)
    clock.advance(timedelta(days=3))
    assert overdue(database) == []

    transfer(database, "UNKNOWN", phase=2, hours_unknown=1.1)
    assert overdue(database) == [("UNKNOWN", "C1")]


def test_an_accepted_transfer_and_a_phase_that_is_not_due_are_not_overdue(database: Database, clock_file: Path) -> None:
    transfer(database, "ACCEPTED")
    transfer(database, "WAITING", phase=2)

    clock.advance(timedelta(days=30))

    assert overdue(database) == []


def test_a_rejected_transfer_that_was_corrected_is_not_overdue(database: Database, clock_file: Path) -> None:
    transfer(database, "REJECTED")
    transfer(database, "ACCEPTED", generation=2)
    with database.transaction() as conn:
        conn.execute("UPDATE transfers SET corrected = true WHERE state = 'REJECTED'")

    clock.advance(timedelta(days=30))

    assert overdue(database) == []


def counted(database: Database) -> dict[tuple[str, ...], float]:
    gauge, *_ = metrics.GAUGES
    with database.transaction() as conn:
        return dict(gauge.read(conn))


def test_accepted_transfers_are_counted_for_an_hour_and_corrected_ones_never(
    database: Database, clock_file: Path
) -> None:
    transfer(database, "REJECTED")
    transfer(database, "ACCEPTED", generation=2)
    transfer(database, "HELD", generation=3)
    assert counted(database) == {("JSAPS", state): 1.0 for state in ("REJECTED", "ACCEPTED", "HELD")}
    with database.transaction() as conn:
        conn.execute("UPDATE transfers SET corrected = true WHERE state = 'REJECTED'")

    clock.advance(timedelta(minutes=59))
    assert counted(database) == {("JSAPS", "ACCEPTED"): 1.0, ("JSAPS", "HELD"): 1.0}
    clock.advance(timedelta(minutes=2))
    assert counted(database) == {("JSAPS", "HELD"): 1.0}
