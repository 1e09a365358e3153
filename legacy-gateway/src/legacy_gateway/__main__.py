"""legacy-gateway as a program."""

from functools import partial
from pathlib import Path

from chassis import remote
from chassis.runtime import Runtime, Service, run
from cms.gateway.v1 import gateway_pb2
from legacy_gateway import consumers, metrics, workers
from legacy_gateway.amending import AmendingClient
from legacy_gateway.config import Settings
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.grpc_api import LegacyGatewayApi

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings) -> Service:
    """The service with these settings."""

    def api(runtime: Runtime) -> LegacyGatewayApi:
        return LegacyGatewayApi(
            runtime, AmendingClient(runtime.closing.enter_context(remote.channel(settings.intake_address)))
        )

    return Service(
        name="legacy-gateway",
        settings=settings,
        contract=gateway_pb2.DESCRIPTOR.services_by_name["LegacyGatewayService"],
        migrations=MIGRATIONS,
        api=api,
        handlers=consumers.HANDLERS,
        workers=partial(workers.workers, settings),
        gauges=metrics.GAUGES,
        deadlines=DEADLINES,
        files=[settings.postcodes_file],
    )


if __name__ == "__main__":
    run(service(Settings.read()))
