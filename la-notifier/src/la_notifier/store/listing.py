"""Lists of versions for officers, each read from an index in its order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, LiteralString
from uuid import UUID

from chassis.database import Connection
from la_notifier.domain.listing import Clock, DuePlace, DueWithin, NoticeDue, NoticeFilter, NoticePlace
from la_notifier.domain.notices import NoticeState, NoticeSummary
from la_notifier.store.summaries import SUMMARY, summary_of

_OPEN: LiteralString = (
    "(version.state IN ('WAITING', 'SENT', 'RECEIVED') OR (version.state = 'REFUSED' AND NOT version.followed))"
)
_FIRST = NoticePlace(created=datetime.min.replace(tzinfo=UTC), notice_id=UUID(int=0), version=0)
_ENDED = frozenset({NoticeState.LOADED, NoticeState.SUPERSEDED})

VERSION: LiteralString = f"""
    -- A version for an officer.
    SELECT {SUMMARY} FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
    WHERE version.notice_id = %s AND version.version = %s
"""  # noqa: S608 - of literals alone

_RUNNING: LiteralString = """
    SELECT running.notice_id, running.clock, running.due_on FROM notice_clocks AS running
    WHERE running.due_on <= %(until_on)s
        AND (running.due_on, running.notice_id, running.clock) > (%(due_on)s, %(notice_id)s, %(clock)s)
"""
_FIRST_TO_RUN_OUT = "ORDER BY running.due_on, running.notice_id, running.clock LIMIT %(limit)s"
_SHOWN_DUE: LiteralString = f"""
    SELECT running.clock, running.due_on, {SUMMARY}
    FROM page AS running JOIN notices AS notice USING (notice_id)
        JOIN notice_versions AS version ON version.notice_id = notice.notice_id AND NOT version.followed
    {_FIRST_TO_RUN_OUT}
"""  # noqa: S608 - of literals alone

DUE: LiteralString = f"""
    -- The clocks that run out, the first to do so first.
    WITH page AS ({_RUNNING} {_FIRST_TO_RUN_OUT}) {_SHOWN_DUE}
"""
DUE_OF_AUTHORITIES: LiteralString = f"""
    -- The clocks of some authorities' notices that run out, the first to do so first. Each authority's are read in their order.
    WITH page AS (
        SELECT running.* FROM unnest(%(authority_codes)s::text[]) AS one (code) CROSS JOIN LATERAL (
            {_RUNNING} AND running.authority_code = one.code {_FIRST_TO_RUN_OUT}
        ) AS running {_FIRST_TO_RUN_OUT}
    ) {_SHOWN_DUE}
"""  # noqa: S608 - of literals alone

_OLDEST_FIRST = "ORDER BY version.created, version.notice_id, version.version LIMIT %(limit)s"


def list_notices(
    conn: Connection, wanted: NoticeFilter, *, after: NoticePlace | None, limit: int
) -> Sequence[NoticeSummary]:
    """The versions that are asked for, the oldest first. A claim's are all there, whatever their state."""
    found: LiteralString = f"""
        SELECT version.created, version.notice_id, version.version FROM notice_versions AS version
        WHERE (version.created, version.notice_id, version.version) > (%(created)s, %(notice_id)s, %(version)s)
            AND {_chosen(wanted)}
    """  # noqa: S608 - of literals alone
    page: LiteralString = f"{found} {_OLDEST_FIRST}"
    if wanted.authority_codes is not None:
        page = f"""
            SELECT version.* FROM unnest(%(authority_codes)s::text[]) AS one (code) CROSS JOIN LATERAL (
                {found} AND version.authority = one.code {_OLDEST_FIRST}
            ) AS version {_OLDEST_FIRST}
        """  # noqa: S608 - of literals alone
    query: LiteralString = f"""
        -- Versions for an officer, the oldest first. Each authority's are read in their order.
        WITH page AS ({page})
        SELECT {SUMMARY} FROM page JOIN notice_versions AS version USING (notice_id, version)
            JOIN notices AS notice USING (notice_id)
        {_OLDEST_FIRST}
    """  # noqa: S608 - of literals alone
    values: dict[str, Any] = {
        "authority_codes": list(wanted.authority_codes or ()),
        "state": wanted.state,
        "claim_ref": wanted.claim_ref,
        "limit": limit,
        **vars(after or _FIRST),
    }
    return [summary_of(row) for row in conn.execute(query, values)]


def version_of(conn: Connection, notice_id: UUID, version: int) -> NoticeSummary:
    """A version that exists."""
    [row] = conn.execute(VERSION, [notice_id, version])
    return summary_of(row)


def _chosen(wanted: NoticeFilter) -> LiteralString:
    chosen: list[LiteralString] = []
    if wanted.claim_ref:
        chosen.append("version.notice_id IN (SELECT notice_id FROM notices WHERE claim_ref = %(claim_ref)s)")
    if wanted.state is not None:
        chosen.append("version.state = %(state)s")
    if wanted.is_late:
        chosen.append(
            "version.late_states <> '{}' AND (version.state = ANY(version.late_states)"
            " OR version.disputed IS NOT NULL AND 'DISPUTED' = ANY(version.late_states))"
        )
    if wanted.state not in _ENDED and not wanted.claim_ref:
        chosen.append(_OPEN)
    return " AND ".join(chosen) or "true"


def due(conn: Connection, within: DueWithin, *, after: DuePlace | None, limit: int) -> Sequence[NoticeDue]:
    """The clocks that run out within these days, the first to do so first."""
    place = after or DuePlace(due_on=within.from_on, notice_id=UUID(int=0), clock=Clock.CLAIM)
    values = {
        "until_on": within.until_on,
        "authority_codes": list(within.authority_codes or ()),
        "due_on": place.due_on,
        "notice_id": place.notice_id,
        "clock": place.clock,
        "limit": limit,
    }
    query = DUE if within.authority_codes is None else DUE_OF_AUTHORITIES
    return [_due_of(**row) for row in conn.execute(query, values)]


def _due_of(*, clock: str, due_on: date, **summary: object) -> NoticeDue:
    return NoticeDue(clock=Clock(clock), due_on=due_on, notice=summary_of(summary))
