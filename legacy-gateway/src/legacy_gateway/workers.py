"""The threads of the gateway: keepers of its lock and its connections, a crew of senders for each system, a sweeper.

A crew sends to its own system and asks it, so that one that hangs holds up none. For each system one thread holds the ledger
against its lists. More threads look after claims that were withdrawn, and after schemes that wait for a system.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.workers import Turns, Worker
from legacy_gateway import machine
from legacy_gateway.clients import AssessmentClient, IntakeClient
from legacy_gateway.config import Settings
from legacy_gateway.service import acts
from legacy_gateway.service.changes import take_turns, withdraw_first_phase
from legacy_gateway.service.confirmations import take_up_next
from legacy_gateway.service.connections import Connections
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.file_work import FileWork
from legacy_gateway.service.lost_records import reconcile
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.service.reconciling import Reconciliation
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.stalls import tell_stalled
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.service.withdrawals import settle_all, withdraw_half
from legacy_gateway.systems import DEPLOYED, RULES, Deployed, DeployedFiles, PayingSystem
from legacy_gateway.systems.record_link import RecordLinkSystem

_PAUSE_SECONDS = 0.2
_SWEEP_SECONDS = 1.0
_FILE_PAUSE_SECONDS = 0.5
_RECONCILE_SECONDS = 1.0
"""Somebody may wait for a balance."""
_STALL_SECONDS = 60.0
_TAKE_UP_SECONDS = 60.0
"""A system comes with a release, so what waits for it is mostly taken up at the start."""


def workers(settings: Settings, runtime: Runtime) -> Sequence[Worker]:
    """The threads of a process."""
    resources = _resources(settings, runtime)
    return [
        Worker("presence", resources.presence.keep, pause_seconds=0),
        Worker(
            "connections",
            partial(resources.connections.keep, runtime.database, resources.presence),
            pause_seconds=_PAUSE_SECONDS,
        ),
        *_senders(settings, resources),
        Worker("sweeper", partial(sweep, resources), pause_seconds=_SWEEP_SECONDS),
        Worker("withdrawals", partial(settle_all, runtime.database), pause_seconds=_SWEEP_SECONDS),
        Worker("half-claims", partial(withdraw_half, resources), pause_seconds=_SWEEP_SECONDS),
        *_reconcilers(settings, resources),
        Worker("bulk-acts", partial(acts.work_next, runtime.database), pause_seconds=_PAUSE_SECONDS),
        Worker("stalls", partial(tell_stalled, runtime.database), pause_seconds=_STALL_SECONDS),
        Worker("changes", partial(take_turns, runtime.database), pause_seconds=_SWEEP_SECONDS),
        Worker("first-phases", partial(withdraw_first_phase, resources), pause_seconds=_SWEEP_SECONDS),
        *_file_workers(resources),
        Worker("uncarried", partial(take_up_next, runtime.database), pause_seconds=_TAKE_UP_SECONDS),
    ]


def _senders(settings: Settings, resources: Resources) -> Iterator[Worker]:
    for deployed in DEPLOYED:
        system = deployed.rules.system
        for number in range(1, deployed.senders(settings) + 1):
            name = f"sender-{system.lower().replace('_', '-')}-{number}"
            yield Worker(name, partial(send_next, resources, system), pause_seconds=0)


def _reconcilers(settings: Settings, resources: Resources) -> Iterator[Worker]:
    for system, adapter in resources.adapters.items():
        work = Reconciliation(
            database=resources.database,
            database_url=settings.database_url,
            rules=RULES[system],
            adapter=adapter,
            hour=settings.reconcile_hour,
            lease_seconds=resources.lease_seconds,
            time_scale=resources.time_scale,
        )
        name = f"reconciler-{system.lower().replace('_', '-')}"
        yield Worker(name, partial(reconcile, work), pause_seconds=_RECONCILE_SECONDS)


def _file_workers(resources: Resources) -> Iterator[Worker]:
    for system in resources.files:
        step = FileWork(resources, system).step
        yield Worker(f"files-{system.lower()}", step, pause_seconds=_FILE_PAUSE_SECONDS)


def _close_links(systems: Iterable[PayingSystem], connections: Connections) -> None:
    connections.give_up()
    for system in systems:
        system.reset()


def _resources(settings: Settings, runtime: Runtime) -> Resources:
    systems = {one.rules.system: one.connect(settings) for one in DEPLOYED if isinstance(one, Deployed)}
    files = {one.rules.system: one.connect(settings) for one in DEPLOYED if isinstance(one, DeployedFiles)}
    connected: list[PayingSystem] = [*systems.values(), *files.values()]
    connections = Connections(
        {one: adapter for one, adapter in systems.items() if isinstance(adapter, RecordLinkSystem)}
    )
    presence = Presence(settings.database_url, close_links=partial(_close_links, connected, connections))
    runtime.closing.callback(presence.close)  # after the connections to the systems
    for one in connected:
        runtime.closing.callback(one.close)
    return Resources(
        database=runtime.database,
        vault=runtime.vault,
        intake=IntakeClient(runtime.channel("intake-svc", settings.intake_address), runtime.tokens),
        assessment=AssessmentClient(runtime.channel("assessment-svc", settings.assessment_address), runtime.tokens),
        systems=systems,
        files=files,
        file_seconds=settings.file_seconds,
        postcodes=runtime.closing.enter_context(Postcodes(settings.postcodes_file)),
        reply_seconds=settings.reply_seconds,
        time_scale=settings.time_scale,
        presence=presence,
        connections=connections,
        watch=Watch(),
        turns={system: Turns(pause_seconds=_PAUSE_SECONDS) for system in (*systems, *files)},
        clock=DatabaseClock(machine.boot_id()),
    )
