"""Runs intake-svc."""

from pathlib import Path

from chassis import logs
from chassis.postcodes import Postcodes
from chassis.runtime import NotReady, Runtime, Service, run
from cms.intake.v1 import intake_pb2
from intake.catalogue import CATALOGUES, load_catalogues
from intake.catalogue.lint import refuse_faulty
from intake.clients import GatewayClient
from intake.config import Settings
from intake.consumers import HANDLERS
from intake.deadlines import DEADLINES
from intake.domain.accounts import AccountRules
from intake.domain.catalogue import Catalogues
from intake.domain.lines import ServiceTarget
from intake.domain.script import ScriptError
from intake.gauges import GAUGES
from intake.grpc_api import IntakeApi
from intake.metrics import show_uncovered_changes
from intake.service.claims import refuse_absent_catalogues
from intake.workers import workers

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def service(settings: Settings, *, catalogues_folder: Path = CATALOGUES, linted: bool = False) -> Service:
    """The parts of intake-svc. Raises NotReady where a catalogue has a fault, with `linted` also by the lint."""
    target = ServiceTarget(share=settings.service_target_share, seconds=settings.service_target_seconds)
    contract = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
    catalogues, accounts = _catalogues(catalogues_folder, linted=linted), _account_rules(settings.modulus_tables)
    return Service(
        name="intake-svc",
        settings=settings,
        contract=contract,
        migrations=MIGRATIONS,
        api=lambda runtime: IntakeApi(
            postcodes=runtime.closing.enter_context(Postcodes(settings.postcodes_file)),
            catalogues=catalogues,
            service_target=target,
            accounts=accounts,
            gateway=GatewayClient(runtime.channel("legacy-gateway", settings.gateway_address), runtime.tokens),
        ),
        handlers=HANDLERS,
        gauges=GAUGES,
        workers=workers,
        deadlines=DEADLINES,
        files=[settings.postcodes_file],
        prepare=lambda runtime: _expect_bound_catalogues(runtime, catalogues),
    )


def _catalogues(folder: Path, *, linted: bool) -> Catalogues:
    try:
        catalogues = load_catalogues(folder)
        if linted:
            refuse_faulty(catalogues.newest)
    except ScriptError as fault:
        raise _not_started(fault) from fault
    show_uncovered_changes(catalogues.newest)
    return catalogues


def _account_rules(folder: Path | None) -> AccountRules:
    """The rules of the modulus check. Raises NotReady where tables are named that cannot be read."""
    if folder is None:
        return AccountRules()
    try:
        return AccountRules.of(*((folder / name).read_text() for name in ("valacdos.txt", "scsubtab.txt")))
    except (OSError, ValueError) as fault:
        raise _not_started(fault) from fault


def _expect_bound_catalogues(runtime: Runtime, catalogues: Catalogues) -> None:
    """A claim is never evaluated with another catalogue than its own: without that one the service does not start."""
    try:
        with runtime.database.transaction() as conn:
            refuse_absent_catalogues(conn, catalogues)
    except ScriptError as fault:
        raise _not_started(fault) from fault


def _not_started(fault: Exception) -> NotReady:
    logs.get().error("not started", fault=str(fault))
    return NotReady(f"not started: {fault}")


if __name__ == "__main__":
    run(service(Settings.read(), linted=True))
