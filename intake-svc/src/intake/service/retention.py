"""Holding claims, and erasing those whose time is over."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis import call, clock, erasure, logs, outbox
from chassis.database import Connection
from chassis.errors import FailedPrecondition
from cms.intake.v1 import events_pb2
from intake.domain.retention import LARGEST_BATCH, Erasure, LegalHold, kept_since
from intake.service.access import cipher_of
from intake.store import retention as store
from intake.store.claims import ClaimFound, lock_tries


def place_hold(conn: Connection, claim_ref: str, *, reason: str) -> LegalHold:
    """Keeps a claim until the hold is lifted.

    Raises NotFound, FailedPrecondition (`CLAIM_ERASED`), and AlreadyExists (`LEGAL_HOLD`) where a hold stands.
    """
    found, by = _locked(conn, claim_ref)
    hold = LegalHold(hold_id=uuid4(), claim_ref=claim_ref, reason=reason, placed_by=by, placed_time=clock.now())
    store.save_hold(conn, cipher_of(found), hold)
    logs.get().info("legal hold placed", claim_ref=claim_ref)
    return hold


def lift_hold(conn: Connection, claim_ref: str) -> LegalHold:
    """Ends the hold of a claim. Raises NotFound, and FailedPrecondition (`NO_LEGAL_HOLD`)."""
    found, by = _locked(conn, claim_ref)
    hold = store.load_hold(conn, cipher_of(found), claim_ref)
    if hold is None:
        raise FailedPrecondition("NO_LEGAL_HOLD", "the claim is not held", metadata={"claim_ref": claim_ref})
    lifted = hold.lifted(by=by, at=clock.now())
    store.save_lifted(conn, lifted)
    logs.get().info("legal hold lifted", claim_ref=claim_ref)
    return lifted


def list_holds(conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> list[LegalHold]:
    """The holds that stand, the oldest first."""
    return store.load_holds(conn, call.current().vault, after=after or _BEFORE_ALL, limit=limit)


def count_due(conn: Connection) -> Erasure:
    """Counts the claims that an erasure would erase."""
    return store.counts(conn, since=kept_since(clock.now()), erased=0)


def erase_due(conn: Connection, *, limit: int) -> Erasure:
    """Erases claims whose time is over, the oldest first, and tells every service to do so too."""
    now = clock.now()
    since = kept_since(now)
    due = store.lock_due(conn, since=since, limit=min(limit or LARGEST_BATCH, LARGEST_BATCH))
    refs = [row["claim_ref"] for row in due]
    store.erase(conn, refs, at=now)
    erasure.forget(conn, refs)
    for row in due:
        outbox.append(conn, claim_ref=row["claim_ref"], version=row["version"], event=events_pb2.ClaimErased())
    logs.get().info("claims erased", count=len(refs))
    return store.counts(conn, since=since, erased=len(refs))


def _locked(conn: Connection, claim_ref: str) -> tuple[ClaimFound, str]:
    by = call.current().identity.subject
    return lock_tries(conn, claim_ref, caller=by), by


_BEFORE_ALL = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
