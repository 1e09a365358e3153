"""Sending the transfer that is due for longest, or asking what became of it.

A step is short transactions with the slow calls between them, held together by a lease. A record that may be at the
system is committed as SENDING before its first byte goes out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from chassis import clock, crash, logs, tracing
from chassis.errors import CmsError
from legacy_gateway import mapping, metrics
from legacy_gateway.domain import (
    AlreadyLeased,
    Exchange,
    Leased,
    LeaseLost,
    Result,
    State,
    Step,
    System,
    SystemAnswer,
    Transfer,
    trust,
)
from legacy_gateway.service import breakers, payloads
from legacy_gateway.service.payloads import Record
from legacy_gateway.service.resources import SEND_WITHIN_SECONDS, Resources
from legacy_gateway.service.settling import log_step, settle
from legacy_gateway.store import leases

_MAY_BE_OPEN = "CONNECTION_MAY_BE_OPEN"
"""The reason if the system does not know the record, but its sender may still have the connection open."""


def send_next(resources: Resources, system: System) -> bool:
    """Sends or asks about the transfer that is due for longest at a system; says whether there may be more.

    If the system's breaker is open, it is probed when that is due.
    """
    try:
        leased = resources.turns[system].find(lambda: _take(resources, system))
    except AlreadyLeased:
        return True
    if leased is None:
        return _may_send(resources, system) and breakers.probe(resources, system)
    tracing.enter(tracing.child_of(leased.traceparent))
    try:
        _go_on(resources, leased)
    except LeaseLost as lost:
        _warn_of_lost_lease(leased.transfer, lost)
    return True


def _may_send(resources: Resources, system: System) -> bool:
    return resources.presence.is_held and resources.connections.may_call(system)


def _take(resources: Resources, system: System) -> Leased | None:
    if not _may_send(resources, system):
        return None
    with resources.database.transaction() as conn:
        seconds = resources.lease_seconds
        leased = leases.take(conn, system, seconds=seconds)
        if leased is None and breakers.may_let_go(conn, system, time_scale=resources.time_scale):
            leased = leases.take(conn, system, seconds=seconds, let_go=True)
        if leased is None or leased.transfer.state is not State.UNKNOWN:
            return leased
        steady_since = resources.clock.steady_since(conn)
        return replace(leased, closed_seconds=leases.closed_seconds(conn, leased.transfer, steady_since=steady_since))


def _go_on(resources: Resources, leased: Leased) -> None:
    if leased.transfer.state is State.UNKNOWN:
        _ask(resources, leased)
    else:
        _send(resources, leased)


def _ask(resources: Resources, leased: Leased) -> None:
    transfer = leased.transfer
    if transfer.rules.exchange is Exchange.FILES and _left_to_file(resources, leased):
        return
    with _counting_defects(resources, leased, transfer):
        answer = resources.adapters[transfer.system].ask(transfer.transfer_id)
        crash.point("enquiry.after_answer")
        waits = resources.waits
        final = waits.is_final(transfer.rules, leased.closed_seconds)
        step = transfer.asked(answer, waits, final=final)
        may_be_open = answer.result is Result.NOT_KNOWN and not final and leased.closed_seconds is None
        reason = _MAY_BE_OPEN if may_be_open else answer.reason
        _settle(resources, leased, transfer, step, reason=reason, answer=answer)


def _left_to_file(resources: Resources, leased: Leased) -> bool:
    with resources.database.transaction() as conn:
        return leases.leave_to_file(conn, leased)


def _send(resources: Resources, leased: Leased) -> None:
    with _counting_defects(resources, leased, leased.transfer):
        record = _record(resources, leased)
        if record is None:
            return
        crash.point("transfer.after_facts")
        if leased.transfer.rules.exchange is Exchange.FILES:
            _make_ready(resources, leased, record)
            return
    with resources.presence.sending() as sender_id, resources.watch.owing(leased):
        _send_record(resources, leased, record, sender_id=sender_id)


def _send_record(resources: Resources, leased: Leased, record: Record, *, sender_id: int) -> None:
    # Its connection must be closed before its lease ends and somebody asks: it sends early or not at all.
    send_by = time.monotonic() + SEND_WITHIN_SECONDS
    with _counting_defects(resources, leased, leased.transfer):
        _begin(resources, leased, record, sender_id=sender_id)
    crash.point("transfer.before_first_byte")
    sending = leased.transfer.begun()
    with _counting_defects(resources, leased, sending):
        _exchange(resources, leased, sending, record.payload, send_by=send_by)


def _make_ready(resources: Resources, leased: Leased, record: Record) -> None:
    """Leaves the record to the next file."""
    with resources.database.transaction() as conn:
        cipher = resources.vault.cipher(conn, leased.transfer.claim_ref)
        elsewhere = leases.make_ready(conn, leased, cipher, record.payload)
        payloads.keep_for_others(conn, resources, leased.transfer, record, is_needed_elsewhere=elsewhere)


def _record(resources: Resources, leased: Leased) -> Record | None:
    """The record to send; None where it cannot be made, which is settled by then."""
    transfer = leased.transfer
    try:
        return payloads.record_of(resources, leased)
    except payloads.FactsAway as away:
        # Whatever the reason, the claim must not be lost: it stays, and its age shows.
        _settle(resources, leased, transfer, transfer.put_off(resources.waits), reason=away.reason)
    except mapping.Unfit as unfit:
        step = transfer.unfit(unfit.messages, needs_person=unfit.needs_person)
        _settle(resources, leased, transfer, step, reason=unfit.reason)
        metrics.FAILED_PUSHES.labels(transfer.system, "OWN_CHECK").inc()
    except trust.Unvouched as unvouched:
        step = transfer.unfit(unvouched.messages, needs_person=True)
        _settle(resources, leased, transfer, step, reason=unvouched.reason)
        metrics.FAILED_PUSHES.labels(transfer.system, unvouched.reason).inc()
    return None


def _begin(resources: Resources, leased: Leased, record: Record, *, sender_id: int) -> None:
    with resources.database.transaction() as conn:
        cipher = resources.vault.cipher(conn, leased.transfer.claim_ref)
        seconds = resources.lease_seconds
        elsewhere = leases.begin(conn, leased, cipher, record.payload, seconds=seconds, sender_id=sender_id)
        payloads.keep_for_others(conn, resources, leased.transfer, record, is_needed_elsewhere=elsewhere)


def _exchange(resources: Resources, leased: Leased, sending: Transfer, payload: bytes, *, send_by: float) -> None:
    system = resources.systems[sending.system]
    answer = system.send(sending.phase, sending.transfer_id, payload, send_by=send_by)
    crash.point("transfer.after_reply")
    step = sending.sent(answer, resources.waits)
    _settle(resources, leased, sending, step, reason=answer.reason, answer=answer)
    metrics.count_attempt(sending, answer.result, answer.reason)


def _settle(
    resources: Resources,
    leased: Leased,
    transfer: Transfer,
    step: Step,
    *,
    reason: str,
    answer: SystemAnswer | None = None,
) -> None:
    """Stores a step; `answer` is the system's, where it was asked."""
    # The consequences of the step go to the database in one trip.
    with resources.database.transaction() as conn, conn.pipeline():
        settle(conn, resources.vault, transfer, token=leased.token, step=step, reason=reason)
        if answer is not None:
            breakers.note(conn, resources, transfer.system, answer)
    crash.point("transfer.after_storing")
    if step.state is State.ACCEPTED and transfer.is_last_phase:
        taken = clock.now() - leased.confirmation.confirmed_time
        metrics.COMPLETION.labels(transfer.system).observe(taken.total_seconds())
    log_step(transfer, step.state, reason)


@contextmanager
def _counting_defects(resources: Resources, leased: Leased, transfer: Transfer) -> Iterator[None]:
    """If our own code fails over a transfer, puts the transfer off or leaves it to a person, and lets the error go on.

    An error that passes by itself says nothing about the transfer: it is taken again when its lease has ended.
    """
    try:
        yield
    except Exception as error:
        if not _will_pass(error):
            _settle_defect(resources, leased, transfer)
        raise


def _settle_defect(resources: Resources, leased: Leased, transfer: Transfer) -> None:
    metrics.count_defect(transfer)
    try:
        _settle(resources, leased, transfer, transfer.hit_defect(resources.waits), reason=metrics.DEFECT)
    except LeaseLost as lost:  # the defect itself is still raised
        _warn_of_lost_lease(transfer, lost)


def _will_pass(error: Exception) -> bool:
    """Whether the database or another service was away, or another worker has the transfer by now."""
    if isinstance(error, CmsError):
        return error.will_pass or isinstance(error, LeaseLost)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _warn_of_lost_lease(transfer: Transfer, lost: LeaseLost) -> None:
    logs.get().warning(
        "lease lost",
        transfer_id=transfer.transfer_id,
        claim_ref=transfer.claim_ref,
        system=transfer.system,
        phase=transfer.phase,
        reason=lost.reason,
    )
