"""Runs assessment-svc."""

from pathlib import Path

from assessment import consumers
from assessment.clients import IntakeClient, OutcomesClient
from assessment.config import Settings
from assessment.data import targets
from assessment.deadlines import DEADLINES
from assessment.gauges import GAUGES
from assessment.grpc_api import AssessmentApi
from assessment.workers import workers
from chassis.runtime import Runtime, Service, run
from cms.assessment.v1 import assessment_pb2

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings) -> Service:
    """The parts of this service."""

    def api(runtime: Runtime) -> AssessmentApi:
        intake = IntakeClient(runtime.channel("intake-svc", settings.intake_address), runtime.tokens)
        outcomes = OutcomesClient(
            gateway=runtime.channel("legacy-gateway", settings.gateway_address),
            notifier=runtime.channel("la-notifier", settings.notifier_address),
            tokens=runtime.tokens,
        )
        return AssessmentApi(intake, outcomes, targets.read(settings.targets_file or targets.FILE))

    return Service(
        name="assessment-svc",
        settings=settings,
        contract=assessment_pb2.DESCRIPTOR.services_by_name["AssessmentService"],
        migrations=MIGRATIONS,
        api=api,
        handlers=consumers.HANDLERS,
        workers=workers,
        gauges=GAUGES,
        deadlines=DEADLINES,
    )


if __name__ == "__main__":
    run(service(Settings.read()))
