"""The transfers that a claim needs: the phases of a new claim, held changes, and corrections of refused records."""

from dataclasses import asdict

from chassis import clock, tracing
from chassis.database import Connection, Row
from legacy_gateway.domain import Confirmation, NewestTransfer, Rules, State, System, new_transfer_id
from legacy_gateway.store.transfers import confirmation_of

NOTE_AMENDMENT = """
    -- The newest amendment heard of; locks the claim's row until the end of the transaction.
    INSERT INTO amendments (claim_ref, version) VALUES (%(claim_ref)s, %(version)s)
    ON CONFLICT (claim_ref) DO UPDATE SET version = greatest(amendments.version, excluded.version)
    RETURNING version
"""

ADD_NEW = """
    -- The phases of a new claim, except those that the claim has already for this system.
    INSERT INTO transfers (
        transfer_id, claim_ref, claim_version, action, generation, system, phase, state, next_attempt_time,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    )
    SELECT new.transfer_id, %(claim_ref)s, %(claim_version)s, 'NEW', 1, %(system)s, new.phase, 'WAITING',
        CASE WHEN new.phase = 1 THEN statement_timestamp() END,
        %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s, %(now)s, %(now)s
    FROM unnest(%(transfer_ids)s::text[]) WITH ORDINALITY AS new (transfer_id, phase)
    ON CONFLICT DO NOTHING
"""

NEWEST = """
    -- Each system's and phase's newest transfer of a claim.
    SELECT DISTINCT ON (system, phase)
        transfer_id, claim_version, generation, system, phase, state, confirmed_time, office_code, assessor_id
    FROM transfers WHERE claim_ref = %(claim_ref)s
    ORDER BY system, phase, generation DESC
"""

ADD_CHANGE = """
    -- A held change that replaces the newest transfer of its phase.
    INSERT INTO transfers (
        transfer_id, replaces, claim_ref, claim_version, action, generation, system, phase, state,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    ) VALUES (
        %(transfer_id)s, %(replaces)s, %(claim_ref)s, %(claim_version)s, 'CHANGE', %(generation)s, %(system)s, %(phase)s,
        'HELD', %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s, %(now)s, %(now)s
    )
"""

MOVE_CHANGE_ON = """
    -- A held change takes in a newer amendment.
    UPDATE transfers SET claim_version = %(claim_version)s, updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND state = 'HELD'
"""

CANCEL_AFTER_REFUSED = """
    -- The phases after a refused one can never go: the correction has phases of its own.
    UPDATE transfers AS later SET state = 'CANCELLED', updated = %(now)s
    WHERE claim_ref = %(claim_ref)s AND state = 'WAITING' AND next_attempt_time IS NULL AND EXISTS (
        SELECT 1 FROM transfers AS refused
        WHERE refused.claim_ref = later.claim_ref AND refused.system = later.system
            AND refused.generation = later.generation AND refused.state = 'REJECTED'
    )
"""

MARK_CORRECTED = """
    -- A refused transfer is corrected when a change is held that replaces it.
    UPDATE transfers AS refused SET corrected = true
    WHERE claim_ref = %(claim_ref)s AND state = 'REJECTED' AND NOT corrected AND EXISTS (
        SELECT 1 FROM transfers AS held
        WHERE held.claim_ref = refused.claim_ref AND held.system = refused.system
            AND held.generation = refused.generation + 1 AND held.state = 'HELD'
    )
"""

SEND_CORRECTED = """
    -- The held change after a corrected generation goes at once: each phase as a change if the system holds that phase of
    -- the claim, else as new.
    UPDATE transfers AS sent
    SET state = 'WAITING', updated = %(now)s,
        next_attempt_time = CASE WHEN phase = 1 THEN statement_timestamp() END,
        action = CASE WHEN EXISTS (
            SELECT 1 FROM transfers AS earlier
            WHERE earlier.claim_ref = sent.claim_ref AND earlier.system = sent.system AND earlier.phase = sent.phase
                AND earlier.state = 'ACCEPTED'
        ) THEN 'CHANGE' ELSE 'NEW' END
    WHERE claim_ref = %(claim_ref)s AND state = 'HELD' AND EXISTS (
        SELECT 1 FROM transfers AS before
        WHERE before.claim_ref = sent.claim_ref AND before.system = sent.system
            AND before.generation = sent.generation - 1 AND before.corrected
    )
"""


def note_amendment(conn: Connection, claim_ref: str, *, version: int) -> int:
    """Remembers an amendment (version 0: none); returns the newest version. Events of one claim wait for each other here."""
    row = conn.execute(NOTE_AMENDMENT, {"claim_ref": claim_ref, "version": version}).fetchone()
    return int(row["version"]) if row else 0


def add_new(conn: Connection, confirmation: Confirmation, rules: Rules) -> None:
    """Adds the phases of a new claim for a system; existing ones stay as they are."""
    values = asdict(confirmation) | {
        "transfer_ids": [new_transfer_id() for _ in range(rules.phases)],
        "system": rules.system,
        "traceparent": tracing.current(),
        "now": clock.now(),
    }
    conn.execute(ADD_NEW, values)


def newest(conn: Connection, claim_ref: str) -> list[NewestTransfer]:
    """Each system's and phase's newest transfer of a claim."""
    return [_newest(claim_ref, row) for row in conn.execute(NEWEST, {"claim_ref": claim_ref}).fetchall()]


def add_change(conn: Connection, newest: NewestTransfer, *, claim_version: int) -> None:
    """Adds a held change that replaces this transfer."""
    values = asdict(newest.confirmation) | {
        "transfer_id": new_transfer_id(),
        "replaces": newest.transfer_id,
        "claim_version": claim_version,
        "generation": newest.generation + 1,
        "system": newest.system,
        "phase": newest.phase,
        "traceparent": tracing.current(),
        "now": clock.now(),
    }
    conn.execute(ADD_CHANGE, values)


def move_change_on(conn: Connection, newest: NewestTransfer, *, claim_version: int) -> None:
    """Moves a held change on to a newer version of the claim."""
    conn.execute(
        MOVE_CHANGE_ON, {"transfer_id": newest.transfer_id, "claim_version": claim_version, "now": clock.now()}
    )


def send_corrected(conn: Connection, claim_ref: str) -> None:
    """Releases held changes that correct a refused record, and cancels the phases after it. Call `note_amendment` first."""
    values = {"claim_ref": claim_ref, "now": clock.now()}
    for statement in (CANCEL_AFTER_REFUSED, MARK_CORRECTED, SEND_CORRECTED):
        conn.execute(statement, values)


def _newest(claim_ref: str, row: Row) -> NewestTransfer:
    return NewestTransfer(
        transfer_id=row["transfer_id"],
        system=System(row["system"]),
        phase=row["phase"],
        generation=row["generation"],
        claim_version=row["claim_version"],
        is_held=row["state"] == State.HELD,
        confirmation=confirmation_of(claim_ref, row),
    )
