"""Work for a person. What persons wrote is sealed with the claim's key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault
from la_notifier.domain.work_items import (
    WorkItem,
    WorkItemFilter,
    WorkItemKind,
    WorkItemOutcome,
    WorkItemPlace,
    WorkItemReason,
    WorkItemState,
)

OPEN = """
    -- A further work item. One that is open for the same refusal or referral is enough.
    INSERT INTO work_items (work_item_id, kind, reason, claim_ref, notice_id, notice_version, authority_code, fields, words,
        owner, opened, deadline)
    VALUES (%(work_item_id)s, %(kind)s, %(reason)s, %(claim_ref)s, %(notice_id)s, %(notice_version)s, %(authority_code)s,
        %(fields)s, %(words)s, %(owner)s, %(opened)s, %(deadline)s)
    ON CONFLICT DO NOTHING
"""

ADD_WORDS = """
    -- Why the authority refused.
    UPDATE work_items SET reason = %(reason)s, words = %(words)s WHERE work_item_id = %(work_item_id)s
"""

OPEN_REFUSAL = """
    -- The open work item of a refused version, locked.
    SELECT work_item_id FROM work_items
    WHERE notice_id = %s AND notice_version = %s AND kind = 'REFUSAL' AND state = 'OPEN' FOR UPDATE
"""

END_REFUSALS = """
    -- Ends the open refusals of a notice: a later version followed, or the authority needs it no more.
    UPDATE work_items SET state = 'DONE', outcome = 'FOLLOWED', done = %(now)s
    WHERE notice_id = %(notice_id)s AND kind = 'REFUSAL' AND state = 'OPEN'
"""

END_REFUSAL = """
    -- Ends the open refusal of a version: the authority has answered otherwise.
    UPDATE work_items SET state = 'DONE', outcome = 'FOLLOWED', done = %(now)s
    WHERE notice_id = %(notice_id)s AND notice_version = %(version)s AND kind = 'REFUSAL' AND state = 'OPEN'
"""

END = """
    -- A person ends a work item.
    UPDATE work_items SET state = 'DONE', outcome = %(outcome)s, done = %(now)s, done_by = %(by)s, answer = %(answer)s
    WHERE work_item_id = %(work_item_id)s
"""

_COLUMNS: LiteralString = """
    item.work_item_id, item.kind, item.reason, item.claim_ref, item.notice_id, item.notice_version, item.authority_code,
    item.fields, item.words, item.state, item.owner, item.opened, item.deadline, item.done, item.done_by, item.outcome,
    item.answer, key.key_id, key.wrapped
"""

HOLD: LiteralString = f"""
    -- Locks a work item.
    SELECT {_COLUMNS} FROM work_items AS item LEFT JOIN data_keys AS key USING (claim_ref) WHERE item.work_item_id = %s
    FOR UPDATE OF item
"""  # noqa: S608 - of literals alone

_FIRST = WorkItemPlace(at=datetime.min.replace(tzinfo=UTC), work_item_id=UUID(int=0))


def open_item(conn: Connection, item: WorkItem, cipher: ClaimCipher | None = None) -> None:
    """Adds a work item; none where one is open for the same refusal or referral. `cipher` is needed where there are `words`."""
    words = cipher.seal(item.words, field=_field(item.work_item_id, "words"), version=1) if cipher else None
    values = {name: getattr(item, name) for name in _PLAIN}
    conn.execute(OPEN, values | {"fields": list(item.fields), "words": words})


def add_words(
    conn: Connection, cipher: ClaimCipher, notice_id: UUID, version: int, *, words: str, reason: WorkItemReason
) -> None:
    """Adds why the authority refused to the open work item of a version, if there is one."""
    row = conn.execute(OPEN_REFUSAL, [notice_id, version]).fetchone()
    if row is not None:
        sealed = cipher.seal(words, field=_field(row["work_item_id"], "words"), version=1)
        conn.execute(ADD_WORDS, {"work_item_id": row["work_item_id"], "words": sealed, "reason": reason})


def end_refusals(conn: Connection, notice_id: UUID, *, now: datetime) -> None:
    """Ends the open refusals of a notice, which need nobody any more."""
    conn.execute(END_REFUSALS, {"notice_id": notice_id, "now": now})


def end_refusal(conn: Connection, notice_id: UUID, version: int, *, now: datetime) -> None:
    """Ends the open refusal of a version, which needs nobody any more."""
    conn.execute(END_REFUSAL, {"notice_id": notice_id, "version": version, "now": now})


def end(conn: Connection, item: WorkItem, cipher: ClaimCipher) -> None:
    """Saves the end of a work item that a person ended. It must be held."""
    answer = cipher.seal(item.answer, field=_field(item.work_item_id, "answer"), version=1) if item.answer else None
    values = {
        "work_item_id": item.work_item_id,
        "outcome": item.outcome,
        "now": item.done,
        "by": item.done_by,
        "answer": answer,
    }
    conn.execute(END, values)


def hold(conn: Connection, vault: Vault, work_item_id: UUID) -> WorkItem | None:
    """The work item, locked for this transaction; None where there is none."""
    row = conn.execute(HOLD, [work_item_id]).fetchone()
    return _item_of(vault, row) if row else None


def list_items(
    conn: Connection, vault: Vault, wanted: WorkItemFilter, *, after: WorkItemPlace | None, limit: int
) -> Sequence[WorkItem]:
    """The work items that are asked for: open ones by their deadline, those done by their end."""
    at: LiteralString = "item.deadline" if wanted.state is WorkItemState.OPEN else "item.done"
    query: LiteralString = f"""
        -- Work items for an officer.
        SELECT {_COLUMNS} FROM work_items AS item LEFT JOIN data_keys AS key USING (claim_ref)
        WHERE {_chosen(wanted)} AND ({at}, item.work_item_id) > (%(at)s, %(work_item_id)s)
        ORDER BY {at}, item.work_item_id LIMIT %(limit)s
    """  # noqa: S608 - of literals alone
    values: dict[str, Any] = {
        "authority_codes": list(wanted.authority_codes or ()),
        "kind": wanted.kind,
        "claim_ref": wanted.claim_ref,
        "limit": limit,
        **vars(after or _FIRST),
    }
    return [_item_of(vault, row) for row in conn.execute(query, values)]


def _chosen(wanted: WorkItemFilter) -> LiteralString:
    chosen: list[LiteralString] = [
        "item.state = 'OPEN'" if wanted.state is WorkItemState.OPEN else "item.state = 'DONE'"
    ]
    if wanted.authority_codes is not None:
        chosen.append("item.authority_code = ANY(%(authority_codes)s)")
    if wanted.kind is not None:
        chosen.append("item.kind = %(kind)s")
    if wanted.claim_ref:
        chosen.append("item.claim_ref = %(claim_ref)s")
    return " AND ".join(chosen)


_PLAIN = (
    "work_item_id",
    "kind",
    "reason",
    "claim_ref",
    "notice_id",
    "notice_version",
    "authority_code",
    "owner",
    "opened",
    "deadline",
)


def _field(work_item_id: UUID, name: str) -> str:
    return f"work item {work_item_id} {name}"


def _item_of(vault: Vault, row: Row) -> WorkItem:
    def opened(name: str) -> str:
        if row[name] is None:
            return ""
        cipher = vault.cipher_of(row["claim_ref"], row)
        return str(cipher.open(row[name], field=_field(row["work_item_id"], name), version=1))

    return WorkItem(
        **{name: row[name] for name in _PLAIN if name != "kind"},
        kind=WorkItemKind(row["kind"]),
        fields=tuple(row["fields"]),
        words=opened("words"),
        state=WorkItemState(row["state"]),
        done=row["done"],
        done_by=row["done_by"] or "",
        outcome=WorkItemOutcome(row["outcome"]) if row["outcome"] else None,
        answer=opened("answer"),
    )
