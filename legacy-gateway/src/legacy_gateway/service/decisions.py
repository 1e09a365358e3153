"""Decisions on claims that systems hold: which wait for one, and what was decided.

A claim is listed as undecided in the transaction that stores its last phase as accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import clock, outbox
from chassis.database import Connection
from chassis.enums import number_of
from chassis.errors import FailedPrecondition
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2
from legacy_gateway.data import deadline_of
from legacy_gateway.domain import Transfer
from legacy_gateway.domain.decisions import Decision, Undecided, UndecidedPlace
from legacy_gateway.store import claims, withdrawals
from legacy_gateway.store import decisions as store


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of undecided claims; `end` is the place behind its last one, None where there is no more."""

    claims: Sequence[Undecided]
    end: UndecidedPlace | None


def await_decision(conn: Connection, transfer: Transfer, legacy_ref: str, *, confirmed_time: datetime) -> None:
    """Lists a claim as undecided for each scheme that the system pays; a second time changes nothing."""
    for scheme in transfer.rules.schemes:
        undecided = Undecided(
            claim_ref=transfer.claim_ref,
            scheme=scheme,
            system=transfer.system,
            legacy_ref=legacy_ref,
            confirmed_time=confirmed_time,
            accepted_time=clock.now(),
            deadline_time=deadline_of(scheme, confirmed_time=confirmed_time),
        )
        store.add(conn, undecided)


def list_undecided(
    conn: Connection, schemes: Sequence[str], *, older_than: datetime | None, after: UndecidedPlace | None, limit: int
) -> Page:
    """A page of the claims of these schemes that wait for a decision, those first that were accepted first."""
    found = store.page(conn, schemes, older_than=older_than, after=after, limit=limit + 1)
    end = _place_of(found[limit - 1]) if len(found) > limit else None
    return Page(claims=found[:limit], end=end)


def _place_of(one: Undecided) -> UndecidedPlace:
    return UndecidedPlace(accepted_time=one.accepted_time, claim_ref=one.claim_ref, scheme=one.scheme)


def record_decision(conn: Connection, decision: Decision) -> Decision:
    """Records a decision, or the correction of one, and tells of it.

    Raises AlreadyExists, StaleVersion, and FailedPrecondition where no system holds the claim or it is withdrawn.
    """
    claims.note_amendment(conn, decision.claim_ref, version=0)
    decision.follow(_newest_version(conn, decision))
    if decision.version == 1:
        _must_be_awaited(conn, decision)
    store.add_decision(conn, decision)
    event = events_pb2.DecisionRecorded(
        scheme=number_of(common_pb2.Scheme, decision.scheme), decision_version=decision.version
    )
    outbox.append(conn, claim_ref=decision.claim_ref, version=decision.version, event=event)
    return decision


def decisions_of(conn: Connection, claim_ref: str) -> Sequence[Decision]:
    """Every version of the decisions on a claim, by scheme, the newest of each first."""
    return store.of_claim(conn, claim_ref)


def _newest_version(conn: Connection, decision: Decision) -> int:
    found = store.of_claim(conn, decision.claim_ref)
    return max((one.version for one in found if one.scheme == decision.scheme), default=0)


def _must_be_awaited(conn: Connection, decision: Decision) -> None:
    """Takes the claim off the list. FailedPrecondition where it is withdrawn, even if it is listed still, or not listed."""
    metadata = {"claim_ref": decision.claim_ref}
    if withdrawals.withdraw_time_of(conn, decision.claim_ref) is not None:
        raise FailedPrecondition("CLAIM_WITHDRAWN", "the claim is withdrawn: it is not decided", metadata=metadata)
    if not store.take(conn, decision.claim_ref, decision.scheme):
        raise FailedPrecondition(
            "NOT_ACCEPTED", "no system holds the claim whole for this scheme yet", metadata=metadata
        )
