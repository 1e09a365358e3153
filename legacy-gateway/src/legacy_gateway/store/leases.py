"""Leases of transfers, and the results that are stored under them.

Leases and due times are real time by the database's clock, which all replicas share. A result is stored only under the
lease by which the work was begun: a worker that lost its lease changes nothing.
"""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg

from chassis import clock
from chassis.database import Connection
from chassis.vault import ClaimCipher, Vault
from legacy_gateway.domain import AlreadyLeased, Leased, LeaseLost, Step, System, Transfer
from legacy_gateway.store.transfers import confirmation_of, messages_field, transfer_of

IN_ORDER_OF_THE_INDEX = """
    -- Of many that are due one is wanted, and the index has them in order. With statistics from before a burst the planner
    -- would read and sort them all; with a plan that it kept from an empty table it would do so for long.
    SET LOCAL enable_sort = off
"""

TAKE = """
    -- The transfer that is due for longest at a system, to send or to ask about; none of a claim that somebody works on.
    UPDATE transfers
    SET lease_token = %(token)s, lease_until = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE transfer_id = (
        SELECT transfer_id FROM transfers AS due
        WHERE system = %(system)s AND next_attempt_time <= statement_timestamp()
            AND NOT EXISTS (
                SELECT FROM systems
                WHERE systems.system = %(system)s
                    AND (opened_time IS NOT NULL OR (draining_since IS NOT NULL AND NOT %(let_go)s))
            )
            AND NOT EXISTS (SELECT FROM system_holds WHERE system_holds.system = %(system)s AND released_time IS NULL)
            AND (lease_until IS NULL OR lease_until < statement_timestamp())
            AND NOT EXISTS (
                SELECT 1 FROM transfers AS other
                WHERE other.claim_ref = due.claim_ref AND other.system = due.system
                    AND other.transfer_id <> due.transfer_id AND other.lease_token IS NOT NULL
            )
        ORDER BY next_attempt_time, created
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *,
        coalesce((
            SELECT first.legacy_ref FROM transfers AS first
            WHERE first.claim_ref = transfers.claim_ref AND first.system = transfers.system
                AND first.generation = transfers.generation AND first.phase = 1 AND transfers.phase > 1
        ), '') AS first_phase_reference,
        EXISTS (
            SELECT FROM kept_facts
            WHERE kept_facts.claim_ref = transfers.claim_ref AND kept_facts.claim_version = transfers.claim_version
        ) AS has_kept_facts
"""

CLOSED_SECONDS = """
    -- For how long the connection that carried a transfer is known to have been closed; nothing while it may be open.
    SELECT extract(epoch FROM statement_timestamp() - greatest(closed.since, %(steady_since)s))::float8 AS seconds
    FROM (
        SELECT CASE
            WHEN transfers.sender_id IS NULL THEN transfers.connection_closed_time
            ELSE (SELECT gone_time FROM senders WHERE senders.sender_id = transfers.sender_id)
        END AS since
        FROM transfers WHERE transfer_id = %(transfer_id)s
    ) AS closed
    WHERE closed.since IS NOT NULL
"""

BEGIN = """
    -- Bytes may leave from now on: the attempt counts, the first one's payload stays for all, and the process is named
    -- whose connection carries them. It must not be taken for gone, nor the claim be withdrawn.
    UPDATE transfers
    SET state = 'SENDING', attempts = attempts + 1, payload = coalesce(payload, %(payload)s), next_attempt_time = NULL,
        may_wake_time = NULL, lease_until = statement_timestamp() + make_interval(secs => %(seconds)s), updated = %(now)s,
        sender_id = %(sender_id)s, sender_token = lease_token
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND lease_until > statement_timestamp()
        AND state = 'WAITING'
        AND EXISTS (SELECT FROM senders WHERE senders.sender_id = %(sender_id)s AND gone_time IS NULL)
        AND NOT EXISTS (SELECT FROM withdrawals WHERE withdrawals.claim_ref = transfers.claim_ref)
    RETURNING EXISTS (
        SELECT FROM transfers AS other
        WHERE other.claim_ref = transfers.claim_ref AND other.claim_version = transfers.claim_version
            AND other.system <> transfers.system AND other.state = 'WAITING' AND other.payload IS NULL
    ) AS is_needed_elsewhere
"""

SETTLE = """
    -- The result of a step, under the lease by which it was made. A connection that is known to be closed was closed a
    -- little before now, so the wait from now is on the safe side; while it may be open its process stays named, even in a
    -- person's hands. An attempt of which nothing left is no attempt.
    UPDATE transfers
    SET state = %(state)s, lease_token = NULL, lease_until = NULL, updated = %(now)s,
        next_attempt_time = statement_timestamp() + make_interval(secs => %(wait)s::float8),
        may_wake_time = statement_timestamp() + make_interval(secs => %(wakes_after)s::float8), woken = false,
        attempts = attempts - %(nothing_left)s, setbacks = %(setbacks)s, enquiry_setbacks = %(enquiry_setbacks)s,
        defects = defects + %(defect)s, legacy_ref = %(legacy_ref)s, messages = %(messages)s,
        connection_closed_time =
            CASE WHEN %(state)s = 'UNKNOWN' THEN coalesce(connection_closed_time, statement_timestamp()) END,
        sender_id = CASE WHEN %(state)s IN ('UNKNOWN', 'CLERICAL') AND NOT %(closed)s THEN sender_id END,
        sender_token = CASE WHEN %(state)s IN ('UNKNOWN', 'CLERICAL') AND NOT %(closed)s THEN sender_token END,
        event_reason = CASE WHEN state <> %(state)s THEN nullif(%(reason)s, 'NONE') END
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND state = %(before)s
    RETURNING confirmed_time
"""

MAKE_READY = """
    -- Its record is made: it waits for the next file.
    UPDATE transfers
    SET payload = coalesce(payload, %(payload)s), lease_token = NULL, lease_until = NULL, next_attempt_time = NULL,
        may_wake_time = NULL, setbacks = 0, updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND state = 'WAITING'
    RETURNING EXISTS (
        SELECT FROM transfers AS other
        WHERE other.claim_ref = transfers.claim_ref AND other.claim_version = transfers.claim_version
            AND other.system <> transfers.system AND other.state = 'WAITING' AND other.payload IS NULL
    ) AS is_needed_elsewhere
"""

LEAVE_TO_FILE = """
    -- Unknown records of a file are asked about with the whole file.
    UPDATE transfers SET lease_token = NULL, lease_until = NULL, next_attempt_time = NULL
    WHERE transfer_id = %(transfer_id)s AND lease_token = %(token)s AND state = 'UNKNOWN' AND batch IS NOT NULL
"""

RELEASE_NEXT_PHASE = """
    -- The next phase is due once the one before it is accepted; where a change is held, its turn decides about that.
    UPDATE transfers SET next_attempt_time = statement_timestamp(), updated = %(now)s
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND generation = %(generation)s AND phase = %(phase)s + 1
        AND state = 'WAITING' AND NOT EXISTS (
            SELECT FROM transfers AS held
            WHERE held.claim_ref = %(claim_ref)s AND held.system = %(system)s AND held.state = 'HELD'
        )
"""

WAKE = """
    -- The oldest transfers that were put off because their system did not answer are due now, because it does. None where
    -- enough are due: they keep the senders busy, and would all be read before one that is not.
    UPDATE transfers SET next_attempt_time = statement_timestamp(), may_wake_time = NULL, woken = true
    WHERE transfer_id IN (
        SELECT transfer_id FROM transfers
        WHERE system = %(system)s AND may_wake_time <= statement_timestamp()
            AND next_attempt_time > statement_timestamp() AND lease_token IS NULL
            AND %(enough)s > (
                SELECT count(*) FROM (
                    SELECT 1 FROM transfers AS due
                    WHERE due.next_attempt_time <= statement_timestamp() AND due.system = %(system)s LIMIT %(enough)s
                ) AS found
            )
        ORDER BY created
        LIMIT %(count)s
        FOR UPDATE SKIP LOCKED
    )
"""

EXPIRED = """
    -- Transfers whose sender did not come back within its lease; none while a jump of the clock may have ended the lease.
    SELECT * FROM transfers
    WHERE state = 'SENDING' AND lease_until < statement_timestamp()
        AND statement_timestamp() >= %(steady_since)s + make_interval(secs => %(seconds)s)
    ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED
"""

_WOKEN_BY_ONE_ANSWER = 2
"""Each of them wakes as many when it is answered, so the rate rises by itself, and stops rising where the system fails."""
_ENOUGH_DUE = 20
_ONE_LEASE = "transfers_one_lease"


def take(conn: Connection, system: System, *, seconds: float, let_go: bool = False) -> Leased | None:
    """The transfer that is due for longest at a system; None where none is due.

    It is for this worker alone until `seconds` have passed. None too while the system is held or its breaker is open; and,
    unless it was let go, while what waited drains.
    Raises AlreadyLeased where another worker took another transfer of the claim at the same moment.
    """
    token = uuid.uuid4()
    values = {"system": system, "let_go": let_go, "token": token, "seconds": seconds}
    try:
        with conn.pipeline():
            conn.execute(IN_ORDER_OF_THE_INDEX)
            row = conn.execute(TAKE, values).fetchone()
    except psycopg.errors.UniqueViolation as violation:
        if violation.diag.constraint_name != _ONE_LEASE:
            raise
        raise AlreadyLeased("ALREADY_LEASED", "another transfer of the claim was leased just now") from violation
    if row is None:
        return None
    return Leased(
        transfer=transfer_of(row),
        token=token,
        confirmation=confirmation_of(row["claim_ref"], row),
        sealed_payload=row["payload"],
        first_phase_reference=row["first_phase_reference"],
        has_kept_facts=row["has_kept_facts"],
        traceparent=row["traceparent"],
    )


def closed_seconds(conn: Connection, transfer: Transfer, *, steady_since: datetime) -> float | None:
    """For how long the connection that carried a transfer is known to have been closed; None while it may be open.

    A wait counts only from `steady_since`, the time from which the database's clock is known to have run without a jump.
    """
    values = {"transfer_id": transfer.transfer_id, "steady_since": steady_since}
    row = conn.execute(CLOSED_SECONDS, values).fetchone()
    return None if row is None else float(row["seconds"])


def begin(
    conn: Connection, leased: Leased, cipher: ClaimCipher, payload: bytes, *, seconds: float, sender_id: int
) -> bool:
    """WAITING becomes SENDING, leased anew; the payload stays what it was at the first attempt. Raises LeaseLost.

    Says whether a record of the claim's version is to be made for another system as well.

    `sender_id` names the process whose connection will carry the record.
    """
    transfer = leased.transfer
    sealed = cipher.seal_bytes(payload, field=_payload_field(transfer), version=transfer.claim_version)
    values = {
        "transfer_id": transfer.transfer_id,
        "token": leased.token,
        "payload": sealed,
        "seconds": seconds,
        "sender_id": sender_id,
        "now": clock.now(),
    }
    row = conn.execute(BEGIN, values).fetchone()
    if row is None:
        raise LeaseLost(transfer)
    return bool(row["is_needed_elsewhere"])


def make_ready(conn: Connection, leased: Leased, cipher: ClaimCipher, payload: bytes) -> bool:
    """Keeps the record of a transfer that goes in a file, and gives the lease back. Raises LeaseLost.

    Says whether a record of the claim's version is to be made for another system as well.
    """
    transfer = leased.transfer
    sealed = cipher.seal_bytes(payload, field=_payload_field(transfer), version=transfer.claim_version)
    values = {
        "transfer_id": transfer.transfer_id,
        "token": leased.token,
        "payload": sealed,
        "now": clock.now(),
    }
    row = conn.execute(MAKE_READY, values).fetchone()
    if row is None:
        raise LeaseLost(transfer)
    return bool(row["is_needed_elsewhere"])


def leave_to_file(conn: Connection, leased: Leased) -> bool:
    """Gives the lease of an unknown transfer back, if its file is to be asked about; False where it is in none."""
    values = {"transfer_id": leased.transfer.transfer_id, "token": leased.token}
    return conn.execute(LEAVE_TO_FILE, values).rowcount == 1


def open_payload(transfer: Transfer, sealed: bytes, cipher: ClaimCipher) -> bytes:
    """The bytes of the first attempt."""
    return cipher.open_bytes(sealed, field=_payload_field(transfer), version=transfer.claim_version)


def settle(
    conn: Connection, vault: Vault, transfer: Transfer, *, token: uuid.UUID, step: Step, reason: str = ""
) -> datetime:
    """Stores a step and gives the lease back. Raises LeaseLost where the transfer went on without its holder.

    Gives the time at which the claim was confirmed. `reason` is of a closed list, for the transfer's history.
    """
    values = {
        "transfer_id": transfer.transfer_id,
        "token": token,
        "before": transfer.state,
        "state": step.state,
        "closed": step.is_closed,
        "wait": step.wait_seconds,
        "wakes_after": step.wakes_after,
        "nothing_left": int(step.nothing_left),
        "setbacks": step.setbacks,
        "enquiry_setbacks": step.enquiry_setbacks,
        "defect": int(step.is_defect),
        "legacy_ref": step.legacy_ref,
        "reason": reason,
        "messages": sealed_messages(conn, vault, transfer, step) if step.messages else None,
        "now": clock.now(),
    }
    row = conn.execute(SETTLE, values).fetchone()
    if row is None:
        raise LeaseLost(transfer)
    confirmed_time: datetime = row["confirmed_time"]
    return confirmed_time


def sealed_messages(conn: Connection, vault: Vault, transfer: Transfer, step: Step) -> bytes:
    """The messages of a step, sealed for its transfer."""
    messages = [asdict(message) for message in step.messages]
    cipher = vault.cipher(conn, transfer.claim_ref)
    return cipher.seal(messages, field=messages_field(transfer), version=transfer.claim_version)


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


def wake(conn: Connection, system: System) -> None:
    """Makes the two oldest transfers due that wait because this system did not answer, unless many are due already."""
    conn.execute(WAKE, {"system": system, "count": _WOKEN_BY_ONE_ANSWER, "enough": _ENOUGH_DUE})


def expired(conn: Connection, *, seconds: float, steady_since: datetime) -> list[tuple[Transfer, uuid.UUID]]:
    """Transfers whose sender did not come back, with the lease that it had; locked for this transaction.

    A lease lasts `seconds`, of which none counts before `steady_since`.
    """
    rows = conn.execute(EXPIRED, {"seconds": seconds, "steady_since": steady_since}).fetchall()
    return [(transfer_of(row), row["lease_token"]) for row in rows]


def _payload_field(transfer: Transfer) -> str:
    return f"payload {transfer.transfer_id}"
