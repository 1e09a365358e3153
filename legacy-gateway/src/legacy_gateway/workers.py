"""The threads of the gateway: the keeper of its lock, senders, which send and ask, a sweeper for what they left.

Two more look after claims that were withdrawn, and after schemes that wait for a system.
"""

from collections.abc import Sequence
from functools import partial

from chassis import remote
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.workers import Turns, Worker
from legacy_gateway import machine
from legacy_gateway.clients import IntakeClient, RecordLinkSystem
from legacy_gateway.config import Settings
from legacy_gateway.domain import System
from legacy_gateway.link import LinkPool
from legacy_gateway.service.confirmations import take_up_next
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.service.withdrawals import settle_all, withdraw_half

_PAUSE_SECONDS = 0.2
_SWEEP_SECONDS = 1.0
_TAKE_UP_SECONDS = 60.0
"""A system comes with a release, so what waits for it is mostly taken up at the start."""


def workers(settings: Settings, runtime: Runtime) -> Sequence[Worker]:
    """The threads of a process."""
    resources = _resources(settings, runtime)
    send = partial(send_next, resources)
    senders = [Worker(f"sender-{number}", send, pause_seconds=0) for number in range(1, settings.senders + 1)]
    return [
        Worker("presence", resources.presence.keep, pause_seconds=0),
        *senders,
        Worker("sweeper", partial(sweep, resources), pause_seconds=_SWEEP_SECONDS),
        Worker("withdrawals", partial(settle_all, runtime.database), pause_seconds=_SWEEP_SECONDS),
        Worker("half-claims", partial(withdraw_half, resources), pause_seconds=_SWEEP_SECONDS),
        Worker("uncarried", partial(take_up_next, runtime.database), pause_seconds=_TAKE_UP_SECONDS),
    ]


def _resources(settings: Settings, runtime: Runtime) -> Resources:
    pool = LinkPool(settings.jsaps_host, settings.jsaps_port, size=settings.senders, timeout=settings.reply_seconds)
    presence = Presence(settings.database_url, close_links=pool.reset)
    runtime.closing.callback(presence.close)  # after the pool
    runtime.closing.callback(pool.close)
    return Resources(
        database=runtime.database,
        vault=runtime.vault,
        intake=IntakeClient(runtime.closing.enter_context(remote.channel(settings.intake_address)), runtime.token),
        systems={System.JSAPS: RecordLinkSystem(System.JSAPS, pool)},
        postcodes=runtime.closing.enter_context(Postcodes(settings.postcodes_file)),
        reply_seconds=settings.reply_seconds,
        time_scale=settings.time_scale,
        presence=presence,
        watch=Watch(),
        turns=Turns(pause_seconds=_PAUSE_SECONDS),
        clock=DatabaseClock(machine.boot_id()),
    )
