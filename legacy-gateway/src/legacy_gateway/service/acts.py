"""Acts of persons with transfers: retrying and cancelling, those that were named at once, those of a filter at a rate.

An act is a row, and so is each transfer that it deals with: a worker goes on with it whatever ends meanwhile. Each transfer
is looked at again when its turn comes, under the lock of its claim, and what that says is done and kept in one transaction.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import psycopg

from chassis import clock, crash, logs
from chassis.database import Connection, Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.vault import Vault
from legacy_gateway.domain import Transfer
from legacy_gateway.domain.desk import Act, ActKind, AtDesk, Doing, Filter, Outcome, Result, Standing
from legacy_gateway.service import changes
from legacy_gateway.store import acts, chosen, claims, desk

MOST_CHOSEN = 50_000
"""The most transfers that one act takes."""
_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Done:
    """The results of an act, done or previewed: for each transfer that is shown, and in numbers. `act`: one that has begun."""

    results: Sequence[Result]
    counts: Sequence[tuple[Outcome, int]]
    act: Act | None = None


def preview_named(conn: Connection, kind: ActKind, transfer_ids: Sequence[str]) -> Done:
    """Previews an act on these transfers."""
    results = [_previewed(conn, kind, transfer_id) for transfer_id in transfer_ids]
    return Done(results=results, counts=_counted(results))


def preview_chosen(conn: Connection, kind: ActKind, wanted: Filter) -> Done:
    """Previews an act on all transfers of a filter. Raises FailedPrecondition where they are too many."""
    transfer_ids = _chosen(conn, wanted)
    counts: Counter[Outcome] = Counter()
    for standing, number in desk.count(conn, transfer_ids, with_phases=kind is ActKind.CANCEL):
        counts[_outcome(kind, standing)] += number
    shown = [_previewed(conn, kind, transfer_id) for transfer_id in transfer_ids[:_SHOWN]]
    return Done(results=shown, counts=sorted(counts.items()))


def act_on_named(
    conn: Connection, vault: Vault, kind: ActKind, transfer_ids: Sequence[str], *, reason: str, by: str
) -> Done:
    """Deals with these transfers now, in one transaction."""
    now = clock.now()
    act = _act(kind, reason=reason, by=by, rate=len(transfer_ids), finished=True)
    acts.add(conn, vault, act, transfer_ids)
    # In the order of the claims, so that two acts never wait for each other.
    found = {transfer_id: desk.claim_of(conn, transfer_id) or "" for transfer_id in transfer_ids}
    done = {
        transfer_id: apply(conn, kind, transfer_id, Doing(by=by, act_id=act.act_id))
        for transfer_id in sorted(found, key=lambda one: (found[one], one))
    }
    for number, transfer_id in enumerate(transfer_ids, start=1):
        acts.settle_item(conn, act.act_id, number, done[transfer_id].outcome)
    acts.finish(conn, act.act_id, now=now)
    results = [done[transfer_id] for transfer_id in transfer_ids]
    return Done(results=results, counts=_counted(results))


def begin(conn: Connection, vault: Vault, kind: ActKind, wanted: Filter, *, rate: int, reason: str, by: str) -> Done:
    """Begins an act with all transfers of a filter, so many a minute. Raises FailedPrecondition where they are too many."""
    act = _act(kind, reason=reason, by=by, rate=rate, finished=False)
    acts.add(conn, vault, act, _chosen(conn, wanted))
    logs.get().info("bulk act begun", act_id=str(act.act_id), kind=kind)
    begun = acts.find(conn, vault, act.act_id)
    return Done(results=(), counts=begun.counts if begun else (), act=begun)


def list_acts(conn: Connection, vault: Vault, *, before: tuple[datetime, UUID], limit: int) -> Sequence[Act]:
    """Acts before a place, the newest first."""
    return acts.page(conn, vault, before=before, limit=limit)


def stop(conn: Connection, vault: Vault, act_id: UUID, *, by: str) -> Act:
    """Stops an act where it is; one that is through or was stopped stays as it is. Raises NotFound."""
    acts.stop(conn, act_id, by=by, now=clock.now())
    found = acts.find(conn, vault, act_id)
    if found is None:
        raise NotFound("BULK_ACT_UNKNOWN", "there is no such act", metadata={"act_id": str(act_id)})
    return found


def work_next(database: Database) -> bool:
    """Deals with the next transfer of the act that is due for longest; says whether one was due."""
    with database.transaction() as conn:
        taken = acts.take(conn)
        if taken is None:
            return False
        act_id, kind, by = taken
        item = acts.next_item(conn, act_id)
        if item is None:
            acts.finish(conn, act_id, now=clock.now())
            logs.get().info("bulk act finished", act_id=str(act_id), kind=kind)
            return True
        number, transfer_id = item
        result = apply(conn, kind, transfer_id, Doing(by=by, act_id=act_id))
        acts.settle_item(conn, act_id, number, result.outcome)
        crash.point("bulk_act.before_commit")
    return True


def apply(conn: Connection, kind: ActKind, transfer_id: str, doing: Doing) -> Result:
    """Does with a transfer what the act does with one that stands like this, and keeps it in its history."""
    claim_ref = desk.claim_of(conn, transfer_id)
    if claim_ref is None:
        return Result(transfer_id=transfer_id, claim_ref="", outcome=Outcome.NOT_FOUND)
    claims.note_amendment(conn, claim_ref, version=0)
    desk.lock(conn, transfer_id)
    found = desk.find(conn, transfer_id)
    outcome = Outcome.NOT_FOUND if found is None else _outcome(kind, found.standing)
    if found is not None and outcome.changes:
        outcome = _done(conn, found, outcome, doing)
    return Result(transfer_id=transfer_id, claim_ref=claim_ref, outcome=outcome)


def _done(conn: Connection, found: AtDesk, outcome: Outcome, doing: Doing) -> Outcome:
    try:
        with conn.transaction():
            _change(conn, found.transfer, outcome, doing)
    except psycopg.errors.UniqueViolation:
        # Another record of the phase is on its way: the ledger's constraints allow one.
        return Outcome.WAITS_FOR_ANOTHER
    return outcome


def _change(conn: Connection, transfer: Transfer, outcome: Outcome, doing: Doing) -> None:
    match outcome:
        case Outcome.SENT_NOW:
            desk.send_now(conn, transfer, doing)
        case Outcome.ASKED_NOW:
            desk.ask_now(conn, transfer, doing)
        case Outcome.CANCELLED:
            desk.cancel(conn, transfer, doing)
            changes.take_turn(conn, transfer.claim_ref, transfer.system)
        case _:
            _make_anew(conn, transfer, doing)


def _make_anew(conn: Connection, transfer: Transfer, doing: Doing) -> None:
    """Another record of the same version goes in the place of a refused one, as a correction does."""
    desk.note(conn, transfer, doing, reason="MADE_ANEW")
    changes.send_anew(conn, transfer.claim_ref, transfer.system)


def _previewed(conn: Connection, kind: ActKind, transfer_id: str) -> Result:
    found = desk.find(conn, transfer_id)
    if found is None:
        return Result(transfer_id=transfer_id, claim_ref="", outcome=Outcome.NOT_FOUND)
    outcome = _outcome(kind, found.standing)
    return Result(transfer_id=transfer_id, claim_ref=found.transfer.claim_ref, outcome=outcome)


def _outcome(kind: ActKind, standing: Standing) -> Outcome:
    return standing.cancelled() if kind is ActKind.CANCEL else standing.retried()


def _chosen(conn: Connection, wanted: Filter) -> Sequence[str]:
    found = chosen.transfer_ids(conn, wanted, limit=MOST_CHOSEN + 1)
    if len(found) > MOST_CHOSEN:
        raise FailedPrecondition("TOO_MANY_CHOSEN", f"one act takes {MOST_CHOSEN} transfers: narrow the filter")
    return found


def _act(kind: ActKind, *, reason: str, by: str, rate: int, finished: bool) -> Act:
    now = clock.now()
    return Act(
        act_id=uuid4(),
        kind=kind,
        reason=reason,
        by=by,
        rate=rate,
        total=0,
        counts=(),
        created=now,
        stopped_time=None,
        stopped_by="",
        finished_time=now if finished else None,
    )


def _counted(results: Sequence[Result]) -> Sequence[tuple[Outcome, int]]:
    return sorted(Counter(result.outcome for result in results).items())
