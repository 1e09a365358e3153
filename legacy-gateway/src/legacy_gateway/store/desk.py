"""The acts of persons on transfers, one at a time. Call `claims.note_amendment` first: it locks the claim.

What is told to the history goes into columns that a trigger empties again (migration 0013).
"""

from collections.abc import Iterable, Sequence

from chassis import clock
from chassis.database import Connection, Row
from legacy_gateway.domain import MOST_DEFECTS, Exchange, RefusalMessage, State, System, Transfer
from legacy_gateway.domain.desk import AtDesk, Doing, HistoryEntry, Standing, ToCorrect
from legacy_gateway.store.transfers import transfer_of
from legacy_gateway.systems import RULES

CLAIM_OF = """
    -- The claim of a transfer.
    SELECT claim_ref FROM transfers WHERE transfer_id = %s
"""

_STANDINGS = """
    SELECT transfers.*, attempts > 0 AS has_left, next_attempt_time IS NOT NULL AS is_due,
        EXISTS (SELECT FROM withdrawals WHERE withdrawals.claim_ref = transfers.claim_ref) AS is_withdrawn,
        CASE WHEN %(with_phases)s THEN coalesce((
            SELECT array_agg(DISTINCT other.state) FROM transfers AS other
            WHERE other.claim_ref = transfers.claim_ref AND other.system = transfers.system
                AND other.generation = transfers.generation AND other.transfer_id <> transfers.transfer_id
                AND (other.state <> 'CLERICAL' OR other.attempts > 0)
        ), '{}') ELSE '{}' END AS other_phases
"""

FIND = f"""
    -- A transfer as a person finds it.
    {_STANDINGS} FROM transfers WHERE transfer_id = %(transfer_id)s
"""

LOCK = """
    -- Keeps a transfer as it stands until the end of the transaction, with all others of its claim at the system, in the order
    -- in which everybody locks them.
    SELECT FROM transfers
    WHERE (claim_ref, system) = (SELECT claim_ref, system FROM transfers WHERE transfer_id = %s)
    ORDER BY generation, phase
    FOR UPDATE
"""

COUNT = f"""
    -- How many of these transfers stand alike.
    SELECT state, has_left, is_due, defects >= %(most_defects)s AS after_defects, corrected, is_withdrawn, other_phases,
        system, count(*) AS count
    FROM ({_STANDINGS} FROM transfers WHERE transfer_id = ANY(%(transfer_ids)s)) AS found
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""  # noqa: S608 - of literals alone

TO_CORRECT = """
    -- Transfers with the newest version that is known of their claims.
    SELECT 0 AS number, transfer_id, claim_ref, greatest(
        claim_version, (SELECT version FROM amendments WHERE amendments.claim_ref = transfers.claim_ref)
    ) AS claim_version
    FROM transfers WHERE transfer_id = ANY(%s)
"""

SEND_NOW = """
    -- It is due now; one that never left goes from a person's hands into the queue.
    UPDATE transfers
    SET state = 'WAITING', next_attempt_time = statement_timestamp(), may_wake_time = NULL, messages = NULL, defects = 0,
        updated = %(now)s, event_reason = %(reason)s, event_by = %(by)s, event_act_id = %(act_id)s
    WHERE transfer_id = %(transfer_id)s AND (state = 'WAITING' OR (state = 'CLERICAL' AND attempts = 0))
"""

ASK_NOW = """
    -- Its system is asked now. The wait after which "not known" is final begins anew for one that was in a person's hands.
    UPDATE transfers
    SET state = 'UNKNOWN', next_attempt_time = statement_timestamp(), may_wake_time = NULL, messages = NULL, defects = 0,
        connection_closed_time = coalesce(connection_closed_time, statement_timestamp()),
        updated = %(now)s, event_reason = %(reason)s, event_by = %(by)s, event_act_id = %(act_id)s
    WHERE transfer_id = %(transfer_id)s AND state IN ('UNKNOWN', 'CLERICAL')
"""

CANCEL = """
    -- No phase of its generation is sent any more; a sender that prepares one loses its lease.
    UPDATE transfers
    SET state = 'CANCELLED', lease_token = NULL, lease_until = NULL, next_attempt_time = NULL, may_wake_time = NULL,
        updated = %(now)s, event_reason = %(reason)s, event_by = %(by)s, event_act_id = %(act_id)s
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s AND generation = %(generation)s
        AND (
            state IN ('WAITING', 'HELD') OR (state = 'REJECTED' AND NOT corrected) OR (state = 'CLERICAL' AND attempts = 0)
        )
"""

NOTE = """
    -- A person's act of which the state says nothing. How long it has been in its state does not change.
    UPDATE transfers SET event_time = %(now)s, event_reason = %(reason)s, event_by = %(by)s, event_act_id = %(act_id)s
    WHERE transfer_id = %(transfer_id)s
"""

KEEP_CAUSES = """
    -- By which rules and fields a record was refused.
    INSERT INTO transfer_causes (transfer_id, code, field)
    SELECT %(transfer_id)s, cause.code, cause.field
    FROM unnest(%(codes)s::text[], %(fields)s::text[]) AS cause (code, field)
    ON CONFLICT DO NOTHING
"""

HISTORY = """
    -- The newest states of a transfer, with the words of the act that caused them.
    SELECT state, transfer_events.reason, transfer_events.by, at, act_id, bulk_acts.reason AS sealed_words
    FROM transfer_events LEFT JOIN bulk_acts USING (act_id)
    WHERE transfer_id = %(transfer_id)s
    ORDER BY number DESC LIMIT %(limit)s
"""


def claim_of(conn: Connection, transfer_id: str) -> str | None:
    """The claim of a transfer; None where there is no such transfer."""
    row = conn.execute(CLAIM_OF, [transfer_id]).fetchone()
    return None if row is None else str(row["claim_ref"])


def lock(conn: Connection, transfer_id: str) -> None:
    """Keeps a transfer as it stands until the end of the transaction."""
    conn.execute(LOCK, [transfer_id])


def find(conn: Connection, transfer_id: str) -> AtDesk | None:
    """A transfer as a person finds it; None where there is no such transfer."""
    row = conn.execute(FIND, {"transfer_id": transfer_id, "with_phases": True}).fetchone()
    return None if row is None else AtDesk(transfer=transfer_of(row), standing=standing_of(row))


def standing_of(row: Row) -> Standing:
    """How a row stands."""
    return Standing(
        state=State(row["state"]),
        has_left=row["has_left"],
        is_due=row["is_due"],
        after_defects=_can_be_asked(row) and _after_defects(row),
        is_corrected=row["corrected"],
        is_withdrawn=row["is_withdrawn"],
        other_phases=frozenset(State(state) for state in row["other_phases"]),
        takes_back=RULES[System(row["system"])].withdraws_first_phase,
    )


def _after_defects(row: Row) -> bool:
    return bool(row["after_defects"] if "after_defects" in row else row["defects"] >= MOST_DEFECTS)


def _can_be_asked(row: Row) -> bool:
    """Whether the system can be asked about the record. It cannot for a record in a file: the answer to the file tells."""
    return RULES[System(row["system"])].exchange is Exchange.RECORDS


def count(conn: Connection, transfer_ids: Sequence[str], *, with_phases: bool) -> list[tuple[Standing, int]]:
    """How many of these transfers stand alike. `other_phases` are read only on demand: that takes as long as all else."""
    values = {"transfer_ids": list(transfer_ids), "most_defects": MOST_DEFECTS, "with_phases": with_phases}
    found = conn.execute(COUNT, values)
    return [(standing_of(row), row["count"]) for row in found.fetchall()]


def to_correct(conn: Connection, transfer_ids: Sequence[str]) -> list[ToCorrect]:
    """These transfers with the newest version that is known of their claims."""
    return [ToCorrect(**row) for row in conn.execute(TO_CORRECT, [list(transfer_ids)]).fetchall()]


def send_now(conn: Connection, transfer: Transfer, doing: Doing) -> None:
    """Makes a transfer due that its system does not hold."""
    conn.execute(SEND_NOW, _values(transfer, doing, reason="RETRIED"))


def ask_now(conn: Connection, transfer: Transfer, doing: Doing) -> None:
    """Lets the system be asked about a transfer that it may hold."""
    conn.execute(ASK_NOW, _values(transfer, doing, reason="RETRIED"))


def cancel(conn: Connection, transfer: Transfer, doing: Doing) -> None:
    """Gives up a transfer with the other phases of its generation that are not sent."""
    conn.execute(CANCEL, _values(transfer, doing, reason="CANCELLED"))


def note(conn: Connection, transfer: Transfer, doing: Doing, *, reason: str) -> None:
    """Keeps in the history what was done with a transfer whose state stays."""
    conn.execute(NOTE, _values(transfer, doing, reason=reason))


def keep_causes(conn: Connection, transfer: Transfer, messages: Iterable[RefusalMessage]) -> None:
    """Keeps by which rules and fields a record was refused, so that rejections can be grouped."""
    found = list(messages)
    values = {
        "transfer_id": transfer.transfer_id,
        "codes": [message.code for message in found],
        "fields": [message.field for message in found],
    }
    conn.execute(KEEP_CAUSES, values)


def history(conn: Connection, transfer_id: str, *, limit: int) -> list[Row]:
    """Rows of the newest states of a transfer, the newest first: state, reason, by, at, act_id and sealed_words."""
    return conn.execute(HISTORY, {"transfer_id": transfer_id, "limit": limit}).fetchall()


def entry_of(row: Row, words: str) -> HistoryEntry:
    """The entry of a row, with the words of its act."""
    return HistoryEntry(state=State(row["state"]), reason=row["reason"], by=row["by"], words=words, at=row["at"])


def _values(transfer: Transfer, doing: Doing, *, reason: str) -> dict[str, object]:
    return {
        "transfer_id": transfer.transfer_id,
        "claim_ref": transfer.claim_ref,
        "system": transfer.system,
        "generation": transfer.generation,
        "reason": reason,
        "by": doing.by,
        "act_id": doing.act_id,
        "now": clock.now(),
    }
