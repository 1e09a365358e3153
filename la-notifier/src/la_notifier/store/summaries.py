"""Versions of notices as they are shown: without their content."""

from typing import LiteralString

from chassis.database import Row
from la_notifier.domain.notices import NoticeKind, NoticeState, NoticeSummary

SUMMARY: LiteralString = """
    notice.notice_id, notice.claim_ref, notice.authority_code, notice.authority_name, version.channel, version.version,
    version.kind, version.state, version.first_contact_on, notice.intention_on,
    (version.first_contact_on + interval '1 month')::date AS intention_due_on,
    (notice.intention_on + interval '1 month')::date AS claim_due_on, version.proof_due_on,
    (SELECT min(due_on) FROM notice_clocks AS clock WHERE clock.notice_id = notice.notice_id) AS at_stake_on,
    version.state = ANY(version.late_states)
        OR version.disputed IS NOT NULL AND 'DISPUTED' = ANY(version.late_states) AS is_late,
    version.created, version.sent, version.received, version.loaded, version.disputed, version.attempts,
    version.next_attempt_time, version.refused_fields
"""
"""The columns of a version as it is shown, without the content; of `notices AS notice` and `notice_versions AS version`."""


def summary_of(row: Row) -> NoticeSummary:
    """A version as it is shown, from the columns of SUMMARY."""
    return NoticeSummary(**row | {"kind": NoticeKind(row["kind"]), "state": NoticeState(row["state"])})
