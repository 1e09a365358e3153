"""Runs scheduling-svc."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from chassis.postcodes import Postcodes
from chassis.runtime import Runtime, Service, run
from chassis.workers import Worker
from cms.scheduling.v1 import scheduling_pb2
from scheduling import gauges
from scheduling.clients import Intake, IntakeService
from scheduling.config import Settings
from scheduling.consumers import HANDLERS
from scheduling.data import load_assessors, load_languages, load_offices
from scheduling.deadlines import DEADLINES
from scheduling.domain.directory import Directory
from scheduling.grpc_api import SchedulingApi
from scheduling.pages import diary_page
from scheduling.service.pruning import Kept
from scheduling.workers import (
    breach_worker,
    demand_worker,
    holds_worker,
    load_worker,
    pruning_worker,
    replanning_worker,
    waiting_worker,
)

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def intake_at(address: str) -> Callable[[Runtime], Intake]:
    """Intake over gRPC at this address."""
    return lambda runtime: IntakeService(runtime.channel("intake-svc", address), runtime.tokens)


def service(settings: Settings, intake_of: Callable[[Runtime], Intake]) -> Service:
    """The parts of this service."""
    directory = Directory(load_offices(), load_assessors(), languages=load_languages())
    kept = Kept(
        shifts=timedelta(days=settings.shifts_kept_days), appointments=timedelta(days=settings.appointments_kept_days)
    )

    def api(runtime: Runtime) -> SchedulingApi:
        postcodes = runtime.closing.enter_context(Postcodes(settings.postcodes_file))
        return SchedulingApi(
            directory=directory,
            postcodes=postcodes,
            intake=intake_of(runtime),
            target=settings.target,
            diary_address=settings.diary_address,
        )

    def workers(runtime: Runtime) -> Sequence[Worker]:
        return [
            breach_worker(directory, runtime.database, target=settings.target),
            pruning_worker(runtime.database, kept),
            demand_worker(directory, runtime.database),
            holds_worker(runtime.database),
            replanning_worker(directory, runtime.database),
            waiting_worker(directory, runtime.database),
            load_worker(directory, runtime.database, target=settings.target),
        ]

    return Service(
        name="scheduling-svc",
        settings=settings,
        contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
        migrations=MIGRATIONS,
        api=api,
        handlers=HANDLERS,
        workers=workers,
        pages=lambda runtime: [diary_page(runtime.database, directory)],
        gauges=gauges.GAUGES,
        deadlines=DEADLINES,
        files=[settings.postcodes_file],
    )


if __name__ == "__main__":
    found = Settings.read()
    run(service(found, intake_at(found.intake_address)))
