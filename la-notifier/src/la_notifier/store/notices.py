"""Notices, one for each claim and authority, and the making of their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from chassis.authorities import Authority
from chassis.database import Connection, Row
from la_notifier.domain.content import PreviousVersion
from la_notifier.domain.date_of_claim import DateBasis, DateOfClaim
from la_notifier.domain.notices import NoticeKind, NoticeState, NoticeSummary
from la_notifier.store import clocks, work_items
from la_notifier.store.summaries import SUMMARY, summary_of

NOTICES_OF_CLAIM = """
    -- Locks the notices of a claim.
    SELECT notice_id, authority_code, channel, wanted FROM notices WHERE claim_ref = %s FOR UPDATE
"""

VERSIONS_OF_NOTICE = """
    -- The versions of a notice, oldest first.
    SELECT kind, state, may_be_held, followed FROM notice_versions WHERE notice_id = %s ORDER BY version
"""

NEWEST_BODY = """
    -- What the newest version of a notice says, sealed.
    SELECT version, body FROM notice_versions WHERE notice_id = %s ORDER BY version DESC LIMIT 1
"""

ADD_NOTICE = """
    -- The constraint one_notice_for_claim_and_authority refuses a second notice.
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    VALUES (%s, %s, %s, %s, %s, %s)
"""

NOTICE = """
    -- A notice and the kind of its newest version.
    SELECT notice.claim_ref, notice.authority_code, (
        SELECT kind FROM notice_versions AS version WHERE version.notice_id = notice.notice_id
        ORDER BY version.version DESC LIMIT 1
    ) AS kind
    FROM notices AS notice WHERE notice.notice_id = %s
"""

SET_DATE_OF_CLAIM = """
    -- The date of claim that the authority's rule gives.
    UPDATE notices
    SET date_of_claim = %(day)s, date_of_claim_basis = %(basis)s, date_of_claim_rule = %(rule)s,
        date_of_claim_settled = %(is_settled)s
    WHERE notice_id = %(notice_id)s
"""

DATES_OF_CLAIM = """
    -- The dates of claim at the authorities of a claim.
    SELECT notice_id, date_of_claim AS day, date_of_claim_basis AS basis, date_of_claim_rule AS rule,
        date_of_claim_settled AS is_settled
    FROM notices WHERE claim_ref = %s AND date_of_claim IS NOT NULL ORDER BY notice_id
"""

ABANDON = """
    -- Ends whatever is open at an authority that is no more, unless it is under way: then it is ended the next time.
    UPDATE notice_versions
    SET state = CASE WHEN state = 'REFUSED' THEN state ELSE 'SUPERSEDED' END, followed = true, lease = NULL,
        next_attempt_time = NULL, disputed = NULL, superseded = CASE WHEN state <> 'REFUSED' THEN %(now)s END
    WHERE notice_id = %(notice_id)s AND state IN ('WAITING', 'SENT', 'RECEIVED', 'REFUSED')
        AND (leased_until IS NULL OR leased_until <= statement_timestamp())
"""

SET_WANTED = """
    -- Whether the authority needs the notice.
    UPDATE notices SET wanted = %s WHERE notice_id = %s
"""

FOLLOW = """
    -- Marks all versions so far as followed by a later one. It waits for a version that is being settled: the settled state
    -- is what GIVE_UP sees afterwards.
    UPDATE notice_versions SET followed = true WHERE notice_id = %s AND NOT followed
"""

GIVE_UP = """
    -- Supersedes what waits and is not under way. A version under way is superseded when it is settled or taken again. What the
    -- authority refused needs no later version any more.
    UPDATE notice_versions
    SET state = CASE WHEN state = 'REFUSED' THEN state ELSE 'SUPERSEDED' END, followed = followed OR state = 'REFUSED',
        lease = NULL, next_attempt_time = NULL, superseded = CASE WHEN state <> 'REFUSED' THEN %(now)s END, disputed = NULL
    WHERE notice_id = %(notice_id)s AND (state = 'WAITING' OR state = 'REFUSED' AND NOT followed)
        AND (leased_until IS NULL OR leased_until <= statement_timestamp())
"""

ADD_VERSION = """
    -- A further version, which waits to be sent.
    INSERT INTO notice_versions
        (notice_id, version, channel, authority, kind, body, first_contact_time, first_contact_on, proof_due_on, created)
    VALUES (%(notice_id)s, %(version)s, %(channel)s,
        (SELECT authority_code FROM notices WHERE notice_id = %(notice_id)s),
        %(kind)s, %(body)s, %(first_contact_time)s, %(first_contact_on)s, %(proof_due_on)s, %(created)s)
"""

SUMMARIES_OF_CLAIM: LiteralString = f"""
    -- Every version of the notices of a claim, without the content.
    SELECT {SUMMARY} FROM notices AS notice JOIN notice_versions AS version USING (notice_id)
    WHERE notice.claim_ref = %s
    ORDER BY notice.notice_id, version.version
"""  # noqa: S608 - of literals alone


def notices_of(conn: Connection, claim_ref: str) -> Sequence[Row]:
    """The notices of a claim, locked: notice_id, authority_code, channel, wanted."""
    return conn.execute(NOTICES_OF_CLAIM, [claim_ref]).fetchall()


def versions_of(conn: Connection, notice_id: UUID) -> Sequence[PreviousVersion]:
    """The versions of a notice, oldest first."""
    return [_previous_version_of(row) for row in conn.execute(VERSIONS_OF_NOTICE, [notice_id])]


def newest_body(conn: Connection, notice_id: UUID) -> Row | None:
    """The newest version's number and body (sealed): version, body. None where the notice has no version."""
    return conn.execute(NEWEST_BODY, [notice_id]).fetchone()


def add_notice(conn: Connection, *, notice_id: UUID, claim_ref: str, authority: Authority, intention_on: date) -> None:
    """Adds a notice without a version. Raises psycopg.errors.UniqueViolation where the claim has one for the authority."""
    values = [notice_id, claim_ref, authority.code, authority.name, authority.channel.name, intention_on]
    conn.execute(ADD_NOTICE, values)


def add_version(conn: Connection, version: Mapping[str, Any]) -> None:
    """Adds a version that waits to be sent, with the columns of ADD_VERSION; those that waited are superseded."""
    if version["version"] > 1:
        conn.execute(FOLLOW, [version["notice_id"]])
        give_up(conn, version["notice_id"], now=version["created"])
    conn.execute(ADD_VERSION, version)
    if version["kind"] == NoticeKind.WITHDRAWN:
        clocks.stop_all(conn, version["notice_id"])
    elif version["version"] == 1 or version["kind"] != NoticeKind.CHANGE:
        clocks.start(conn, version["notice_id"])


def notice(conn: Connection, notice_id: UUID) -> Row | None:
    """A notice: claim_ref, authority_code and the newest version's kind. None where there is none."""
    return conn.execute(NOTICE, [notice_id]).fetchone()


def set_date_of_claim(conn: Connection, notice_id: UUID, found: DateOfClaim | None) -> None:
    """Keeps the date of claim; None where there is none."""
    columns = {"day": None, "basis": None, "rule": None, "is_settled": None} if found is None else asdict(found)
    conn.execute(SET_DATE_OF_CLAIM, columns | {"notice_id": notice_id})


def dates_of_claim(conn: Connection, claim_ref: str) -> Sequence[tuple[UUID, DateOfClaim]]:
    """The date of claim at each authority from which housing benefit is sought, by notice."""
    rows = conn.execute(DATES_OF_CLAIM, [claim_ref]).fetchall()
    return [(row.pop("notice_id"), DateOfClaim(**row | {"basis": DateBasis(row["basis"])})) for row in rows]


def abandon(conn: Connection, notice_id: UUID, *, now: datetime) -> None:
    """Ends what is open at an authority that is no more."""
    conn.execute(ABANDON, {"notice_id": notice_id, "now": now})
    work_items.end_refusals(conn, notice_id, now=now)


def set_wanted(conn: Connection, notice_id: UUID, *, wanted: bool) -> None:
    """Sets whether the authority needs the notice."""
    conn.execute(SET_WANTED, [wanted, notice_id])
    if wanted:
        clocks.start(conn, notice_id)
    else:
        clocks.stop_all(conn, notice_id)


def give_up(conn: Connection, notice_id: UUID, *, now: datetime) -> None:
    """Supersedes the versions that wait and are not under way. Nobody has to see to a refusal any more."""
    conn.execute(GIVE_UP, {"notice_id": notice_id, "now": now})
    work_items.end_refusals(conn, notice_id, now=now)


def summaries_of(conn: Connection, claim_ref: str) -> Sequence[NoticeSummary]:
    """Every version of the notices of a claim."""
    return [summary_of(row) for row in conn.execute(SUMMARIES_OF_CLAIM, [claim_ref])]


def _previous_version_of(row: Row) -> PreviousVersion:
    return PreviousVersion(
        kind=NoticeKind(row["kind"]),
        state=NoticeState(row["state"]),
        may_be_held=row["may_be_held"],
        is_followed=row["followed"],
    )
