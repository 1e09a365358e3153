"""The use cases of events: a confirmation starts transfers, an amendment makes what changes of them it must."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from chassis import logs
from chassis.database import Connection, Database
from legacy_gateway.domain import Confirmation, System, sorted_by_carrier
from legacy_gateway.service import changes
from legacy_gateway.store import changes as amendments
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

    A scheme that no system carries yet waits, and does not hold up the others. An amendment heard of earlier is taken
    in at once. Raises FailedPrecondition for a claim of no scheme. `systems` are those of a release, by scheme; by default
    those of this one.
    """
    carried, waiting = sorted_by_carrier(schemes, SYSTEM_OF_SCHEME if systems is None else systems)
    claims.note_amendment(conn, confirmation.claim_ref, version=0)
    if withdrawals.withdraw_time_of(conn, confirmation.claim_ref) is not None:
        logs.get().info("confirmation of a withdrawn claim left", claim_ref=confirmation.claim_ref)
        return
    uncarried.add(conn, confirmation, waiting)
    _start(conn, confirmation, carried)


def take_up_next(database: Database, *, systems: Mapping[str, System] | None = None) -> bool:
    """Starts the transfers of the claim that has waited longest for a system that is deployed now; says whether one did."""
    systems = SYSTEM_OF_SCHEME if systems is None else systems
    with database.transaction() as conn:
        claim_ref = uncarried.next_claim(conn, systems)
        if claim_ref is None:
            return False
        claims.note_amendment(conn, claim_ref, version=0)
        for scheme, confirmation in uncarried.take(conn, claim_ref, systems):
            _start(conn, confirmation, [systems[scheme]])
            logs.get().info("scheme taken up", claim_ref=claim_ref, scheme=scheme, system=systems[scheme])
    return True


def _start(conn: Connection, confirmation: Confirmation, systems: Iterable[System]) -> None:
    """An amendment that was heard of before its confirmation is taken in at once."""
    for system in systems:
        amendments.locked_entries(conn, confirmation.claim_ref, system)
        claims.add_new(conn, confirmation, RULES[system])
        changes.take_turn(conn, confirmation.claim_ref, system)


def amend(conn: Connection, claim_ref: str, *, version: int, facts: Collection[str]) -> None:
    """Keeps that these facts were amended, and does what follows from it for each system to which the claim goes."""
    claims.note_amendment(conn, claim_ref, version=version)
    amendments.note_facts(conn, claim_ref, version=version, facts=facts)
    for system in amendments.systems_of(conn, claim_ref):
        changes.take_turn(conn, claim_ref, system)


def keep_crisis_loan(conn: Connection, claim_ref: str, *, version: int, request_time: datetime) -> None:
    """Keeps that a crisis loan was asked for in a call, before the claim is submitted; a second call changes nothing."""
    crisis_loans.keep_request(conn, claim_ref, version=version, request_time=request_time)
