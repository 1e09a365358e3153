"""Files of records, and the transfers in them. Whoever changes a file holds the turn: call `must_hold_turn` first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import clock
from chassis.database import Connection, Row
from chassis.errors import Unavailable
from chassis.vault import ClaimCipher, Vault
from legacy_gateway.domain import LeaseLost, Step, System, Transfer
from legacy_gateway.domain.batches import Batch, BatchState, BatchStep, MissingLines, Version, sequence_after
from legacy_gateway.store.leases import open_payload, sealed_messages
from legacy_gateway.store.transfers import transfer_of

ADD_TURN = """
    -- A system's turns begin with its first file.
    INSERT INTO batch_turns (system) VALUES (%s) ON CONFLICT DO NOTHING
"""

TAKE_TURN = """
    -- The turn at a system's files for one process: its own still, or that of nobody, of one that is gone, or run out.
    UPDATE batch_turns
    SET sender_id = %(sender_id)s, turn_until = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE system = %(system)s AND (
        sender_id IS NULL OR sender_id = %(sender_id)s OR turn_until < statement_timestamp()
        OR EXISTS (SELECT FROM senders WHERE senders.sender_id = batch_turns.sender_id AND gone_time IS NOT NULL)
    )
"""

LOCK_TURN = """
    -- The turn, kept until the end of the transaction.
    SELECT last_number, last_sequence FROM batch_turns
    WHERE system = %(system)s AND sender_id = %(sender_id)s
    FOR UPDATE
"""

NOTE_NUMBERS = """
    -- The numbers of the file that is made now.
    UPDATE batch_turns SET last_number = %(number)s, last_sequence = %(sequence)s WHERE system = %(system)s
"""

OPEN = """
    -- The file that holds up the next one, and whether something is to be done about it.
    SELECT system, number, sequence, state, details, setbacks, refusals, taken, fault, refused_changed, refused_size,
        statement_timestamp() - last_sent_time AS since_sent, next_attempt_time <= statement_timestamp() AS is_due
    FROM batches WHERE system = %s AND state <> 'ANSWERED'
"""

CONTENT = """
    -- The sealed bytes of a file.
    SELECT content FROM batches WHERE system = %s AND number = %s
"""

FOR_NEXT = """
    -- The oldest records that wait for a file, with their claims' keys; none of a withdrawn claim.
    SELECT transfers.*, key_id, wrapped FROM transfers JOIN data_keys USING (claim_ref)
    WHERE system = %(system)s AND state = 'WAITING' AND next_attempt_time IS NULL AND payload IS NOT NULL
        AND NOT EXISTS (SELECT FROM withdrawals WHERE withdrawals.claim_ref = transfers.claim_ref)
    ORDER BY created, transfer_id LIMIT %(most)s FOR UPDATE OF transfers SKIP LOCKED
"""

ADD = """
    -- A file, before any byte of it leaves.
    INSERT INTO batches (system, number, sequence, state, details, content, next_attempt_time, created, updated)
    VALUES (%(system)s, %(number)s, %(sequence)s, 'BUILT', %(details)s, %(content)s, statement_timestamp(), %(now)s, %(now)s)
"""

PUT_IN = """
    -- The transfers of a file, in its order: from now on they may be at the system.
    UPDATE transfers
    SET state = 'SENDING', attempts = attempts + 1, batch = %(number)s, batch_line = put.line, updated = %(now)s
    FROM unnest(%(transfer_ids)s::text[]) WITH ORDINALITY AS put (transfer_id, line)
    WHERE transfers.transfer_id = put.transfer_id AND transfers.system = %(system)s AND state = 'WAITING'
"""

PUT_OFF = """
    -- A record that our own code could not put in a file: a sender looks at it again.
    UPDATE transfers
    SET state = %(state)s, defects = defects + 1, updated = %(now)s,
        next_attempt_time = statement_timestamp() + make_interval(secs => %(wait)s::float8)
    WHERE transfer_id = %(transfer_id)s AND state = 'WAITING'
"""

LINES = """
    -- The transfers of a file, with their claims' keys, in its order.
    SELECT transfers.*, key_id, wrapped FROM transfers JOIN data_keys USING (claim_ref)
    WHERE system = %s AND batch = %s ORDER BY batch_line
"""

IDS = """
    -- The transfers in a file.
    SELECT transfer_id FROM transfers WHERE system = %s AND batch = %s
"""

UNSETTLED = """
    -- Transfers of a file whose line is not settled yet.
    SELECT * FROM transfers WHERE system = %(system)s AND batch = %(number)s AND state = 'SENDING'
    ORDER BY batch_line LIMIT %(most)s
"""

STEP = """
    -- The result of a step. The first sending is kept, because from then on the system may have dated it.
    UPDATE batches
    SET state = %(state)s, setbacks = %(setbacks)s, refusals = %(refusals)s, taken = %(taken)s, fault = %(fault)s,
        fault_since = CASE WHEN %(fault)s <> '' THEN coalesce(fault_since, %(now)s) END,
        refused_changed = %(refused_changed)s, refused_size = %(refused_size)s,
        next_attempt_time = statement_timestamp() + make_interval(secs => %(wait)s::float8), updated = %(now)s,
        content = CASE WHEN %(state)s = 'ANSWERED' THEN NULL ELSE coalesce(%(content)s, content) END
    WHERE system = %(system)s AND number = %(number)s AND state = %(before)s
"""

NOTE_SENDING = """
    -- The file goes out now.
    UPDATE batches SET sent_time = coalesce(sent_time, %(now)s), last_sent_time = statement_timestamp()
    WHERE system = %(system)s AND number = %(number)s
"""

NOTE_ANSWER = """
    -- When the answer was read first.
    UPDATE batches SET answered_time = coalesce(answered_time, %(now)s)
    WHERE system = %(system)s AND number = %(number)s
"""

NOTE_LIST = """
    -- The version of a daily list that was read first after the answer.
    UPDATE batches SET list_seen = coalesce(list_seen, %(changed)s) WHERE system = %(system)s AND number = %(number)s
"""

SETTLE_LINE = """
    -- The outcome of a transfer in a file. One that is not held goes with the next file.
    UPDATE transfers
    SET state = %(state)s, updated = %(now)s, setbacks = %(setbacks)s, enquiry_setbacks = %(enquiry_setbacks)s,
        defects = defects + %(defect)s, legacy_ref = %(legacy_ref)s, messages = %(messages)s,
        connection_closed_time =
            CASE WHEN %(state)s = 'UNKNOWN' THEN coalesce(connection_closed_time, statement_timestamp()) END,
        event_reason = nullif(%(reason)s, 'NONE'),
        batch = CASE WHEN %(state)s <> 'WAITING' THEN batch END,
        batch_line = CASE WHEN %(state)s <> 'WAITING' THEN batch_line END
    WHERE transfer_id = %(transfer_id)s AND state = %(before)s AND batch = %(number)s
"""

MISSING = """
    -- The answered files of which something is still unknown, the oldest first.
    SELECT number, coalesce(sent_time, created) AS sent_time, answered_time, list_seen,
        ARRAY(
            SELECT transfer_id FROM transfers
            WHERE transfers.system = batches.system AND batch = number AND transfers.state = 'UNKNOWN'
        ) AS missing,
        ARRAY(
            SELECT transfer_id FROM transfers
            WHERE transfers.system = batches.system AND batch = number AND transfers.state = 'ACCEPTED'
        ) AS held
    FROM batches
    WHERE system = %(system)s AND answered_time IS NOT NULL AND number IN (
        SELECT DISTINCT batch FROM transfers
        WHERE transfers.system = %(system)s AND transfers.state = 'UNKNOWN' AND batch IS NOT NULL
    )
    ORDER BY number LIMIT 20
"""

UNKNOWN = """
    -- Transfers of a file that are unknown.
    SELECT * FROM transfers
    WHERE system = %(system)s AND batch = %(number)s AND state = 'UNKNOWN' AND transfer_id = ANY(%(transfer_ids)s)
"""

COUNT_BY_STATE = """
    -- The files that are not answered, by state.
    SELECT system, state, count(*) AS count, min(created) AS oldest FROM batches WHERE state <> 'ANSWERED'
    GROUP BY system, state
"""


class TurnLost(Unavailable):
    """Another process works on the system's files by now: what this one learned is not stored."""

    def __init__(self, system: System) -> None:
        super().__init__("TURN_LOST", f"another process works on the files of {system}", metadata={"system": system})


@dataclass(frozen=True, kw_only=True)
class OpenBatch:
    """The batch that holds up the next one, and whether something is to be done about it now."""

    batch: Batch
    is_due: bool


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    """A transfer in a batch. `confirmed_time` is on the platform's clock."""

    transfer: Transfer
    number: int
    confirmed_time: datetime


@dataclass(frozen=True, kw_only=True)
class SealedRecord:
    """A transfer with its sealed record and its claim's cipher."""

    transfer: Transfer
    sealed: bytes
    cipher: ClaimCipher

    def open(self) -> bytes:
        """The record. Raises cryptography.exceptions.InvalidTag if it was sealed for another place."""
        return open_payload(self.transfer, self.sealed, self.cipher)


def take_turn(conn: Connection, system: System, *, sender_id: int, seconds: float) -> bool:
    """Takes the turn at a system's files, or keeps it; False where another process has it."""
    values = {"system": system, "sender_id": sender_id, "seconds": seconds}
    if conn.execute(TAKE_TURN, values).rowcount == 1:
        return True
    return conn.execute(ADD_TURN, [system]).rowcount == 1 and conn.execute(TAKE_TURN, values).rowcount == 1


def must_hold_turn(conn: Connection, system: System, *, sender_id: int) -> tuple[int, int]:
    """The last number and sequence that were given; keeps the turn for this transaction. Raises TurnLost."""
    row = conn.execute(LOCK_TURN, {"system": system, "sender_id": sender_id}).fetchone()
    if row is None:
        raise TurnLost(system)
    return row["last_number"], row["last_sequence"]


def find_open(conn: Connection, system: System) -> OpenBatch | None:
    """The batch that holds up the next one."""
    row = conn.execute(OPEN, [system]).fetchone()
    return OpenBatch(batch=_batch(row), is_due=row["is_due"]) if row else None


def records_for_next(conn: Connection, vault: Vault, system: System, *, most: int) -> list[SealedRecord]:
    """The oldest records that wait for a file, locked for this transaction."""
    rows = conn.execute(FOR_NEXT, {"system": system, "most": most}).fetchall()
    return [_sealed_record(vault, row) for row in rows]


def next_numbers(last_number: int, last_sequence: int) -> tuple[int, int]:
    """The number and sequence of the next file."""
    return last_number + 1, sequence_after(last_sequence)


def add(
    conn: Connection,
    vault: Vault,
    system: System,
    *,
    number: int,
    sequence: int,
    content: bytes,
    transfer_ids: list[str],
) -> None:
    """A new batch of these transfers, in the order of its lines. ValueError where one of them waits no more."""
    values = {"system": system, "number": number, "sequence": sequence, "now": clock.now()}
    sealed = _cipher(conn, vault, system, number).seal_bytes(content, field=_CONTENT, version=1)
    conn.execute(ADD, values | {"details": len(transfer_ids), "content": sealed})
    conn.execute(NOTE_NUMBERS, values)
    if conn.execute(PUT_IN, values | {"transfer_ids": transfer_ids}).rowcount != len(transfer_ids):
        raise ValueError("a transfer of the batch waits no more")


def put_off(conn: Connection, transfer: Transfer, step: Step) -> None:
    """Puts a record off that cannot go in a file, or leaves it to a person."""
    values = {"transfer_id": transfer.transfer_id, "state": step.state, "wait": step.wait_seconds, "now": clock.now()}
    conn.execute(PUT_OFF, values)


def content_of(conn: Connection, vault: Vault, batch: Batch) -> bytes:
    """The bytes of an open batch."""
    row = conn.execute(CONTENT, [batch.system, batch.number]).fetchone()
    if row is None or row["content"] is None:
        raise ValueError("the batch has no bytes any more")
    return _cipher(conn, vault, batch.system, batch.number).open_bytes(row["content"], field=_CONTENT, version=1)


def records_of(conn: Connection, vault: Vault, batch: Batch) -> list[SealedRecord]:
    """The records of a batch, in the order of its lines."""
    return [_sealed_record(vault, row) for row in conn.execute(LINES, [batch.system, batch.number]).fetchall()]


def transfer_ids_of(conn: Connection, batch: Batch) -> set[str]:
    """The transfers of a batch."""
    return {row["transfer_id"] for row in conn.execute(IDS, [batch.system, batch.number])}


def unsettled(conn: Connection, batch: Batch, *, most: int) -> list[BatchLine]:
    """Transfers of the batch whose line is not settled."""
    values = {"system": batch.system, "number": batch.number, "most": most}
    return [_line(row) for row in conn.execute(UNSETTLED, values).fetchall()]


def unknown(conn: Connection, lines: MissingLines, transfer_ids: Collection[str]) -> list[BatchLine]:
    """Those of these transfers that are unknown still."""
    values = {"system": lines.system, "number": lines.number, "transfer_ids": list(transfer_ids)}
    return [_line(row) for row in conn.execute(UNKNOWN, values).fetchall()]


def settle_line(conn: Connection, vault: Vault, line: BatchLine, step: Step, *, reason: str) -> None:
    """Stores what became of a transfer in a file; `reason` is for its history. Raises LeaseLost where it went on meanwhile."""
    transfer = line.transfer
    values = {
        "transfer_id": transfer.transfer_id,
        "number": line.number,
        "before": transfer.state,
        "state": step.state,
        "setbacks": step.setbacks,
        "enquiry_setbacks": step.enquiry_setbacks,
        "defect": int(step.is_defect),
        "legacy_ref": step.legacy_ref,
        "reason": reason,
        "messages": sealed_messages(conn, vault, transfer, step) if step.messages else None,
        "now": clock.now(),
    }
    if conn.execute(SETTLE_LINE, values).rowcount != 1:
        raise LeaseLost(transfer)


def store_step(conn: Connection, vault: Vault, batch: Batch, step: BatchStep, *, content: bytes | None = None) -> None:
    """Stores a step of a batch, with new bytes if it was made anew. ValueError where the batch went on without this worker."""
    sealed = None
    if content is not None:
        sealed = _cipher(conn, vault, batch.system, batch.number).seal_bytes(content, field=_CONTENT, version=1)
    values = {
        "system": batch.system,
        "number": batch.number,
        "before": batch.state,
        "state": step.state,
        "setbacks": step.setbacks,
        "refusals": step.refusals,
        "taken": step.taken,
        "fault": step.fault,
        "refused_changed": step.refused_by.changed if step.refused_by else None,
        "refused_size": step.refused_by.size if step.refused_by else None,
        "wait": step.wait_seconds,
        "content": sealed,
        "now": clock.now(),
    }
    if conn.execute(STEP, values).rowcount != 1:
        raise ValueError("the batch is in another state by now")


def note_sending(conn: Connection, batch: Batch) -> None:
    """Notes that the file goes out now."""
    conn.execute(NOTE_SENDING, {"system": batch.system, "number": batch.number, "now": clock.now()})


def note_answer(conn: Connection, batch: Batch) -> None:
    """Notes when the answer was read; the first time stays."""
    conn.execute(NOTE_ANSWER, {"system": batch.system, "number": batch.number, "now": clock.now()})


def note_list(conn: Connection, lines: MissingLines, *, changed: int) -> None:
    """Notes the version of the last day's list that was read first after the answer."""
    conn.execute(NOTE_LIST, {"system": lines.system, "number": lines.number, "changed": changed})


def missing(conn: Connection, system: System) -> list[MissingLines]:
    """The lines of answered batches whose outcome is still unknown."""
    return [MissingLines(system=system, **row) for row in conn.execute(MISSING, {"system": system}).fetchall()]


def count_by_state(conn: Connection) -> Sequence[Row]:
    """Rows of system, state, count and oldest (the platform's time) of the files that are not answered."""
    return conn.execute(COUNT_BY_STATE).fetchall()


_CONTENT = "content"


def _cipher(conn: Connection, vault: Vault, system: System, number: int) -> ClaimCipher:
    # A file has the records of many claims, so it has a data key of its own under a name that no claim can have.
    return vault.cipher(conn, f"file {system} {number}")


def _batch(row: Row) -> Batch:
    refused = row["refused_changed"] is not None
    return Batch(
        system=System(row["system"]),
        number=row["number"],
        sequence=row["sequence"],
        state=BatchState(row["state"]),
        details=row["details"],
        setbacks=row["setbacks"],
        refusals=row["refusals"],
        taken=row["taken"],
        fault=row["fault"],
        refused_by=Version(changed=row["refused_changed"], size=row["refused_size"]) if refused else None,
        since_sent=row["since_sent"],
    )


def _line(row: Row) -> BatchLine:
    return BatchLine(transfer=transfer_of(row), number=row["batch"], confirmed_time=row["confirmed_time"])


def _sealed_record(vault: Vault, row: Row) -> SealedRecord:
    cipher = vault.cipher_of(row["claim_ref"], row)
    return SealedRecord(transfer=transfer_of(row), sealed=row["payload"], cipher=cipher)
