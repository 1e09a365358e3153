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
    SELECT new.transfer_id, %(claim_ref)s, %(claim_version)s, 'NEW', %(generation)s, %(system)s, new.phase, 'WAITING',
        CASE WHEN new.phase = 1 THEN statement_timestamp() END,
        %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s, %(now)s, %(now)s
    FROM unnest(%(transfer_ids)s::text[]) WITH ORDINALITY AS new (transfer_id, phase)
    ON CONFLICT DO NOTHING
"""

GIVE_UP_DOUBTED = """
    -- All that a claim has for a system, if nothing of it ever left and its owners did not stand for it when an earlier
    -- confirmation was heard: that one was not theirs, but a later one may be. Gives the versions that were taken in.
    WITH doubted AS (
        SELECT bool_and(
            attempts = 0 AND payload IS NULL AND lease_token IS NULL AND confirmed_time < %(confirmed_time)s
                AND (state IN ('CLERICAL', 'HELD', 'CANCELLED') OR (state = 'WAITING' AND next_attempt_time IS NULL))
        ) AND bool_or(EXISTS (
            SELECT FROM transfer_events
            WHERE transfer_events.transfer_id = transfers.transfer_id AND reason IN ('NOT_CONFIRMED', 'NOT_SUBMITTED')
        )) AS is_so
        FROM transfers WHERE claim_ref = %(claim_ref)s AND system = %(system)s
    )
    UPDATE transfers
    SET state = 'CANCELLED', updated = CASE WHEN state = 'CANCELLED' THEN updated ELSE %(now)s END
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND (SELECT is_so FROM doubted)
    RETURNING claim_version, generation
"""


def note_amendment(conn: Connection, claim_ref: str, *, version: int) -> int:
    """Remembers an amendment (version 0: none); returns the newest version. Events of one claim wait for each other here."""
    row = conn.execute(NOTE_AMENDMENT, {"claim_ref": claim_ref, "version": version}).fetchone()
    return int(row["version"]) if row else 0


def add_new(conn: Connection, confirmation: Confirmation, rules: Rules) -> None:
    """Adds the phases of a new claim for a system; existing ones stay as they are.

    Unless the owners of the claim did not stand for those: then a later confirmation takes their place. The transfers of the
    claim must be locked.
    """
    key = asdict(confirmation) | {"system": rules.system, "now": clock.now()}
    doubted = conn.execute(GIVE_UP_DOUBTED, key).fetchall()
    values = key | {
        "claim_version": max([confirmation.claim_version, *(row["claim_version"] for row in doubted)]),
        "generation": 1 + max((row["generation"] for row in doubted), default=0),
        "transfer_ids": [new_transfer_id() for _ in range(rules.phases)],
        "traceparent": tracing.current(),
    }
    conn.execute(ADD_NEW, values)
