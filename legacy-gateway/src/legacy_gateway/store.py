"""All SQL of the transfer ledger. Leases and due times are real time by the database's clock, which all replicas share.

A result is stored only under the lease by which the work was begun: whoever lost the lease changes nothing.
"""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from chassis import clock, tracing
from chassis.database import Connection, Row
from chassis.errors import FailedPrecondition, Unavailable
from chassis.vault import ClaimCipher
from legacy_gateway.domain import LAST_PHASE, Action, Message, State, Step, System, Transfer, Waits, new_transfer_id

NOTE_AMENDMENT = """
    -- The newest amendment heard of; locks the claim's row until the end of the transaction.
    INSERT INTO amendments (claim_ref, version) VALUES (%(claim_ref)s, %(version)s)
    ON CONFLICT (claim_ref) DO UPDATE SET version = greatest(amendments.version, excluded.version)
    RETURNING version
"""

ADD_NEW = """
    -- A phase of a new claim, unless the claim has it already for this system.
    INSERT INTO transfers (
        transfer_id, claim_ref, claim_version, action, generation, system, phase, state, next_attempt_time,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    ) VALUES (
        %(transfer_id)s, %(claim_ref)s, %(claim_version)s, 'NEW', 1, %(system)s, %(phase)s, 'WAITING',
        CASE WHEN %(phase)s = 1 THEN clock_timestamp() END,
        %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s, %(now)s, %(now)s
    )
    ON CONFLICT DO NOTHING
"""

NEWEST = """
    -- Each system's and phase's newest transfer of a claim.
    SELECT DISTINCT ON (system, phase)
        transfer_id, claim_version, generation, system, phase, state, action, confirmed_time, office_code, assessor_id
    FROM transfers WHERE claim_ref = %(claim_ref)s
    ORDER BY system, phase, generation DESC
"""

ADD_CHANGE = """
    -- A held change that takes the place of the newest transfer of its phase.
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

LEASE = """
    -- The transfer that is due for longest, to send or to ask about; none of a claim and system that somebody works on.
    UPDATE transfers
    SET lease_token = %(token)s, lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE transfer_id = (
        SELECT transfer_id FROM transfers AS due
        WHERE next_attempt_time <= clock_timestamp() AND (lease_until IS NULL OR lease_until < clock_timestamp())
            AND NOT EXISTS (
                SELECT 1 FROM transfers AS other
                WHERE other.claim_ref = due.claim_ref AND other.system = due.system
                    AND other.transfer_id <> due.transfer_id AND other.lease_token IS NOT NULL
            )
        ORDER BY next_attempt_time
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *,
        clock_timestamp() >= greatest(connection_closed_time, %(even_since)s) + make_interval(secs => %(final)s)
            AS asks_finally,
        coalesce((
            SELECT first.legacy_ref FROM transfers AS first
            WHERE first.claim_ref = transfers.claim_ref AND first.system = transfers.system
                AND first.generation = transfers.generation AND first.phase = 1 AND transfers.phase > 1
        ), '') AS first_phase_reference
"""

BEGIN = """
    -- Bytes may go out from now on: the attempt, and at the first one the payload for all of them.
    UPDATE transfers
    SET state = 'SENDING', attempts = attempts + 1, payload = coalesce(payload, %(payload)s), next_attempt_time = NULL,
        lease_until = clock_timestamp() + make_interval(secs => %(seconds)s), updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND lease_until > clock_timestamp()
        AND state = 'WAITING'
"""

SETTLE = """
    -- What a step brought, under the lease by which it was made. A connection that may have carried the record was
    -- closed a little before now, so the wait from now is on the safe side.
    UPDATE transfers
    SET state = %(state)s, lease_token = NULL, lease_until = NULL, updated = %(now)s,
        next_attempt_time = clock_timestamp() + make_interval(secs => %(wait)s::float8),
        setbacks = setbacks + %(setback)s,
        legacy_ref = %(legacy_ref)s, messages = %(messages)s,
        connection_closed_time =
            CASE WHEN %(state)s = 'UNKNOWN' THEN coalesce(connection_closed_time, clock_timestamp()) END
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND state = %(before)s
"""

RELEASE_NEXT_PHASE = """
    -- The next phase is due once the one before it is accepted.
    UPDATE transfers SET next_attempt_time = clock_timestamp(), updated = %(now)s
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND generation = %(generation)s AND phase = %(phase)s + 1
        AND state = 'WAITING'
"""

EXPIRED = """
    -- Transfers whose sender did not come back within its lease; none while a lease may have ended by a step of the clock.
    SELECT * FROM transfers
    WHERE state = 'SENDING' AND lease_until < clock_timestamp()
        AND clock_timestamp() >= %(even_since)s + make_interval(secs => %(seconds)s)
    ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED
"""

DATABASE_TIME = """
    -- The clock by which leases and waits are measured.
    SELECT clock_timestamp() AS now
"""

OF_CLAIM = """
    -- All transfers of a claim, oldest first.
    SELECT * FROM transfers WHERE claim_ref = %s ORDER BY system, generation, phase
"""

COUNT_BY_STATE = """
    -- How many transfers each system has in each state.
    SELECT system, state, count(*) AS count FROM transfers GROUP BY system, state
"""

OLDEST_UNDER_WAY = """
    -- Since when each system's oldest transfer is on its way: a later phase whose turn has not come is not.
    SELECT system, min(created) AS oldest FROM transfers
    WHERE state IN ('SENDING', 'UNKNOWN') OR (state = 'WAITING' AND next_attempt_time IS NOT NULL)
    GROUP BY system
"""

_ONE_LEASE = "transfers_one_lease"


class LeaseLost(FailedPrecondition):
    """The lease ran out and the transfer went on without its holder; what the holder learned is not stored."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__(
            "LEASE_LOST",
            f"transfer {transfer.transfer_id} is no longer leased by this worker",
            metadata={"transfer_id": transfer.transfer_id, "claim_ref": transfer.claim_ref},
        )


class AlreadyLeased(Unavailable):
    """Another worker has a transfer of the same claim and system."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What an assessor confirmed of a claim. `confirmed_time` is of the platform's clock."""

    claim_ref: str
    claim_version: int
    confirmed_time: datetime
    office_code: str
    assessor_id: str


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A transfer that one worker has to itself, with what it needs to go on with it.

    `asks_finally`: an enquiry that is made from now on is late enough for an `N` to be final.
    """

    transfer: Transfer
    token: uuid.UUID
    confirmation: Confirmation
    sealed_payload: bytes | None
    asks_finally: bool
    first_phase_reference: str
    traceparent: str


@dataclass(frozen=True, kw_only=True)
class Held:
    """The newest transfer of a system's phase, which a change would take the place of."""

    transfer_id: str
    system: System
    phase: int
    generation: int
    claim_version: int
    is_open_change: bool
    confirmation: Confirmation


def note_amendment(conn: Connection, claim_ref: str, *, version: int) -> int:
    """Remembers an amendment (version 0: none) and gives the newest; events of one claim wait for each other here."""
    row = conn.execute(NOTE_AMENDMENT, {"claim_ref": claim_ref, "version": version}).fetchone()
    return int(row["version"]) if row else 0


def add_new(conn: Connection, confirmation: Confirmation, system: System) -> None:
    """The phases of a new claim; what is there already stays as it is."""
    for phase in range(1, LAST_PHASE[system] + 1):
        conn.execute(
            ADD_NEW,
            {
                **asdict(confirmation),
                "transfer_id": new_transfer_id(),
                "system": system,
                "phase": phase,
                "traceparent": tracing.current(),
                "now": clock.now(),
            },
        )


def newest(conn: Connection, claim_ref: str) -> list[Held]:
    """Each system's and phase's newest transfer of a claim."""
    return [_held(claim_ref, row) for row in conn.execute(NEWEST, {"claim_ref": claim_ref}).fetchall()]


def add_change(conn: Connection, held: Held, *, claim_version: int) -> None:
    """A held change in the place of `held`."""
    values = asdict(held.confirmation) | {
        "transfer_id": new_transfer_id(),
        "replaces": held.transfer_id,
        "claim_version": claim_version,
        "generation": held.generation + 1,
        "system": held.system,
        "phase": held.phase,
        "traceparent": tracing.current(),
        "now": clock.now(),
    }
    conn.execute(ADD_CHANGE, values)


def move_change_on(conn: Connection, held: Held, *, claim_version: int) -> None:
    """Lets an open change carry a newer version of the claim."""
    conn.execute(MOVE_CHANGE_ON, {"transfer_id": held.transfer_id, "claim_version": claim_version, "now": clock.now()})


def database_time(conn: Connection) -> datetime:
    """What the database's clock shows now."""
    [row] = conn.execute(DATABASE_TIME)
    now: datetime = row["now"]
    return now


def lease(conn: Connection, *, seconds: float, waits: Waits, even_since: datetime) -> Leased | None:
    """The transfer that is due for longest, for this worker alone until `seconds` have passed; None where none is due.

    A wait counts only from `even_since`, the time from which the database's clock is known to have run evenly.
    Raises AlreadyLeased where another worker took another transfer of the claim at the same moment.
    """
    token = uuid.uuid4()
    values = {"token": token, "seconds": seconds, "final": waits.final_after_closing, "even_since": even_since}
    try:
        row = conn.execute(LEASE, values).fetchone()
    except psycopg.errors.UniqueViolation as violation:
        if violation.diag.constraint_name != _ONE_LEASE:
            raise
        raise AlreadyLeased("ALREADY_LEASED", "another transfer of the claim was leased just now") from violation
    if row is None:
        return None
    return Leased(
        transfer=transfer_of(row),
        token=token,
        confirmation=_confirmation(row["claim_ref"], row),
        sealed_payload=row["payload"],
        asks_finally=row["asks_finally"],
        first_phase_reference=row["first_phase_reference"],
        traceparent=row["traceparent"],
    )


def begin(conn: Connection, leased: Leased, cipher: ClaimCipher, payload: bytes, *, seconds: float) -> None:
    """WAITING becomes SENDING, leased anew; the payload stays what it was at the first attempt. Raises LeaseLost."""
    transfer = leased.transfer
    sealed = cipher.seal_bytes(payload, field=_payload_field(transfer), version=transfer.claim_version)
    values = {
        "transfer_id": transfer.transfer_id,
        "token": leased.token,
        "payload": sealed,
        "seconds": seconds,
        "now": clock.now(),
    }
    if conn.execute(BEGIN, values).rowcount != 1:
        raise LeaseLost(transfer)


def open_payload(transfer: Transfer, sealed: bytes, cipher: ClaimCipher) -> bytes:
    """The bytes of the first attempt."""
    return cipher.open_bytes(sealed, field=_payload_field(transfer), version=transfer.claim_version)


def settle(conn: Connection, transfer: Transfer, token: uuid.UUID, step: Step, cipher: ClaimCipher) -> None:
    """Stores a step and gives the lease back. Raises LeaseLost where the transfer went on without its holder."""
    messages = [asdict(message) for message in step.messages]
    values = {
        "transfer_id": transfer.transfer_id,
        "token": token,
        "before": transfer.state,
        "state": step.state,
        "wait": step.wait_seconds,
        "setback": int(step.put_off),
        "legacy_ref": step.legacy_ref,
        "messages": cipher.seal(messages, field=_messages_field(transfer), version=transfer.claim_version)
        if messages
        else None,
        "now": clock.now(),
    }
    if conn.execute(SETTLE, values).rowcount != 1:
        raise LeaseLost(transfer)


def release_next_phase(conn: Connection, transfer: Transfer) -> None:
    """Makes the phase after this one due now."""
    values: dict[str, Any] = {
        "claim_ref": transfer.claim_ref,
        "system": transfer.system,
        "generation": transfer.generation,
        "phase": transfer.phase,
        "now": clock.now(),
    }
    conn.execute(RELEASE_NEXT_PHASE, values)


def expired(conn: Connection, *, seconds: float, even_since: datetime) -> list[tuple[Transfer, uuid.UUID]]:
    """Transfers whose sender did not come back, with the lease that it had; locked for this transaction.

    A lease lasts `seconds`, of which none counts before `even_since`.
    """
    rows = conn.execute(EXPIRED, {"seconds": seconds, "even_since": even_since}).fetchall()
    return [(transfer_of(row), row["lease_token"]) for row in rows]


def of_claim(conn: Connection, claim_ref: str) -> list[Row]:
    """All transfers of a claim, whole, by system, generation and phase."""
    return conn.execute(OF_CLAIM, [claim_ref]).fetchall()


def count_by_state(conn: Connection) -> list[Row]:
    """Rows of system, state and count."""
    return conn.execute(COUNT_BY_STATE).fetchall()


def oldest_under_way(conn: Connection) -> dict[str, datetime]:
    """By system, when its oldest transfer that is to be sent, being sent or unknown was made."""
    return {row["system"]: row["oldest"] for row in conn.execute(OLDEST_UNDER_WAY).fetchall()}


def open_messages(row: Row, cipher: ClaimCipher) -> list[Message]:
    """What the system said about a transfer."""
    if row["messages"] is None:
        return []
    field = _messages_field(transfer_of(row))
    return [Message(**message) for message in cipher.open(row["messages"], field=field, version=row["claim_version"])]


def transfer_of(row: Row) -> Transfer:
    """The transfer of a row."""
    return Transfer(
        transfer_id=row["transfer_id"],
        claim_ref=row["claim_ref"],
        claim_version=row["claim_version"],
        action=Action(row["action"]),
        generation=row["generation"],
        system=System(row["system"]),
        phase=row["phase"],
        state=State(row["state"]),
        setbacks=row["setbacks"],
    )


def _held(claim_ref: str, row: Row) -> Held:
    return Held(
        transfer_id=row["transfer_id"],
        system=System(row["system"]),
        phase=row["phase"],
        generation=row["generation"],
        claim_version=row["claim_version"],
        is_open_change=row["action"] == Action.CHANGE and row["state"] == State.HELD,
        confirmation=_confirmation(claim_ref, row),
    )


def _confirmation(claim_ref: str, row: Row) -> Confirmation:
    return Confirmation(
        claim_ref=claim_ref,
        claim_version=row["claim_version"],
        confirmed_time=row["confirmed_time"],
        office_code=row["office_code"],
        assessor_id=row["assessor_id"],
    )


def _payload_field(transfer: Transfer) -> str:
    return f"payload {transfer.transfer_id}"


def _messages_field(transfer: Transfer) -> str:
    return f"messages {transfer.transfer_id}"
