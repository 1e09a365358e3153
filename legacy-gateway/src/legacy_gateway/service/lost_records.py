"""Recovers records that a system lost. It is asked about each, and only those that it says it does not hold are sent again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chassis import clock, logs
from chassis.database import Connection
from chassis.errors import Unavailable
from legacy_gateway.domain import FOR_A_PERSON, Exchange, RecordOfClaim, Remedy, Result, State, SystemAnswer, remedy
from legacy_gateway.service.reconciling import Reconciliation, reconcile_next
from legacy_gateway.store import claims, differences, lost_records, withdrawals
from legacy_gateway.store.differences import Missing

_DAY = timedelta(days=1)
_TAKEN_OVER = "TAKEN_OVER"
"""Another worker has the difference by now: what this one learned is old, and not gone by."""
_REFUSED_THERE = "REFUSED_THERE"
"""The cause where the system now says that it refused what it had accepted."""


@dataclass(kw_only=True)
class _Found:
    """The system's answers: the records that it does not hold, and whether the answers suffice. `asked`: since when."""

    asked: datetime
    lost: list[str] = field(default_factory=list)
    withdrawn: bool = False
    refused: bool = False
    wait: float | None = None


def reconcile(work: Reconciliation) -> bool:
    """A step of a system's reconciler: asks about what is missing, else runs the next day; says whether there may be more."""
    return ask_next(work) or reconcile_next(work)


def ask_next(work: Reconciliation) -> bool:
    """Asks about the missing transfer that is due for longest, and does what follows; says whether one was due."""
    with work.database.transaction() as conn:
        missing = differences.take(conn, work.system, seconds=work.lease_seconds)
        if missing is None:
            return False
        records = differences.records_of_claim(conn, missing.claim_ref, work.system)
    found = _ask(work, missing, [record for record, _ in records])
    with work.database.transaction() as conn:
        done = _settle(conn, work, missing, found)
    logs.get().info(
        "missing transfer asked about",
        transfer_id=missing.transfer_id,
        claim_ref=missing.claim_ref,
        system=work.system,
        remedy=done,
    )
    return True


def _ask(work: Reconciliation, missing: Missing, records: Iterable[RecordOfClaim]) -> _Found:
    """Asks about the missing record; if it is lost, about every other record of the claim that should be held."""
    found = _Found(asked=clock.now())
    _note_answer(work, found, missing, missing.transfer_id)
    if not found.lost:
        return found
    for record in records:
        if record.state is State.ACCEPTED and record.transfer_id != missing.transfer_id and found.wait is None:
            _note_answer(work, found, missing, record.transfer_id)
    return found


def _note_answer(work: Reconciliation, found: _Found, missing: Missing, transfer_id: str) -> None:
    answer = _answer(work, transfer_id)
    is_missing = transfer_id == missing.transfer_id
    match answer.result:
        case Result.NOT_KNOWN:
            found.lost.append(transfer_id)
        case Result.HELD:
            found.withdrawn |= is_missing and _is_withdrawn(work, answer)
        case Result.REFUSED | Result.CONFLICT:
            found.refused |= is_missing
        case _:
            found.wait = max(answer.retry_after_seconds, work.waits.back_off(missing.setbacks))


def _answer(work: Reconciliation, transfer_id: str) -> SystemAnswer:
    """The system's answer about a record. One that is fed by files answers no enquiry: every list since the sending is read."""
    if work.rules.exchange is Exchange.RECORDS:
        return work.adapter.ask(transfer_id)
    with work.database.transaction() as conn:
        day = differences.sent_day(conn, transfer_id) - _DAY
    try:
        while day <= clock.today():
            for page in work.adapter.held_on(day):
                for record in page:
                    if record.transfer_id == transfer_id:
                        return SystemAnswer(result=Result.HELD, legacy_ref=record.legacy_ref)
            day += _DAY
    except Unavailable as away:
        return SystemAnswer(result=Result.NO_REPLY, reason=away.reason)
    return SystemAnswer(result=Result.NOT_KNOWN)


def _is_withdrawn(work: Reconciliation, answer: SystemAnswer) -> bool:
    return any(message.code == work.rules.withdrawn_code for message in answer.messages)


def _settle(conn: Connection, work: Reconciliation, missing: Missing, found: _Found) -> str:
    """Does what follows from the answers, in one transaction. The claim's row is locked, so no event comes between.

    A worker that was stopped for long does nothing: another one may have sent the record again since.
    """
    claims.note_amendment(conn, missing.claim_ref, version=0)
    if not differences.is_ours(conn, missing):
        return _TAKEN_OVER
    rows = differences.records_of_claim(conn, missing.claim_ref, work.system, lost=found.lost)
    [lost] = [record for record, _ in rows if record.transfer_id == missing.transfer_id]
    # The enquiry could not know of records accepted since, or just before.
    lags = any(
        record.lost and record.state is State.ACCEPTED and found.asked - changed < work.settling
        for record, changed in rows
    )
    if found.wait is not None or lags:
        done: str = Remedy.LATER
    elif found.refused:
        done = _REFUSED_THERE
    else:
        withdrawn = found.withdrawn or withdrawals.withdraw_time_of(conn, missing.claim_ref) is not None
        done = remedy(lost, [record for record, _ in rows], withdrawn=withdrawn)
    _do(conn, work, missing, lost, done, wait=found.wait)
    return done


def _do(
    conn: Connection, work: Reconciliation, missing: Missing, lost: RecordOfClaim, done: str, *, wait: float | None
) -> None:
    now = clock.now()
    if done == Remedy.LATER:
        differences.put_off(conn, missing, seconds=wait or work.waits.back_off(missing.setbacks))
        return
    if done in {*FOR_A_PERSON, _REFUSED_THERE}:
        differences.leave_to_a_person(conn, missing, cause=done)
        lost_records.to_clerical(conn, missing.transfer_id, now=now)
        return
    if done == Remedy.SENT_AGAIN:
        lost_records.send_again(conn, missing.transfer_id, now=now)
    elif done == Remedy.SENT_ANEW:
        lost_records.send_anew(conn, missing.claim_ref, work.system, lost.generation, now=now)
    differences.explain(conn, missing, remedy=done, now=now)
