"""Whether a system is sent anything: the breaker that its silence opens, the probe, the drain, and holds.

The breaker is for all processes. It opens after twenty attempts in a row without any readable reply. Then nothing is sent but
a probe, which asks about a transfer that nobody knows. Any readable answer closes the breaker, and what waited goes out in
order at a rising rate. See ADR 46.
"""

from collections.abc import Sequence
from datetime import datetime, time

from chassis import clock, logs
from chassis.backoff import any_jitter
from chassis.database import Connection
from legacy_gateway.domain import (
    DOUBLING_SECONDS,
    DRAIN_SECONDS,
    FIRST_LET_GO,
    OPENS_AFTER,
    Breaker,
    NotFed,
    NotHeld,
    System,
    SystemAnswer,
    SystemCounts,
    SystemStatus,
    check_until,
    new_transfer_id,
    probe_wait,
)
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import systems
from legacy_gateway.systems import RULES


def note(conn: Connection, resources: Resources, system: System, answer: SystemAnswer) -> None:
    """Notes whether a system answered. Call it last in a transaction: while a system fails all processes write to one row."""
    if answer.was_answered:
        if systems.note_answered(conn, system):
            logs.get().warning("breaker closed", system=system)
    elif answer.was_answered is not None:
        wait = probe_wait(0, scale=resources.time_scale, spread=any_jitter())
        if systems.note_unanswered(conn, system, most=OPENS_AFTER, wait_seconds=wait) == OPENS_AFTER:
            logs.get().warning("breaker opened", system=system, reason=answer.reason)


def may_let_go(conn: Connection, system: System, *, time_scale: float) -> bool:
    """Whether a transfer may be taken although a drain is on. A hold whose time is over ends here."""
    gate = systems.gate(conn, system)
    if gate.hold is not None:
        if systems.end_hold(conn, system, now=clock.now()):
            logs.get().warning("hold ended", system=system)
        return False
    if gate.breaker is not Breaker.DRAINING:
        return False
    doubling, drain = DOUBLING_SECONDS * time_scale, DRAIN_SECONDS * time_scale
    return systems.let_go(conn, system, first=FIRST_LET_GO, doubling_seconds=doubling, drain_seconds=drain)


def probe(resources: Resources, system: System) -> bool:
    """Asks a system whose breaker is open whether it answers again, where that is due; says whether it did.

    The question is about a transfer that nobody knows, so that a probe leaves nothing behind, whatever befalls it.
    """
    with resources.database.transaction() as conn:
        number = systems.claim_probe(conn, system, seconds=resources.lease_seconds)
    if number is None:
        return False
    answer = resources.adapters[system].ask(new_transfer_id())
    with resources.database.transaction() as conn:
        if not answer.was_answered:
            wait = probe_wait(number, scale=resources.time_scale, spread=any_jitter())
            systems.put_off_probe(conn, system, wait_seconds=wait)
        note(conn, resources, system, answer)
    logs.get().info("system probed", system=system, result=answer.result, reason=answer.reason)
    return bool(answer.was_answered)


def show_systems(conn: Connection) -> Sequence[SystemStatus]:
    """Every system that this release feeds."""
    now = clock.now()
    begun = datetime.combine(clock.today(), time.min, tzinfo=clock.LONDON)
    counts = {found.system: found for found in systems.counts(conn, since=begun)}
    return [_status(conn, counts.get(system, SystemCounts(system=system)), now=now) for system in RULES]


def _status(conn: Connection, counts: SystemCounts, *, now: datetime) -> SystemStatus:
    oldest = (now - counts.oldest).total_seconds() if counts.oldest else 0.0
    return SystemStatus(counts=counts, gate=systems.gate(conn, counts.system), oldest_seconds=oldest)


def hold(conn: Connection, system: System, *, reason: str, until: datetime | None, by: str) -> SystemStatus:
    """Sends a system nothing more until it is released, or until a time of the platform; what is on its way is awaited.

    A second order replaces the reason and the end. Raises FailedPrecondition for a time that is over, and NotFed.
    """
    _must_be_fed(system)
    check_until(until, now=clock.now())
    systems.hold(conn, system, reason=reason, until=until, by=by, now=clock.now())
    logs.get().warning("system held", system=system, until=str(until or ""))
    return _shown(conn, system)


def release(conn: Connection, system: System, *, by: str) -> SystemStatus:
    """Ends a hold; what waited goes out in order at a rising rate. Raises NotHeld and NotFed."""
    _must_be_fed(system)
    if not systems.release(conn, system, by=by, now=clock.now()):
        raise NotHeld(system)
    logs.get().warning("system released", system=system)
    return _shown(conn, system)


def _shown(conn: Connection, system: System) -> SystemStatus:
    [status] = [found for found in show_systems(conn) if found.counts.system is system]
    return status


def _must_be_fed(system: System) -> None:
    if system not in RULES:
        raise NotFed(system)
