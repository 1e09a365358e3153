"""Tries at security questions over all calls: back-off, locks, and lifting one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chassis import call, logs
from chassis.database import Connection
from chassis.errors import CmsError, StaleVersion
from intake import metrics
from intake.domain.call import Call
from intake.domain.security import Failures, Kind
from intake.store import security as store

TRIES_KEPT = timedelta(days=365)
PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class Tries:
    """The tries at one claim's questions in the caller's call, which nobody else takes meanwhile."""

    own: Call
    claim_ref: str
    failures: tuple[Failures, ...]

    def note(self, conn: Connection, *, passed: bool) -> None:
        """Notes one, and counts it by claim and by operator."""
        store.note_try(
            conn, call_id=self.own.call_id, claim_ref=self.claim_ref, operator=self.own.operator, passed=passed
        )
        for before in self.failures:
            after = before.after(passed=passed, now=_real_now())
            if after != before:
                store.save_failures(conn, after)
            if after.locked_time:
                logs.get().warning("security questions locked", kind=after.kind, claim_ref=self.claim_ref)
        outcome = "PASSED" if passed else "FAILED"
        conn.after_commit(lambda: metrics.SECURITY_TRIES.labels(outcome).inc())


def expect_try(conn: Connection, own: Call, claim_ref: str) -> Tries:
    """The tries at the claim's questions, where another is allowed now.

    Locks are taken in one order: the claim's failures, then the operator's. Raises PermissionDenied (`SECURITY_LOCKED`) and
    ResourceExhausted (`SECURITY_WAIT`), whatever the answers are: a right one is not told from a wrong one.
    """
    counted = ((Kind.CLAIM, claim_ref), (Kind.OPERATOR, own.operator))
    failures = tuple(store.lock_failures(conn, kind, name) for kind, name in counted)
    try:
        for known in failures:
            known.expect_open(now=_real_now())
    except CmsError as refused:
        metrics.SECURITY_TRIES.labels("REFUSED").inc()
        refused.metadata["claim_ref"] = claim_ref
        raise
    return Tries(own=own, claim_ref=claim_ref, failures=failures)


def list_locks(conn: Connection, *, after: tuple[datetime, str, str] | None, limit: int) -> Sequence[Failures]:
    """A page of the claims and operators that are locked, the oldest lock first."""
    return store.load_locks(conn, after=after, limit=limit)


def lift_lock(conn: Connection, kind: Kind, name: str, *, version: int) -> Failures:
    """Lifts a lock: what was counted is forgotten, and the tries stay noted.

    Raises NotFound, StaleVersion, and what `Failures.lifted` raises.
    """
    by = call.current().identity.subject
    locked = store.lock_known_failures(conn, kind, name)
    if locked.version != version:
        raise StaleVersion(given=version, current=locked.version)
    lifted = locked.lifted(by=by)
    store.save_failures(conn, lifted)
    store.note_lifted(conn, lifted, by=by)
    logs.get().info("security lock lifted", kind=kind, by=by)
    return lifted


def prune(conn: Connection) -> bool:
    """Deletes a part of the tries that are older than a year; gives whether there may be more."""
    return store.prune_tries(conn, keep=TRIES_KEPT, number=PRUNED_AT_ONCE) == PRUNED_AT_ONCE


def _real_now() -> datetime:
    """The real time: nobody who moves the platform's clock ends a wait."""
    return datetime.now(UTC)
