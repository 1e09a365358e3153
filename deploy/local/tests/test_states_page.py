"""docs/states.md lists every state of the contract and every deadline that the services count."""

import re
from importlib import import_module
from importlib.util import find_spec

import pytest

from chassis.deadlines import OF_EVERY_SERVICE
from cms.assessment.v1 import record_pb2
from cms.gateway.v1 import gateway_pb2
from cms.intake.v1 import intake_pb2
from cms.notifier.v1 import notifier_pb2
from cms.scheduling.v1 import appointments_pb2
from cms_local.layout import ROOT, SERVICES

STATES = {
    "intake-svc": intake_pb2.ClaimState,
    "scheduling-svc": appointments_pb2.AppointmentState,
    "assessment-svc": record_pb2.AssessmentState,
    "legacy-gateway": gateway_pb2.TransferState,
    "la-notifier": notifier_pb2.NoticeState,
}

DEADLINES = {
    name: import_module(f"{service.module}.deadlines").DEADLINES
    for name, service in SERVICES.items()
    if find_spec(f"{service.module}.deadlines")
}

DUE_ELSEWHERE = {
    ("intake-svc", "SUBMITTED"),
    ("scheduling-svc", "BOOKED, MOVED"),
}
"""Open states without a deadline: another service's row has it, or nothing gets into them yet."""


def rows() -> list[list[str]]:
    table, _, _ = (ROOT / "docs" / "states.md").read_text().partition("\n## ")
    lines = table.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] != "service" and not row[0].startswith("---")]


def test_the_page_lists_exactly_the_deadlines_that_services_count() -> None:
    listed = {(service, state, owner) for service, state, _, deadline, owner in rows() if deadline != "–"}

    counted = {(service, found.state, found.owner) for service, every in DEADLINES.items() for found in every}
    assert listed == counted | {("every", found.state, found.owner) for found in OF_EVERY_SERVICE}


def test_every_row_has_a_deadline_with_an_owner_or_is_final() -> None:
    without = {}
    for service, state, ends, deadline, owner in rows():
        assert ends, (service, state)
        assert (deadline == "–") == (owner == "–"), (service, state)
        if deadline == "–":
            without[service, state] = ends

    open_ended = {row for row, ends in without.items() if ends.partition(";")[0] != "ends"}
    assert open_ended == DUE_ELSEWHERE


@pytest.mark.parametrize("service", STATES)
def test_every_state_of_the_contract_is_on_the_page(service: str) -> None:
    names = [name for row in rows() if row[0] == service for name in re.split(r", ?", row[1])]
    listed = {name.rsplit("_", 1)[0] if name.endswith(("_API", "_SFTP", "_POST")) else name for name in names}

    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", STATES[service].DESCRIPTOR.name).upper() + "_"
    states = {name.removeprefix(prefix) for name in STATES[service].keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert states <= listed
