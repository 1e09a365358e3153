"""Runs intake-svc."""

from pathlib import Path

from chassis.postcodes import Postcodes
from chassis.runtime import Service, run
from cms.intake.v1 import intake_pb2
from intake.config import Settings
from intake.consumers import HANDLERS
from intake.deadlines import DEADLINES
from intake.domain.lines import ServiceTarget
from intake.grpc_api import IntakeApi
from intake.workers import workers

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings) -> Service:
    """The parts of intake-svc."""
    target = ServiceTarget(share=settings.service_target_share, seconds=settings.service_target_seconds)
    contract = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
    return Service(
        name="intake-svc",
        settings=settings,
        contract=contract,
        migrations=MIGRATIONS,
        api=lambda runtime: IntakeApi(
            runtime.closing.enter_context(Postcodes(settings.postcodes_file)), service_target=target
        ),
        handlers=HANDLERS,
        workers=workers,
        deadlines=DEADLINES,
        files=[settings.postcodes_file],
    )


if __name__ == "__main__":
    run(service(Settings.read()))
