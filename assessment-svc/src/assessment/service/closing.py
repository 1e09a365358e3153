"""Closes schemes of a claim that will not be confirmed. Nothing of it needs the claimant's answers."""

from collections.abc import Sequence

from assessment.domain.assessments import Assessment, SchemesClosed
from assessment.domain.schemes import CHILD_MAINTENANCE, Desk
from assessment.domain.states import ClosedReason
from assessment.service.assessing import by_caller, change
from assessment.service.reading import Permitted
from assessment.store import closings
from chassis import outbox
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.enums import number_of
from cms.assessment.v1 import events_pb2, record_pb2
from cms.common.v1 import common_pb2


def close_assessment(
    conn: Connection,
    claim_ref: str,
    *,
    schemes: Sequence[str],
    reason: ClosedReason,
    duplicate_of: str | None,
    version: int,
) -> Permitted:
    """Closes the schemes; intake hears of it. See Assessment.close."""
    return change(
        conn,
        claim_ref,
        None,
        lambda work: close(conn, work, schemes=schemes, reason=reason, duplicate_of=duplicate_of, version=version),
    )


def close(
    conn: Connection,
    work: Permitted,
    *,
    schemes: Sequence[str],
    reason: ClosedReason,
    duplicate_of: str | None,
    version: int,
) -> Assessment:
    """The assessment with these schemes closed; the closing and its event are written. See Assessment.close."""
    closed, event = work.assessment.close(
        schemes, reason=reason, duplicate_of=duplicate_of, version=version, closed=by_caller(), desks=work.desks
    )
    closings.add(conn, event)
    left = closed.left_at(frozenset(Desk))
    _append_event(conn, event, ends_assessment=set(left) <= {CHILD_MAINTENANCE})
    return closed


def _append_event(conn: Connection, event: SchemesClosed, *, ends_assessment: bool) -> None:
    message = events_pb2.AssessmentClosed(
        close_time=timestamp(event.closed.at),
        reason=number_of(record_pb2.ClosedReason, event.reason),
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in event.schemes],
        ends_assessment=ends_assessment,
    )
    outbox.append(conn, claim_ref=event.claim_ref, version=event.version, event=message)
