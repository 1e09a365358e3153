"""Differences between the ledger and the systems' lists, and their remedies. Waits are real time by the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from chassis.database import Connection, Row
from legacy_gateway.domain import (
    Action,
    Difference,
    DifferenceState,
    ListedRecord,
    RecordOfClaim,
    ShownDifference,
    State,
    System,
)

OURSELVES = "legacy-gateway"
"""The name under which the gateway itself closes a difference that no person had to look at."""

NOTE_MISSING = """
    -- Transfers that a system does not list: it is asked about each. One that is known, or that a person has explained, is
    -- not noted again.
    INSERT INTO differences (
        difference_id, system, kind, state, day, transfer_id, claim_ref, legacy_ref, since, next_attempt_time
    )
    SELECT gen_random_uuid(), system, 'MISSING_THERE', 'ASKING', (created AT TIME ZONE 'Europe/London')::date, transfer_id,
        claim_ref, legacy_ref, %(now)s, statement_timestamp()
    FROM transfers
    WHERE transfer_id = ANY(%(transfer_ids)s) AND state = 'ACCEPTED' AND NOT EXISTS (
        SELECT FROM differences AS explained
        WHERE explained.system = transfers.system AND explained.transfer_id = transfers.transfer_id
            AND explained.kind = 'MISSING_THERE' AND explained.state = 'CLOSED' AND explained.closed_by <> %(ourselves)s
    )
    ON CONFLICT DO NOTHING
"""

NOTE = """
    -- A listed record that differs from the ledger: a person's work. One that is known or was explained is not noted again.
    INSERT INTO differences (difference_id, system, kind, state, day, transfer_id, claim_ref, legacy_ref, since)
    SELECT gen_random_uuid(), %(system)s, %(kind)s, 'OPEN', %(day)s, %(transfer_id)s, %(claim_ref)s, %(legacy_ref)s, %(now)s
    WHERE NOT EXISTS (
        SELECT FROM differences
        WHERE system = %(system)s AND transfer_id = %(transfer_id)s AND kind = %(kind)s
    )
    ON CONFLICT DO NOTHING
"""

TAKE = """
    -- The missing transfer that is due for longest, for this worker alone until the time of the next attempt.
    UPDATE differences
    SET next_attempt_time = statement_timestamp() + make_interval(secs => %(seconds)s), attempts = attempts + 1
    WHERE difference_id = (
        SELECT difference_id FROM differences
        WHERE system = %(system)s AND state = 'ASKING' AND next_attempt_time <= statement_timestamp()
        ORDER BY next_attempt_time LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING difference_id, transfer_id, claim_ref, attempts - 1 AS setbacks
"""

RECORDS_OF_CLAIM = """
    -- All records of a claim for a system.
    SELECT transfer_id, generation, phase, action, state, updated, EXISTS (
        SELECT FROM first_phase_withdrawals AS asked
        WHERE asked.transfer_id = transfers.transfer_id AND asked.done_time IS NULL
    ) AS being_withdrawn
    FROM transfers WHERE claim_ref = %s AND system = %s ORDER BY generation, phase
"""

SENT_DAY = """
    -- The London day on which the file of a record was first sent; where that is not known, on which the record was made.
    SELECT (coalesce(batches.sent_time, transfers.created) AT TIME ZONE 'Europe/London')::date AS day
    FROM transfers LEFT JOIN batches ON batches.system = transfers.system AND batches.number = transfers.batch
    WHERE transfer_id = %s
"""

PUT_OFF = """
    UPDATE differences SET next_attempt_time = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE difference_id = %(difference_id)s AND state = 'ASKING'
"""

LEAVE_TO_A_PERSON = """
    UPDATE differences SET state = 'OPEN', cause = %(cause)s, next_attempt_time = NULL
    WHERE difference_id = %(difference_id)s AND state = 'ASKING'
"""

CLOSE = """
    -- Once; another closing changes nothing.
    UPDATE differences
    SET state = 'CLOSED', next_attempt_time = NULL, closed_time = %(now)s, closed_by = %(by)s, closing_reason = %(reason)s
    WHERE difference_id = %(difference_id)s AND state <> 'CLOSED'
"""

LOCK = """
    -- A difference, until the end of the transaction: two people close it one after the other.
    SELECT * FROM differences WHERE difference_id = %s FOR UPDATE
"""

OURS = """
    -- Whether nobody took a missing transfer after this worker; it stays so until the end of the transaction.
    SELECT FROM differences
    WHERE difference_id = %(difference_id)s AND state = 'ASKING' AND attempts = %(setbacks)s + 1
    FOR UPDATE
"""

NOT_ASKED = """
    -- Whether the system was not asked yet about a missing transfer of a day.
    SELECT EXISTS (
        SELECT FROM differences WHERE system = %s AND day = %s AND state = 'ASKING' AND attempts = 0
    ) AS found
"""

PAGE = """
    -- Differences that are not closed, the oldest first.
    SELECT * FROM differences
    WHERE state <> 'CLOSED' AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (since, difference_id) > (%(since)s, %(difference_id)s)
    ORDER BY since, difference_id LIMIT %(limit)s
"""

OF_DAY = """
    -- Differences of a day that are not closed: of the missing ones, or of the others.
    SELECT * FROM differences
    WHERE system = %(system)s AND day = %(day)s AND state <> 'CLOSED' AND (kind = 'MISSING_THERE') = %(missing)s
    ORDER BY transfer_id LIMIT %(limit)s
"""

COUNT_OF_DAY = """
    -- How many differences of a day nothing explains yet. A missing transfer counts while it is accepted here.
    SELECT count(*) FILTER (WHERE state = 'ASKING' AND EXISTS (
            SELECT FROM transfers WHERE transfers.transfer_id = differences.transfer_id AND transfers.state = 'ACCEPTED'
        )) AS missing,
        count(*) FILTER (WHERE kind <> 'MISSING_THERE') AS unknown
    FROM differences WHERE system = %s AND day = %s AND state <> 'CLOSED'
"""

UNEXPLAINED_BY_SYSTEM = """
    -- How many differences of each system nothing explains yet. A missing transfer that is left to a person is CLERICAL.
    SELECT system, count(*) AS count FROM differences
    WHERE state <> 'CLOSED' AND (state = 'ASKING' OR kind <> 'MISSING_THERE') GROUP BY system
"""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A transfer that its system does not list. `setbacks` counts the enquiries before this one."""

    difference_id: UUID
    transfer_id: str
    claim_ref: str
    setbacks: int


def note_missing(conn: Connection, transfer_ids: Sequence[str], *, now: datetime) -> int:
    """Notes transfers that their system does not list, to be asked about; gives how many are new."""
    values = {"transfer_ids": list(transfer_ids), "now": now, "ourselves": OURSELVES}
    return conn.execute(NOTE_MISSING, values).rowcount


def note(conn: Connection, system: System, kind: Difference, record: ListedRecord, *, day: date, now: datetime) -> bool:
    """Notes that a record which is listed under a day differs from the ledger; says whether that is new."""
    values = {
        "system": system,
        "kind": kind,
        "day": day,
        "transfer_id": record.transfer_id,
        "claim_ref": record.ours.claim_ref if record.ours else "",
        "legacy_ref": record.legacy_ref,
        "now": now,
    }
    return conn.execute(NOTE, values).rowcount == 1


def take(conn: Connection, system: System, *, seconds: float) -> Missing | None:
    """The missing transfer that is due for longest, for this worker alone for so many seconds; None where none is due."""
    row = conn.execute(TAKE, {"system": system, "seconds": seconds}).fetchone()
    return Missing(**row) if row else None


def records_of_claim(
    conn: Connection, claim_ref: str, system: System, *, lost: Sequence[str] = ()
) -> list[tuple[RecordOfClaim, datetime]]:
    """All records of a claim for a system, each with when it last changed. `lost` are those that the system says it lost."""
    rows = conn.execute(RECORDS_OF_CLAIM, [claim_ref, system]).fetchall()
    return [(_record(row, lost), row["updated"]) for row in rows]


def sent_day(conn: Connection, transfer_id: str) -> date:
    """The London day on which a record that went in a file was first sent."""
    [row] = conn.execute(SENT_DAY, [transfer_id])
    day: date = row["day"]
    return day


def is_ours(conn: Connection, missing: Missing) -> bool:
    """Whether no other worker took the missing transfer since, and nobody closed it. Then none does in this transaction."""
    values = {"difference_id": missing.difference_id, "setbacks": missing.setbacks}
    return conn.execute(OURS, values).fetchone() is not None


def put_off(conn: Connection, missing: Missing, *, seconds: float) -> None:
    """The system is asked again after so many seconds."""
    conn.execute(PUT_OFF, {"difference_id": missing.difference_id, "seconds": seconds})


def leave_to_a_person(conn: Connection, missing: Missing, *, cause: str) -> None:
    """A person looks at it."""
    conn.execute(LEAVE_TO_A_PERSON, {"difference_id": missing.difference_id, "cause": cause})


def explain(conn: Connection, missing: Missing, *, remedy: str, now: datetime) -> None:
    """Closes the difference of a missing transfer for which this was done."""
    conn.execute(CLOSE, {"difference_id": missing.difference_id, "by": OURSELVES, "reason": remedy, "now": now})


def close(conn: Connection, difference_id: UUID, *, by: str, reason: str, now: datetime) -> None:
    """Closes a difference that a person has seen to."""
    conn.execute(CLOSE, {"difference_id": difference_id, "by": by, "reason": reason, "now": now})


def any_not_asked(conn: Connection, system: System, day: date) -> bool:
    """Whether there is a missing transfer of the day about which the system was not asked yet."""
    [row] = conn.execute(NOT_ASKED, [system, day])
    return bool(row["found"])


def locked(conn: Connection, difference_id: UUID) -> ShownDifference | None:
    """A difference, locked for this transaction; None where there is none of this id."""
    row = conn.execute(LOCK, [difference_id]).fetchone()
    return _shown(row) if row else None


def page(conn: Connection, system: System | None, *, after: tuple[datetime, UUID], limit: int) -> list[ShownDifference]:
    """Differences that are not closed, of one system or of all, the oldest first."""
    values = {"system": system, "since": after[0], "difference_id": after[1], "limit": limit}
    return [_shown(row) for row in conn.execute(PAGE, values)]


def of_day(conn: Connection, system: System, day: date, *, missing: bool, limit: int) -> list[ShownDifference]:
    """Differences of a day that are not closed: transfers that are missing there, or what is unknown here."""
    values = {"system": system, "day": day, "missing": missing, "limit": limit}
    return [_shown(row) for row in conn.execute(OF_DAY, values)]


def count_of_day(conn: Connection, system: System, day: date) -> tuple[int, int]:
    """How many accepted transfers of a day are missing there, and how many records of the day's list are unknown here."""
    [row] = conn.execute(COUNT_OF_DAY, [system, day])
    return row["missing"], row["unknown"]


def unexplained_by_system(conn: Connection) -> dict[str, int]:
    """How many differences nothing explains yet, by system."""
    return {row["system"]: row["count"] for row in conn.execute(UNEXPLAINED_BY_SYSTEM)}


def _record(row: Row, lost: Sequence[str]) -> RecordOfClaim:
    return RecordOfClaim(
        transfer_id=row["transfer_id"],
        generation=row["generation"],
        phase=row["phase"],
        action=Action(row["action"]),
        state=State(row["state"]),
        lost=row["transfer_id"] in lost,
        being_withdrawn=row["being_withdrawn"],
    )


def _shown(row: Row) -> ShownDifference:
    return ShownDifference(
        difference_id=row["difference_id"],
        system=System(row["system"]),
        kind=Difference(row["kind"]),
        state=DifferenceState(row["state"]),
        day=row["day"],
        transfer_id=row["transfer_id"],
        claim_ref=row["claim_ref"],
        legacy_ref=row["legacy_ref"],
        cause=row["cause"],
        since=row["since"],
        closed_time=row["closed_time"],
        closed_by=row["closed_by"],
        closing_reason=row["closing_reason"],
    )
