"""Sending again what a system has lost. Call `claims.note_amendment` first."""

from datetime import datetime

from chassis import tracing
from chassis.database import Connection
from legacy_gateway.domain import State, System, new_transfer_id

SEND_AGAIN = """
    -- The same id and the same bytes: the system has said that it does not hold them.
    UPDATE transfers
    SET state = 'WAITING', next_attempt_time = statement_timestamp(), legacy_ref = '', setbacks = 0, enquiry_setbacks = 0,
        batch = NULL, batch_line = NULL, updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND state = 'ACCEPTED'
"""

GIVE_UP = """
    -- A generation of which the system holds nothing any more, and a held change that the new one takes in.
    UPDATE transfers
    SET state = 'CANCELLED', next_attempt_time = NULL, may_wake_time = NULL, lease_token = NULL, lease_until = NULL,
        updated = %(now)s
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s
        AND ((generation = %(generation)s AND state IN ('ACCEPTED', 'WAITING')) OR state = 'HELD')
    RETURNING claim_version
"""

TO_CLERICAL = """
    -- A person looks: the system lost it, and it cannot simply go again.
    UPDATE transfers SET state = 'CLERICAL', updated = %(now)s WHERE transfer_id = %(transfer_id)s AND state = 'ACCEPTED'
"""

FROM_CLERICAL = """
    -- A person has seen to it.
    UPDATE transfers SET state = %(state)s, updated = %(now)s WHERE transfer_id = %(transfer_id)s AND state = 'CLERICAL'
"""

PHASES = """
    -- The transfers that the new generation replaces.
    SELECT phase, transfer_id, confirmed_time, office_code, assessor_id FROM transfers
    WHERE claim_ref = %s AND system = %s AND generation = %s ORDER BY phase
"""

ADD_ANEW = """
    -- The same phase of the claim as a new record, after all other generations.
    INSERT INTO transfers (
        transfer_id, replaces, claim_ref, claim_version, action, generation, system, phase, state, next_attempt_time,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    )
    SELECT %(transfer_id)s, %(replaces)s, %(claim_ref)s, %(claim_version)s, 'NEW', %(generation)s, %(system)s, %(phase)s,
        'WAITING', CASE WHEN %(phase)s = 1 THEN statement_timestamp() END,
        %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s, %(now)s, %(now)s
"""

NEXT_GENERATION = """
    SELECT max(generation) + 1 AS next FROM transfers WHERE claim_ref = %s AND system = %s
"""


def send_again(conn: Connection, transfer_id: str, *, now: datetime) -> None:
    """An accepted transfer waits to be sent once more, with the same id and bytes."""
    conn.execute(SEND_AGAIN, {"transfer_id": transfer_id, "now": now})


def to_clerical(conn: Connection, transfer_id: str, *, now: datetime) -> None:
    """A person looks at an accepted transfer that its system lost."""
    conn.execute(TO_CLERICAL, {"transfer_id": transfer_id, "now": now})


def from_clerical(conn: Connection, transfer_id: str, state: State, *, now: datetime) -> None:
    """A person has seen to a transfer that its system lost: it is accepted again, or cancelled."""
    conn.execute(FROM_CLERICAL, {"transfer_id": transfer_id, "state": state, "now": now})


def send_anew(conn: Connection, claim_ref: str, system: System, generation: int, *, now: datetime) -> None:
    """All phases of a generation that is lost go as new records under new ids, of the claim's newest version that waited."""
    key = {"claim_ref": claim_ref, "system": system, "now": now}
    given_up = conn.execute(GIVE_UP, {**key, "generation": generation}).fetchall()
    phases = conn.execute(PHASES, [claim_ref, system, generation]).fetchall()
    [row] = conn.execute(NEXT_GENERATION, [claim_ref, system])
    for phase in phases:
        values = {
            **key,
            **phase,
            "replaces": phase["transfer_id"],
            "transfer_id": new_transfer_id(),
            "claim_version": max(one["claim_version"] for one in given_up),
            "generation": row["next"],
            "traceparent": tracing.current(),
        }
        conn.execute(ADD_ANEW, values)
