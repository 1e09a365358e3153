"""legacy-gateway as a program."""

from functools import partial
from pathlib import Path

from chassis.entitlement import Entitlement
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime, Service, run
from cms.gateway.v1 import gateway_pb2
from legacy_gateway import consumers, mapping, metrics, workers
from legacy_gateway.amending import AmendingClient
from legacy_gateway.clients import IntakeClient
from legacy_gateway.config import Settings
from legacy_gateway.data import targets
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.grpc_api import LegacyGatewayApi
from legacy_gateway.service.accepted import Desk

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings) -> Service:
    """The service with these settings. Its files of data are read at once: see `mapping.read_files`."""
    mapping.read_files()
    targets()

    def api(runtime: Runtime) -> LegacyGatewayApi:
        channel = runtime.channel("intake-svc", settings.intake_address)
        postcodes = runtime.closing.enter_context(Postcodes(settings.postcodes_file))
        intake = IntakeClient(channel, runtime.tokens)
        accepted = Desk(vault=runtime.vault, intake=intake, postcodes=postcodes)
        return LegacyGatewayApi(
            runtime,
            AmendingClient(channel, runtime.tokens),
            intake=intake,
            entitlement=Entitlement(channel, runtime.tokens),
            postcodes=postcodes,
            accepted=accepted,
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
        files=[
            settings.postcodes_file,
            settings.cms_cots_token_file,
            settings.pscs_key_file,
            settings.pscs_host_key_file,
        ],
    )


if __name__ == "__main__":
    run(service(Settings.read()))
