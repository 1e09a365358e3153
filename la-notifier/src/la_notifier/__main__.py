"""la-notifier as a program: `python -m la_notifier`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from chassis.postcodes import Postcodes
from chassis.runtime import Runtime, Service, run
from cms.notifier.v1 import notifier_pb2
from la_notifier import consumers, gauges
from la_notifier.clients import Claims, Decisions, GatewayDecisions, IntakeClaims
from la_notifier.config import Settings
from la_notifier.deadlines import DEADLINES
from la_notifier.grpc_api import LaNotifierApi
from la_notifier.messages.clients import (
    AssessmentEvidence,
    GatewayOutcomes,
    IntakeClaimants,
    SchedulingAppointments,
    Sources,
)
from la_notifier.messages.workers import message_workers
from la_notifier.workers import workers

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(
    settings: Settings,
    *,
    claims_of: Callable[[Runtime], Claims] | None = None,
    decisions_of: Callable[[Runtime], Decisions] | None = None,
    sources_of: Callable[[Runtime], Sources] | None = None,
) -> Service:
    """The service with these settings.

    `claims_of` and `decisions_of` give the facts of claims and the decisions on them from elsewhere than the services'
    addresses, and `sources_of` what messages to claimants tell.
    """
    intake = claims_of or (
        lambda runtime: IntakeClaims(runtime.channel("intake-svc", settings.intake_address), runtime.tokens)
    )
    gateway = decisions_of or (
        lambda runtime: GatewayDecisions(runtime.channel("legacy-gateway", settings.gateway_address), runtime.tokens)
    )
    return Service(
        name="la-notifier",
        settings=settings,
        contract=notifier_pb2.DESCRIPTOR.services_by_name["LaNotifierService"],
        migrations=MIGRATIONS,
        api=lambda runtime: _api(settings, runtime, intake(runtime)),
        handlers=consumers.HANDLERS,
        workers=lambda runtime: [
            *workers(settings, intake, gateway, runtime),
            *message_workers(settings, (sources_of or partial(_sources, settings))(runtime), runtime),
        ],
        gauges=gauges.GAUGES,
        deadlines=DEADLINES,
        files=[settings.postcodes_file, settings.council_secrets_file],
    )


def _sources(settings: Settings, runtime: Runtime) -> Sources:
    tokens = runtime.tokens
    return Sources(
        claimants=IntakeClaimants(runtime.channel("intake-svc", settings.intake_address), tokens),
        appointments=SchedulingAppointments(runtime.channel("scheduling-svc", settings.scheduling_address), tokens),
        evidence=AssessmentEvidence(runtime.channel("assessment-svc", settings.assessment_address), tokens),
        decisions=GatewayOutcomes(runtime.channel("legacy-gateway", settings.gateway_address), tokens),
    )


def _api(settings: Settings, runtime: Runtime, claims: Claims) -> LaNotifierApi:
    postcodes = runtime.closing.enter_context(Postcodes(settings.postcodes_file))
    return LaNotifierApi(runtime.vault, postcodes=postcodes, claims=claims)


if __name__ == "__main__":
    run(service(Settings.read()))
