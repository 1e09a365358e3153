"""The repair desk: lists of transfers, why records were refused, and the history of each transfer."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis import access_log
from chassis.database import Connection
from chassis.errors import NotFound
from chassis.vault import Vault
from legacy_gateway import mapping
from legacy_gateway.domain import ShownTransfer, System
from legacy_gateway.domain.desk import Filter, HistoryEntry, Place, Rejections
from legacy_gateway.store import acts, chosen, desk, transfers

_MOST_CAUSES = 200
_LONGEST_HISTORY = 1000


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of transfers; `end` is the place behind its last one, None where there is no more."""

    transfers: Sequence[ShownTransfer]
    end: Place | None


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Rejections for one cause, with the question to correct and what is wrong with the field."""

    rejections: Rejections
    question_id: str
    text: str


def list_transfers(conn: Connection, vault: Vault, wanted: Filter, *, after: Place | None, limit: int) -> Page:
    """A page of transfers, the oldest first. The access log is written for each claim of which messages are shown."""
    rows = chosen.rows(conn, wanted, after=after or chosen.FIRST, limit=limit + 1)
    shown = [
        transfers.shown_of(row, vault.cipher(conn, row["claim_ref"]) if row["messages"] else None)
        for row in rows[:limit]
    ]
    told = {one.transfer.claim_ref for one in shown if one.messages}
    for claim_ref in sorted(told):
        access_log.record_access(conn, claim_ref=claim_ref)
    return Page(transfers=shown, end=chosen.place_of(rows[limit - 1]) if len(rows) > limit else None)


def list_rejections(conn: Connection, system: System | None) -> Sequence[Cause]:
    """The causes of refusal of the records that wait for a correction, the most frequent first."""
    systems = list(System) if system is None else [system]
    return [_cause(found) for found in chosen.rejections(conn, systems, limit=_MOST_CAUSES)]


def _cause(found: Rejections) -> Cause:
    # The words and the question are those of today's map: it may have been mended since.
    if not found.code:
        return Cause(rejections=found, question_id="", text="")
    message = mapping.refusal_message(found.system, code=found.code, field=found.field)
    return Cause(rejections=found, question_id=message.question_id, text=message.text)


def history_of(conn: Connection, vault: Vault, transfer_id: str) -> Sequence[HistoryEntry]:
    """The newest states that a transfer came to, the oldest of them first. Raises NotFound."""
    rows = desk.history(conn, transfer_id, limit=_LONGEST_HISTORY)
    if not rows and desk.claim_of(conn, transfer_id) is None:
        raise NotFound("TRANSFER_UNKNOWN", "there is no such transfer")
    return [
        desk.entry_of(row, acts.words(vault, row["act_id"], row["sealed_words"]) if row["sealed_words"] else "")
        for row in reversed(rows)
    ]
