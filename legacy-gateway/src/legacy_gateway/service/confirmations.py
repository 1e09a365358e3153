"""The use cases of events: a confirmation starts transfers, an amendment makes a held change or a correction."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from chassis import logs
from chassis.database import Connection, Database
from legacy_gateway.domain import Confirmation, System, sorted_by_carrier
from legacy_gateway.store import claims, crisis_loans, uncarried, withdrawals
from legacy_gateway.systems import RULES, SYSTEM_OF_SCHEME


def confirm(
    conn: Connection,
    confirmation: Confirmation,
    schemes: Iterable[str],
    *,
    systems: Mapping[str, System] | None = None,
) -> None:
    """Starts the transfers of a confirmed claim's schemes; a second call changes nothing, and a withdrawn claim has none.

    A scheme that no system carries yet waits, and does not hold up the others. An amendment heard of earlier makes a held
    change. Raises FailedPrecondition for a claim of no scheme. `systems` are those of a release, by scheme; by default
    those of this one.
    """
    carried, waiting = sorted_by_carrier(schemes, SYSTEM_OF_SCHEME if systems is None else systems)
    amended = claims.note_amendment(conn, confirmation.claim_ref, version=0)
    if withdrawals.withdraw_time_of(conn, confirmation.claim_ref) is not None:
        logs.get().info("confirmation of a withdrawn claim left", claim_ref=confirmation.claim_ref)
        return
    uncarried.add(conn, confirmation, waiting)
    _start(conn, confirmation, carried, amended=amended)


def take_up_next(database: Database, *, systems: Mapping[str, System] | None = None) -> bool:
    """Starts the transfers of the claim that has waited longest for a system that is deployed now; says whether one did."""
    systems = SYSTEM_OF_SCHEME if systems is None else systems
    with database.transaction() as conn:
        claim_ref = uncarried.next_claim(conn, systems)
        if claim_ref is None:
            return False
        amended = claims.note_amendment(conn, claim_ref, version=0)
        for scheme, confirmation in uncarried.take(conn, claim_ref, systems):
            _start(conn, confirmation, [systems[scheme]], amended=amended)
            logs.get().info("scheme taken up", claim_ref=claim_ref, scheme=scheme, system=systems[scheme])
    return True


def _start(conn: Connection, confirmation: Confirmation, systems: Iterable[System], *, amended: int) -> None:
    for system in systems:
        claims.add_new(conn, confirmation, RULES[system])
    if amended:
        _hold_change(conn, confirmation.claim_ref, version=amended)


def amend(conn: Connection, claim_ref: str, *, version: int) -> None:
    """Remembers an amendment; if the claim was confirmed at an older version and not withdrawn, it makes a held change.

    If the record before it was refused, the change is the correction and goes at once.
    """
    newest = claims.note_amendment(conn, claim_ref, version=version)
    if withdrawals.withdraw_time_of(conn, claim_ref) is not None:
        return
    _hold_change(conn, claim_ref, version=newest)
    claims.send_corrected(conn, claim_ref)


def keep_crisis_loan(conn: Connection, claim_ref: str, *, version: int, request_time: datetime) -> None:
    """Keeps that a crisis loan was asked for in a call, before the claim is submitted; a second call changes nothing."""
    crisis_loans.keep_request(conn, claim_ref, version=version, request_time=request_time)


def _hold_change(conn: Connection, claim_ref: str, *, version: int) -> None:
    for newest in claims.newest(conn, claim_ref):
        if newest.claim_version >= version:
            continue
        if newest.is_held:
            claims.move_change_on(conn, newest, claim_version=version)
        else:
            claims.add_change(conn, newest, claim_version=version)
