"""Reading the ledger: rows as the domain's entities, a claim's transfers, counts."""

from datetime import datetime

from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault
from legacy_gateway.domain import Action, Confirmation, RefusalMessage, ShownTransfer, State, System, Transfer
from legacy_gateway.systems import RULES

OF_CLAIM = """
    -- All transfers of a claim, oldest first.
    SELECT * FROM transfers WHERE claim_ref = %s ORDER BY system, generation, phase
"""

COUNT_BY_STATE = """
    -- How many open transfers each system has in each state, and how many were accepted or cancelled since a time. A
    -- corrected refusal is not counted; its correction is.
    SELECT system, state, count(*) AS count FROM transfers
    WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN', 'HELD', 'CLERICAL')
    GROUP BY system, state
    UNION ALL
    SELECT system, 'REJECTED', count(*) FROM transfers WHERE state = 'REJECTED' AND NOT corrected GROUP BY system
    UNION ALL
    SELECT system, state, count(*) FROM transfers
    WHERE state IN ('ACCEPTED', 'CANCELLED') AND updated > %s
    GROUP BY system, state
"""

OLDEST_UNDER_WAY = """
    -- When each system's oldest transfer under way was made; a later phase that is not due yet is not under way.
    SELECT system, min(created) AS oldest FROM transfers
    WHERE state IN ('SENDING', 'UNKNOWN')
        OR (state = 'WAITING' AND (next_attempt_time IS NOT NULL OR payload IS NOT NULL))
    GROUP BY system
"""


def transfer_of(row: Row) -> Transfer:
    """The transfer of a row."""
    return Transfer(
        transfer_id=row["transfer_id"],
        claim_ref=row["claim_ref"],
        claim_version=row["claim_version"],
        action=Action(row["action"]),
        generation=row["generation"],
        rules=RULES[System(row["system"])],
        phase=row["phase"],
        state=State(row["state"]),
        setbacks=row["setbacks"],
        enquiry_setbacks=row["enquiry_setbacks"],
        defects=row["defects"],
        woken=row["woken"],
    )


def confirmation_of(claim_ref: str, row: Row) -> Confirmation:
    """The confirmation in the row of one of the claim's transfers."""
    return Confirmation(
        claim_ref=claim_ref,
        claim_version=row["claim_version"],
        confirmed_time=row["confirmed_time"],
        office_code=row["office_code"],
        assessor_id=row["assessor_id"],
    )


def of_claim(conn: Connection, vault: Vault, claim_ref: str) -> list[ShownTransfer]:
    """All transfers of a claim by system, generation and phase, with their messages."""
    rows = conn.execute(OF_CLAIM, [claim_ref]).fetchall()
    if not rows:
        return []
    cipher = vault.cipher(conn, claim_ref)
    return [shown_of(row, cipher) for row in rows]


def count_by_state(conn: Connection, *, done_since: datetime) -> list[Row]:
    """Rows of system, state and count: open transfers, and those accepted or cancelled since a time of the platform."""
    return conn.execute(COUNT_BY_STATE, [done_since]).fetchall()


def oldest_under_way(conn: Connection) -> dict[str, datetime]:
    """For each system, when the oldest of its transfers was made that are due, being sent or unknown."""
    return {row["system"]: row["oldest"] for row in conn.execute(OLDEST_UNDER_WAY).fetchall()}


def shown_of(row: Row, cipher: ClaimCipher | None) -> ShownTransfer:
    """The transfer of a row as staff see it, with its messages if the claim's cipher is given."""
    transfer = transfer_of(row)
    return ShownTransfer(
        transfer=transfer,
        replaces=row["replaces"] or "",
        attempts=row["attempts"],
        next_attempt_time=row["next_attempt_time"],
        legacy_ref=row["legacy_ref"],
        is_corrected=row["corrected"],
        messages=_messages(transfer, row["messages"], cipher),
        created=row["created"],
        updated=row["updated"],
    )


def _messages(transfer: Transfer, sealed: bytes | None, cipher: ClaimCipher | None) -> tuple[RefusalMessage, ...]:
    if sealed is None or cipher is None:
        return ()
    opened = cipher.open(sealed, field=messages_field(transfer), version=transfer.claim_version)
    return tuple(RefusalMessage(**message) for message in opened)


def messages_field(transfer: Transfer) -> str:
    """The name under which a transfer's messages are sealed."""
    return f"messages {transfer.transfer_id}"
