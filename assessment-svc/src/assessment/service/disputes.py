"""Keeps disputes in step with the items that are disputed."""

from collections.abc import Sequence

from assessment.domain.assessments import Assessment
from assessment.domain.disputes import Dispute, raised, settled
from assessment.domain.items import Check, Checked, ItemStatus
from assessment.store import disputes as store
from chassis import call, clock
from chassis.database import Connection


def follow(conn: Connection, before: Assessment, after: Assessment, *, checks: Sequence[Check], by: Checked) -> None:
    """Ends the disputes that the caller's act has settled, and keeps those that its checks raise."""
    new = raised(before, after, checks, by=by)
    end_settled(conn, before, after, by=by.by, new=new)
    for dispute in new:
        store.add(conn, call.current().vault, after.claim_ref, dispute)


def end_settled(
    conn: Connection, before: Assessment, after: Assessment, *, by: str | None, new: Sequence[Dispute] = ()
) -> None:
    """Ends the disputes that are over; `by`: None where another service's news ended them."""
    if outcomes := settled(before, after, new):
        store.settle(conn, after.claim_ref, outcomes, by=by, at=clock.now())


def open_disputes(conn: Connection, assessment: Assessment) -> tuple[Dispute, ...]:
    """The open disputes of the claim, with both versions."""
    if not any(item.status is ItemStatus.DISPUTED for item in assessment.items.values()):
        return ()
    return store.of_claim(conn, call.current().vault, assessment.claim_ref, only_open=True)
