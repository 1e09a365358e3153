"""Amendments, and what they make of a claim's transfers at a system. Call `claims.note_amendment` first."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from chassis import clock, tracing
from chassis.database import Connection, Row
from legacy_gateway.domain import State, System, new_transfer_id
from legacy_gateway.domain.changes import Course, Decision, Entry

NOTE_FACTS = """
    -- An amendment is heard of once or more often.
    INSERT INTO amended_facts (claim_ref, claim_version, facts) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

AMENDMENTS = """
    -- The amendments of a claim. Those that an earlier release heard of are known by their version alone: by the newest that
    -- it noted, and by those of the changes that it made.
    SELECT claim_version, facts FROM amended_facts WHERE claim_ref = %(claim_ref)s
    UNION ALL
    SELECT version, NULL FROM (
        SELECT version FROM amendments WHERE claim_ref = %(claim_ref)s AND version > 0
        UNION
        SELECT claim_version FROM transfers WHERE claim_ref = %(claim_ref)s AND state = 'HELD'
    ) AS noted
    WHERE NOT EXISTS (
        SELECT FROM amended_facts WHERE claim_ref = %(claim_ref)s AND claim_version = noted.version
    )
"""

SYSTEMS_OF = """
    -- The systems to which a claim goes.
    SELECT DISTINCT system FROM transfers WHERE claim_ref = %s ORDER BY system
"""

ENTRIES = """
    -- The transfers of a claim at a system, locked: a sender that settles one of them waits, or was first.
    SELECT transfers.*, EXISTS (
        SELECT FROM first_phase_withdrawals AS given_up
        WHERE given_up.transfer_id = transfers.transfer_id AND done_time IS NULL
    ) AS being_withdrawn
    FROM transfers WHERE claim_ref = %s AND system = %s
    ORDER BY generation, phase
    FOR UPDATE
"""

CANCEL = """
    -- These are never sent.
    UPDATE transfers
    SET state = 'CANCELLED', next_attempt_time = NULL, may_wake_time = NULL, updated = %(now)s
    WHERE transfer_id = ANY(%(transfer_ids)s) AND state IN ('WAITING', 'HELD') AND lease_token IS NULL
"""

MOVE_ON = """
    -- A record that was never made is made of a newer version of the claim.
    UPDATE transfers SET claim_version = %(version)s, updated = %(now)s
    WHERE transfer_id = ANY(%(transfer_ids)s) AND claim_version <> %(version)s AND lease_token IS NULL
        AND (state = 'HELD' OR (state = 'WAITING' AND payload IS NULL))
"""

MARK_CORRECTED = """
    -- A change goes in the place of these.
    UPDATE transfers SET corrected = true WHERE transfer_id = ANY(%s) AND state = 'REJECTED'
"""

MAKE_DUE = """
    -- Its turn has come.
    UPDATE transfers SET next_attempt_time = statement_timestamp(), updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND state = 'WAITING'
"""

HOLD = """
    -- A change of every phase, after all other generations. It replaces the newest transfer of each phase.
    INSERT INTO transfers (
        transfer_id, replaces, claim_ref, claim_version, action, generation, system, phase, state,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    )
    SELECT new.transfer_id, before.transfer_id, before.claim_ref, %(version)s, 'CHANGE', before.generation + 1,
        before.system, before.phase, 'HELD', before.confirmed_time, before.office_code, before.assessor_id,
        %(traceparent)s, %(now)s, %(now)s
    FROM transfers AS before
    JOIN unnest(%(transfer_ids)s::text[]) WITH ORDINALITY AS new (transfer_id, phase) ON new.phase = before.phase
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND generation = (
        SELECT max(generation) FROM transfers WHERE claim_ref = %(claim_ref)s AND system = %(system)s
    )
"""

RELEASE = """
    -- A held change goes: each phase as it must, the first at once.
    UPDATE transfers
    SET state = 'WAITING', action = actions.action, updated = %(now)s,
        next_attempt_time = CASE WHEN transfers.phase = 1 THEN statement_timestamp() END
    FROM unnest(%(phases)s::integer[], %(actions)s::text[]) AS actions (phase, action)
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND state = 'HELD' AND transfers.phase = actions.phase
"""

WITHDRAW = """
    -- The system is asked to give up a first phase.
    INSERT INTO first_phase_withdrawals (transfer_id, claim_ref, system, since)
    VALUES (%(transfer_id)s, %(claim_ref)s, %(system)s, %(now)s)
    ON CONFLICT DO NOTHING
"""

FORGET_FACTS = """
    -- Facts that were kept for a record that will not be made of them.
    DELETE FROM kept_facts WHERE claim_ref = %(claim_ref)s AND NOT EXISTS (
        SELECT FROM transfers
        WHERE transfers.claim_ref = kept_facts.claim_ref AND transfers.claim_version = kept_facts.claim_version
            AND state = 'WAITING' AND payload IS NULL
    )
"""

NEXT_TURN = """
    -- The oldest held change, after a place, for which nothing is under way at its system any more that has a next attempt
    -- or an answer to come, and which waits for no person.
    SELECT created, claim_ref, system FROM transfers AS held
    WHERE state = 'HELD' AND phase = 1 AND (created, claim_ref, system) > (%(created)s, %(claim_ref)s, %(system)s)
        AND NOT EXISTS (
            SELECT FROM transfers AS other
            WHERE other.claim_ref = held.claim_ref AND other.system = held.system
                AND (other.state IN ('SENDING', 'UNKNOWN', 'CLERICAL') OR other.next_attempt_time IS NOT NULL)
        )
        AND NOT EXISTS (
            SELECT FROM first_phase_withdrawals AS given_up
            WHERE given_up.claim_ref = held.claim_ref AND given_up.system = held.system AND done_time IS NULL
        )
    ORDER BY created, claim_ref, system LIMIT 1
"""

Place = tuple[datetime, str, str]
"""A held change's time, claim and system."""


def note_facts(conn: Connection, claim_ref: str, *, version: int, facts: Collection[str]) -> None:
    """Keeps the names of the facts that an amendment changed."""
    conn.execute(NOTE_FACTS, [claim_ref, version, sorted(facts)])


def amendments(conn: Connection, claim_ref: str) -> Mapping[int, frozenset[str] | None]:
    """By version, the facts that each amendment of a claim changed; None where that is not known."""
    rows = conn.execute(AMENDMENTS, {"claim_ref": claim_ref}).fetchall()
    return {row["claim_version"]: None if row["facts"] is None else frozenset(row["facts"]) for row in rows}


def systems_of(conn: Connection, claim_ref: str) -> list[System]:
    """The systems to which a claim goes."""
    return [System(row["system"]) for row in conn.execute(SYSTEMS_OF, [claim_ref]).fetchall()]


def locked_entries(conn: Connection, claim_ref: str, system: System) -> list[Entry]:
    """The transfers of a claim at a system, locked until the end of the transaction."""
    return [_entry(row) for row in conn.execute(ENTRIES, [claim_ref, system]).fetchall()]


def apply(conn: Connection, claim_ref: str, system: System, decision: Decision, *, phases: int) -> None:
    """Does what was decided about the locked transfers of a claim at a system, which has so many phases."""
    key = {"claim_ref": claim_ref, "system": system, "version": decision.version, "now": clock.now()}
    if decision.cancelled:
        conn.execute(CANCEL, key | {"transfer_ids": list(decision.cancelled)})
    if decision.moved:
        conn.execute(MOVE_ON, key | {"transfer_ids": list(decision.moved)})
    if decision.cancelled or decision.moved:
        conn.execute(FORGET_FACTS, key)
    if decision.corrected:
        conn.execute(MARK_CORRECTED, [list(decision.corrected)])
    if decision.withdrawn:
        conn.execute(WITHDRAW, key | {"transfer_id": decision.withdrawn})
    if decision.due:
        conn.execute(MAKE_DUE, key | {"transfer_id": decision.due})
    if decision.holds:
        _hold(conn, decision, key, phases=phases)
    if decision.course is Course.SEND:
        actions = {"phases": list(decision.actions), "actions": [str(action) for action in decision.actions.values()]}
        conn.execute(RELEASE, key | actions)


def next_turn(conn: Connection, after: Place) -> Place | None:
    """The oldest held change after a place whose turn has come; None where there is none."""
    row = conn.execute(NEXT_TURN, dict(zip(("created", "claim_ref", "system"), after, strict=True))).fetchone()
    return (row["created"], row["claim_ref"], row["system"]) if row else None


def _hold(conn: Connection, decision: Decision, key: Mapping[str, Any], *, phases: int) -> None:
    if decision.held:
        conn.execute(MOVE_ON, {**key, "transfer_ids": list(decision.held)})
        return
    new = [new_transfer_id() for _ in range(phases)]
    conn.execute(HOLD, {**key, "transfer_ids": new, "traceparent": tracing.current()})


def _entry(row: Row) -> Entry:
    return Entry(
        transfer_id=row["transfer_id"],
        generation=row["generation"],
        phase=row["phase"],
        state=State(row["state"]),
        claim_version=row["claim_version"],
        untouched=row["payload"] is None and row["lease_token"] is None,
        is_due=row["next_attempt_time"] is not None,
        being_withdrawn=row["being_withdrawn"],
        is_corrected=row["corrected"],
    )
