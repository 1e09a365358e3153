"""legacy-gateway as a program."""

from functools import partial
from pathlib import Path

from chassis.runtime import Service, run
from cms.gateway.v1 import gateway_pb2
from legacy_gateway import consumers, metrics, workers
from legacy_gateway.config import Settings
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.grpc_api import LegacyGatewayApi

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings) -> Service:
    """The service with these settings."""
    return Service(
        name="legacy-gateway",
        settings=settings,
        contract=gateway_pb2.DESCRIPTOR.services_by_name["LegacyGatewayService"],
        migrations=MIGRATIONS,
        api=LegacyGatewayApi,
        handlers=consumers.HANDLERS,
        workers=partial(workers.workers, settings),
        gauges=metrics.GAUGES,
        deadlines=DEADLINES,
        files=[settings.postcodes_file],
    )


if __name__ == "__main__":
    run(service(Settings.read()))
