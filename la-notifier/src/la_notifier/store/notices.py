"""Notices with their versions, and the leases under which a version is sent and asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.database import Connection, Row
from la_notifier.authorities import Authority

_NOTICES = "SELECT notice_id, authority_code, wanted FROM notices WHERE claim_ref = %s FOR UPDATE"
_VERSIONS = """
    SELECT version, kind, state, may_be_held, body FROM notice_versions WHERE notice_id = %s ORDER BY version
"""
# The constraint one_notice_for_claim_and_authority holds what must never happen twice.
_ADD_NOTICE = """
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_ADD_VERSION = """
    INSERT INTO notice_versions
        (notice_id, version, kind, body, first_contact_time, first_contact_on, proof_due_on, created)
    VALUES (%(notice_id)s, %(version)s, %(kind)s, %(body)s, %(first_contact_time)s, %(first_contact_on)s,
        %(proof_due_on)s, %(created)s)
"""
_SET_WANTED = "UPDATE notices SET wanted = %s WHERE notice_id = %s"

# Gives up what waits and is not under way; what is under way is settled by whoever claims it next.
_GIVE_UP_WAITING = """
    UPDATE notice_versions SET state = 'SUPERSEDED', next_attempt_time = NULL, superseded = %(now)s
    WHERE notice_id = %(notice_id)s AND state = 'WAITING' AND (leased_until IS NULL OR leased_until <= clock_timestamp())
"""

# Whatever their state: one that is being settled now may be refused by that.
_FOLLOW = "UPDATE notice_versions SET followed = true WHERE notice_id = %s AND NOT followed"

# The next version to send to an authority with the API; never while another of its notice is under way.
_NEXT_TO_SEND = """
    SELECT version.notice_id, version.version, version.body, version.attempts, version.may_be_held,
        notice.claim_ref, notice.authority_code, key.key_id, key.wrapped,
        notice.wanted AND version.version = (
            SELECT max(newest.version) FROM notice_versions AS newest WHERE newest.notice_id = version.notice_id
        ) AS to_be_sent
    FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
        LEFT JOIN data_keys AS key USING (claim_ref)
    WHERE version.state = 'WAITING' AND version.next_attempt_time <= clock_timestamp() AND notice.channel = 'API'
        AND NOT EXISTS (
            SELECT 1 FROM notice_versions AS other
            WHERE other.notice_id = version.notice_id AND other.state = 'WAITING'
                AND other.leased_until > clock_timestamp()
        )
    ORDER BY version.next_attempt_time LIMIT 1
    FOR UPDATE OF version, notice SKIP LOCKED
"""
_NEXT_TO_ASK = """
    SELECT version.notice_id, version.version, version.polls, notice.claim_ref, notice.authority_code
    FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
    WHERE version.state IN ('SENT', 'RECEIVED') AND version.next_attempt_time <= clock_timestamp()
    ORDER BY version.next_attempt_time LIMIT 1
    FOR UPDATE OF version SKIP LOCKED
"""
# Until it is answered, the authority may have it.
_LEASE_TO_SEND = """
    UPDATE notice_versions
    SET lease = gen_random_uuid(), attempts = attempts + 1, may_be_held = true,
        leased_until = clock_timestamp() + make_interval(secs => %(seconds)s),
        next_attempt_time = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE notice_id = %(notice_id)s AND version = %(version)s
    RETURNING lease
"""
_LEASE_TO_ASK = """
    UPDATE notice_versions
    SET lease = gen_random_uuid(), polls = polls + 1,
        next_attempt_time = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE notice_id = %(notice_id)s AND version = %(version)s
    RETURNING lease
"""
_SUPERSEDE = """
    UPDATE notice_versions
    SET state = 'SUPERSEDED', lease = NULL, leased_until = NULL, next_attempt_time = NULL, superseded = %(now)s
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""
_HOLD_VERSION = """
    SELECT version.kind, version.state, version.first_contact_time, version.sent, notice.claim_ref,
        notice.authority_code,
        NOT EXISTS (
            SELECT 1 FROM notice_versions AS before WHERE before.notice_id = version.notice_id AND before.sent IS NOT NULL
        ) AS never_sent
    FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
    WHERE version.notice_id = %s AND version.version = %s AND version.lease = %s
    FOR UPDATE OF version
"""
_SAVE_WAITING = """
    UPDATE notice_versions
    SET state = 'WAITING', lease = NULL, leased_until = NULL, may_be_held = %(may_be_held)s,
        next_attempt_time = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""
_SAVE_SENT = """
    UPDATE notice_versions
    SET state = 'SENT', lease = NULL, leased_until = NULL, receipt = %(receipt)s, sent = coalesce(sent, %(now)s),
        polls = 0, next_attempt_time = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""
_SAVE_REFUSED = """
    UPDATE notice_versions
    SET state = 'REFUSED', lease = NULL, leased_until = NULL, next_attempt_time = NULL, refused_fields = %(fields)s
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""
_SAVE_ASKED_AGAIN = """
    UPDATE notice_versions
    SET state = %(state)s, lease = NULL,
        received = CASE WHEN %(state)s = 'RECEIVED' THEN coalesce(received, %(now)s) END,
        next_attempt_time = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""
_SAVE_LOADED = """
    UPDATE notice_versions
    SET state = 'LOADED', lease = NULL, next_attempt_time = NULL, received = coalesce(received, %(now)s),
        loaded = %(now)s
    WHERE notice_id = %(notice_id)s AND version = %(version)s
"""

_NOTICES_TO_SHOW = """
    SELECT notice.notice_id, notice.authority_code, notice.authority_name, notice.channel, version.version, version.kind,
        version.state, version.first_contact_on, version.proof_due_on, version.sent, version.received, version.loaded,
        version.attempts, version.next_attempt_time, version.refused_fields
    FROM notices AS notice JOIN notice_versions AS version USING (notice_id)
    WHERE notice.claim_ref = %s
    ORDER BY notice.notice_id, version.version
"""


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A version of a notice that this worker alone may settle, until its lease ends."""

    notice_id: UUID
    version: int
    lease: UUID
    attempts: int
    claim_ref: str
    authority_code: str


def notices_of(conn: Connection, claim_ref: str) -> Sequence[Row]:
    """The notices of a claim, locked: notice_id, authority_code, wanted."""
    return conn.execute(_NOTICES, [claim_ref]).fetchall()


def versions_of(conn: Connection, notice_id: UUID) -> Sequence[Row]:
    """The versions of a notice, oldest first: version, kind, state, may_be_held, body (sealed)."""
    return conn.execute(_VERSIONS, [notice_id]).fetchall()


def add_notice(conn: Connection, *, notice_id: UUID, claim_ref: str, authority: Authority, intention_on: date) -> None:
    """Adds a notice without a version. psycopg.errors.UniqueViolation where the claim has one for the authority."""
    values = [notice_id, claim_ref, authority.code, authority.name, authority.channel.name, intention_on]
    conn.execute(_ADD_NOTICE, values)


def add_version(conn: Connection, **columns: Any) -> None:
    """Adds a version that waits; those that waited before it are given up. Columns as `_ADD_VERSION` names them."""
    if columns["version"] > 1:
        conn.execute(_GIVE_UP_WAITING, {"notice_id": columns["notice_id"], "now": columns["created"]})
        conn.execute(_FOLLOW, [columns["notice_id"]])
    conn.execute(_ADD_VERSION, columns)


def set_wanted(conn: Connection, notice_id: UUID, *, wanted: bool, now: datetime) -> None:
    """Says whether this authority is to be told; if not, what waits is given up."""
    conn.execute(_SET_WANTED, [wanted, notice_id])
    if not wanted:
        conn.execute(_GIVE_UP_WAITING, {"notice_id": notice_id, "now": now})


def next_to_send(conn: Connection) -> Row | None:
    """The version that is due longest, locked with its notice; `to_be_sent` is false where it is not the newest."""
    return conn.execute(_NEXT_TO_SEND).fetchone()


def next_to_ask(conn: Connection) -> Row | None:
    """The version sent of which its authority is to be asked."""
    return conn.execute(_NEXT_TO_ASK).fetchone()


def lease_to_send(conn: Connection, row: Row, *, seconds: float) -> Leased:
    """Takes what `next_to_send` gave."""
    return _leased(row, conn.execute(_LEASE_TO_SEND, row | {"seconds": seconds}).fetchone(), row["attempts"] + 1)


def lease_to_ask(conn: Connection, row: Row, *, seconds: float) -> Leased:
    """Takes what `next_to_ask` gave."""
    return _leased(row, conn.execute(_LEASE_TO_ASK, row | {"seconds": seconds}).fetchone(), row["polls"] + 1)


def _leased(row: Row, lease: Row | None, attempts: int) -> Leased:
    names = ("notice_id", "version", "claim_ref", "authority_code")
    return Leased(**{name: row[name] for name in names}, lease=(lease or {})["lease"], attempts=attempts)


def hold_version(conn: Connection, leased: Leased) -> Row | None:
    """The version's row, locked; None where the lease is no longer this worker's."""
    return conn.execute(_HOLD_VERSION, [leased.notice_id, leased.version, leased.lease]).fetchone()


def supersede(conn: Connection, notice_id: UUID, version: int, *, now: datetime) -> None:
    """A later version takes its place, or nobody is to be told."""
    conn.execute(_SUPERSEDE, {"notice_id": notice_id, "version": version, "now": now})


def save_waiting(conn: Connection, leased: Leased, *, seconds: float, may_be_held: bool) -> None:
    """It is to be sent (again) after so many seconds."""
    conn.execute(_SAVE_WAITING, _key(leased) | {"seconds": seconds, "may_be_held": may_be_held})


def save_sent(conn: Connection, leased: Leased, *, receipt: str, now: datetime, seconds: float) -> None:
    """The authority's receipt is here; it is asked after so many seconds."""
    conn.execute(_SAVE_SENT, _key(leased) | {"receipt": receipt, "now": now, "seconds": seconds})


def save_refused(conn: Connection, leased: Leased, *, fields: Sequence[str]) -> None:
    """The authority refused it."""
    conn.execute(_SAVE_REFUSED, _key(leased) | {"fields": list(fields)})


def save_asked_again(conn: Connection, leased: Leased, *, state: str, now: datetime, seconds: float) -> None:
    """It is SENT or RECEIVED, and asked about again after so many seconds."""
    conn.execute(_SAVE_ASKED_AGAIN, _key(leased) | {"state": state, "now": now, "seconds": seconds})


def save_loaded(conn: Connection, leased: Leased, *, now: datetime) -> None:
    """The authority has it in its system."""
    conn.execute(_SAVE_LOADED, _key(leased) | {"now": now})


def _key(leased: Leased) -> dict[str, Any]:
    return {"notice_id": leased.notice_id, "version": leased.version}


def notices_to_show(conn: Connection, claim_ref: str) -> Sequence[Row]:
    """Every version of a claim's notices, without what they tell."""
    return conn.execute(_NOTICES_TO_SHOW, [claim_ref]).fetchall()
