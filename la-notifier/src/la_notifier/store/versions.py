"""Versions on their way: taken under a lease, settled by a step.

An answer counts only under the lease under which it was obtained. Sending a version twice does no harm: the authority knows
it by its Idempotency-Key. Leases and waits are real time by the database's clock, other moments are the platform's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from chassis.database import Connection, Row
from la_notifier.domain.notices import NoticeState, NoticeVersion, Step

_OLDEST_WAITING: LiteralString = """
    SELECT notice_id, version FROM notice_versions
    WHERE channel = %(channel)s AND authority = ready.authority AND state = 'WAITING'
        AND next_attempt_time <= statement_timestamp()
    ORDER BY created LIMIT 1
"""
_FIRST_TO_ASK: LiteralString = """
    SELECT notice_id, version FROM notice_versions
    WHERE channel = %(channel)s AND authority = ready.authority AND state IN ('SENT', 'RECEIVED')
        AND next_attempt_time <= statement_timestamp()
    ORDER BY next_attempt_time LIMIT 1
"""


def _ready(act: LiteralString, states: LiteralString) -> LiteralString:
    """The authorities for which something is there in these states, none of it under way, and that do not rest."""
    of_channel: LiteralString = (
        f"SELECT min(authority) AS authority FROM notice_versions WHERE channel = %(channel)s AND {states}"  # noqa: S608
    )
    return f"""
        WITH RECURSIVE found AS (
            {of_channel}
            UNION ALL
            SELECT ({of_channel} AND authority > found.authority) FROM found WHERE found.authority IS NOT NULL
        ), ready AS (
            SELECT authority FROM found
            WHERE authority IS NOT NULL AND NOT EXISTS (
                SELECT FROM authority_rests
                WHERE authority_code = found.authority AND act = '{act}' AND rests_until > statement_timestamp()
            ) AND NOT EXISTS (
                SELECT FROM notice_versions
                WHERE channel = %(channel)s AND authority = found.authority AND {states}
                    AND lease IS NOT NULL AND leased_until > statement_timestamp()
            )
        )
    """  # noqa: S608 - of literals alone


TAKE_TO_SEND: LiteralString = f"""
    -- Leases the oldest version that is due for an authority with the channel. Which of the authorities is left to chance: one
    -- with much to come holds up no other. A version that is not wanted any more is leased as well, and not counted as an
    -- attempt. `might_be_held` is from before the attempt.
    {_ready("SEND", "state = 'WAITING'")}, due AS (
        SELECT version.notice_id, version.version, version.may_be_held AS might_be_held,
            notice.claim_ref, notice.authority_code, notice.wanted AND NOT version.followed AS is_wanted,
            key.key_id, key.wrapped
        FROM ready CROSS JOIN LATERAL ({_OLDEST_WAITING}) AS oldest
            JOIN notice_versions AS version USING (notice_id, version)
            JOIN notices AS notice USING (notice_id)
            LEFT JOIN data_keys AS key USING (claim_ref)
        WHERE version.state = 'WAITING' AND (version.lease IS NULL OR version.leased_until <= statement_timestamp())
        ORDER BY random() LIMIT 1
        FOR UPDATE OF version, notice SKIP LOCKED
    )
    UPDATE notice_versions AS version
    SET lease = gen_random_uuid(), leased_until = statement_timestamp() + make_interval(secs => %(seconds)s),
        attempts = version.attempts + due.is_wanted::int, polls = 0,
        may_be_held = version.may_be_held OR (due.is_wanted AND %(goes_out)s)
    FROM due WHERE version.notice_id = due.notice_id AND version.version = due.version
    RETURNING version.state, version.lease, version.attempts, version.polls, version.disputed, version.first_contact_time,
        version.sent, version.body, due.*
"""  # noqa: S608 - of literals alone

TAKE_TO_ASK: LiteralString = f"""
    -- Leases the version about which an authority with the channel is to be asked for longest.
    {_ready("ASK", "state IN ('SENT', 'RECEIVED')")}, due AS (
        SELECT version.notice_id, version.version, version.may_be_held AS might_be_held,
            notice.claim_ref, notice.authority_code, notice.wanted AND NOT version.followed AS is_wanted
        FROM ready CROSS JOIN LATERAL ({_FIRST_TO_ASK}) AS first
            JOIN notice_versions AS version USING (notice_id, version)
            JOIN notices AS notice USING (notice_id)
        WHERE version.state IN ('SENT', 'RECEIVED')
            AND (version.lease IS NULL OR version.leased_until <= statement_timestamp())
        ORDER BY random() LIMIT 1
        FOR UPDATE OF version SKIP LOCKED
    )
    UPDATE notice_versions AS version
    SET lease = gen_random_uuid(), leased_until = statement_timestamp() + make_interval(secs => %(seconds)s),
        polls = version.polls + 1
    FROM due WHERE version.notice_id = due.notice_id AND version.version = due.version
    RETURNING version.state, version.lease, version.attempts, version.polls, version.disputed, version.first_contact_time,
        version.sent, due.*
"""  # noqa: S608 - of literals alone

HOLD_NOTICE = """
    -- Locks a notice against a review, which must see the settled version or be seen. Reviews lock in the same order.
    SELECT wanted FROM notices WHERE notice_id = %s FOR SHARE
"""

HOLD_VERSION = """
    -- Locks a version that is still leased by this worker.
    SELECT NOT followed AS is_newest, EXISTS (
        SELECT 1 FROM notice_versions AS sent_before
        WHERE sent_before.notice_id = version.notice_id AND sent_before.sent IS NOT NULL
    ) AS notice_was_sent
    FROM notice_versions AS version
    WHERE notice_id = %s AND version = %s AND lease = %s
    FOR UPDATE
"""

LOCK_VERSION = """
    -- Locks a version that an authority names, whatever its lease. HOLD_NOTICE goes first.
    SELECT version.notice_id, version.version, version.state, version.lease, version.attempts, version.polls,
        version.disputed, version.first_contact_time, version.sent, version.may_be_held AS might_be_held,
        notice.claim_ref, notice.authority_code, notice.wanted AND NOT version.followed AS is_wanted, EXISTS (
            SELECT 1 FROM notice_versions AS sent_before
            WHERE sent_before.notice_id = version.notice_id AND sent_before.sent IS NOT NULL
        ) AS notice_was_sent
    FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
    WHERE version.notice_id = %s AND version.version = %s
    FOR UPDATE OF version
"""

NEWEST = """
    -- The number of the newest version of a notice.
    SELECT version FROM notice_versions WHERE notice_id = %s ORDER BY version DESC LIMIT 1
"""

TO_RESEND = """
    -- The newest versions of some authorities' notices that went out and are not loaded, the oldest first. Of those SENT in a
    -- file: those whose file is not answered, and not about to be sent again.
    SELECT notice_id, version FROM notice_versions AS version
    WHERE authority = ANY(%(authority_codes)s) AND NOT followed
        AND (state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed))
        AND state = %(state)s AND created < %(older_than)s
        AND (channel <> 'SFTP' OR state <> 'SENT' OR EXISTS (
            SELECT FROM file_rows AS filed JOIN files USING (authority_code, sequence)
            WHERE filed.notice_id = version.notice_id AND filed.version = version.version AND filed.saying IS NULL
                AND files.state = 'SENT' AND files.ask_again_time > statement_timestamp()
        ))
    ORDER BY created, notice_id LIMIT %(limit)s
"""

SET_BODY = """
    -- Replaces what a version says that nobody can have had.
    UPDATE notice_versions SET body = %s WHERE notice_id = %s AND version = %s AND lease = %s
"""

SUPERSEDE_EARLIER = """
    -- Ends what was sent before a version that is loaded now: nobody has to ask about it any more.
    UPDATE notice_versions
    SET state = 'SUPERSEDED', superseded = %(now)s, disputed = NULL, lease = NULL, leased_until = NULL,
        next_attempt_time = NULL
    WHERE notice_id = %(notice_id)s AND version < %(version)s AND state IN ('SENT', 'RECEIVED')
"""

SETTLE = """
    -- Saves a step of a version that is held, and ends its lease. A refusal of what is not wanted waits for no later version.
    UPDATE notice_versions
    SET state = %(state)s, lease = NULL, leased_until = NULL, may_be_held = %(may_be_held)s,
        next_attempt_time = statement_timestamp() + make_interval(secs => %(wait_seconds)s::float8),
        receipt = coalesce(nullif(%(receipt)s, ''), receipt), refused_fields = %(refused_fields)s,
        sent = CASE WHEN %(is_acknowledged)s THEN coalesce(sent, %(now)s) ELSE sent END,
        received = CASE WHEN %(is_received)s THEN coalesce(received, %(now)s) ELSE received END,
        loaded = CASE WHEN %(is_loaded)s THEN %(now)s END,
        superseded = CASE WHEN %(is_superseded)s THEN %(now)s END,
        disputed = CASE WHEN %(is_disputed)s THEN coalesce(disputed, %(now)s) END,
        followed = followed OR %(is_given_up)s
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""


def take_to_send(
    conn: Connection, *, channel: str, seconds: float, goes_out: bool = True
) -> tuple[NoticeVersion, Row] | None:
    """The next version to send, leased for so many seconds, and its row with `body` (sealed), `key_id` and `wrapped`.

    Without `goes_out` nothing leaves under this lease, and the authority cannot have had it before it was settled.
    """
    row = conn.execute(TAKE_TO_SEND, {"channel": channel, "seconds": seconds, "goes_out": goes_out}).fetchone()
    return (version_of(row), row) if row else None


def take_to_ask(conn: Connection, *, channel: str, seconds: float) -> NoticeVersion | None:
    """The next version about which its authority is to be asked, leased for so many seconds."""
    row = conn.execute(TAKE_TO_ASK, {"channel": channel, "seconds": seconds}).fetchone()
    return version_of(row) if row else None


def hold(conn: Connection, version: NoticeVersion) -> NoticeVersion | None:
    """The version as it is now, locked for this transaction; None where the lease is no longer this worker's."""
    notice = conn.execute(HOLD_NOTICE, [version.notice_id]).fetchone()
    row = conn.execute(HOLD_VERSION, [version.notice_id, version.version, version.lease]).fetchone()
    if notice is None or row is None:
        return None
    is_wanted = notice["wanted"] and row["is_newest"]
    return replace(version, is_wanted=is_wanted, notice_was_sent=row["notice_was_sent"])


def lock(conn: Connection, notice_id: UUID, version: int) -> NoticeVersion | None:
    """A version as it is now, locked for this transaction whatever its lease; None where there is none."""
    conn.execute(HOLD_NOTICE, [notice_id])
    row = conn.execute(LOCK_VERSION, [notice_id, version]).fetchone()
    return None if row is None else replace(version_of(row), notice_was_sent=row["notice_was_sent"])


def newest(conn: Connection, notice_id: UUID) -> NoticeVersion | None:
    """The newest version of a notice, locked; None where there is no such notice."""
    row = conn.execute(NEWEST, [notice_id]).fetchone()
    return None if row is None else lock(conn, notice_id, row["version"])


def to_resend(
    conn: Connection, authority_codes: Sequence[str], *, state: NoticeState, older_than: datetime, limit: int
) -> Sequence[NoticeVersion]:
    """The newest versions of some authorities' notices in an open state that are wanted, locked, the oldest first."""
    values = {
        "authority_codes": list(authority_codes),
        "state": state,
        "older_than": older_than,
        "limit": limit,
    }
    rows = conn.execute(TO_RESEND, values).fetchall()
    found = [lock(conn, row["notice_id"], row["version"]) for row in rows]
    return [version for version in found if version is not None and version.state is state and version.is_wanted]


def supersede_earlier(conn: Connection, version: NoticeVersion, *, now: datetime) -> None:
    """Ends the earlier versions of a loaded one that are SENT or RECEIVED."""
    conn.execute(SUPERSEDE_EARLIER, {"notice_id": version.notice_id, "version": version.version, "now": now})


def set_body(conn: Connection, version: NoticeVersion, sealed: bytes) -> bool:
    """Replaces the body of a version that is still leased by this worker; returns whether it is."""
    return conn.execute(SET_BODY, [sealed, version.notice_id, version.version, version.lease]).rowcount > 0


def settle(conn: Connection, version: NoticeVersion, step: Step, *, now: datetime) -> None:
    """Saves a step. `version` must be held, or taken in this transaction."""
    conn.execute(SETTLE, _values(version, step, now))


def _values(version: NoticeVersion, step: Step, now: datetime) -> Mapping[str, Any]:
    return {
        "notice_id": version.notice_id,
        "version": version.version,
        "state": step.state,
        "may_be_held": step.may_be_held,
        "wait_seconds": step.wait_seconds,
        "receipt": step.receipt,
        "refused_fields": list(step.refused_fields),
        "is_acknowledged": step.is_acknowledged,
        "is_received": step.is_acknowledged and step.state is not NoticeState.SENT,
        "is_loaded": step.state is NoticeState.LOADED,
        "is_superseded": step.state is NoticeState.SUPERSEDED,
        "is_disputed": step.is_disputed,
        "is_given_up": step.state is NoticeState.REFUSED and not version.is_wanted,
        "now": now,
    }


def version_of(row: Row) -> NoticeVersion:
    """The version of a row with the columns of LOCK_VERSION, but for `notice_was_sent`."""
    names = ("notice_id", "version", "claim_ref", "authority_code", "lease", "attempts", "polls", "is_wanted")
    return NoticeVersion(
        **{name: row[name] for name in names},
        state=NoticeState(row["state"]),
        may_be_held=row["might_be_held"],
        is_disputed=row["disputed"] is not None,
        first_contact_time=row["first_contact_time"],
        sent_time=row["sent"],
        notice_was_sent=row["sent"] is not None,
    )
