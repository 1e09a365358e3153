"""The transfers that a new claim needs, and the lock of a claim."""

from dataclasses import asdict

from chassis import clock, tracing
from chassis.database import Connection
from legacy_gateway.domain import Confirmation, Rules, new_transfer_id

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
