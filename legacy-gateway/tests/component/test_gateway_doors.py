"""The whole service through its doors and the bus, with a small intake and JSAPS's stand-in."""

import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor

from chassis.bus import Bus
from chassis.inbox import Event
from chassis.runtime import Process
from chassis.testing import HTTP, Client, Tokens, costs, deliver, eventually
from cms.gateway.v1 import gateway_pb2
from simulators.record_link.server import MainframeServer
from simulators.testing import call
from tests.support.gateway.doors import CLAIM, SERVICE, Intake, by_grpc, post, state_of

STAFF = ["OPERATOR", "ASSESSOR", "PROCESSING_OFFICER", "CASEWORKER", "SERVICE_MANAGER", "SUPPORT"]


def test_a_confirmed_claim_reaches_jsaps_and_both_doors_show_it(
    *,
    process: Process,
    bus: Bus,
    tokens: Tokens,
    jsaps: MainframeServer,
    intake_door: tuple[Intake, int],
    confirmation: Callable[..., Event],
) -> None:
    token = tokens.issue("ASSESSOR")

    event = confirmation(CLAIM, version=7)
    deliver(bus, event, hearer="legacy-gateway")
    deliver(bus, event, hearer="legacy-gateway")
    eventually(lambda: state_of(process, token) == "ACCEPTED", what="acceptance")

    by_http = post(process, {"claimRef": CLAIM}, token).json()
    assert json_format.ParseDict(by_http, gateway_pb2.GetTransfersResponse()) == by_grpc(process, CLAIM, token)
    assert [(one["phase"], one["state"], one["attempts"]) for one in by_http["transfers"]] == [
        (1, "TRANSFER_STATE_ACCEPTED", 1),
        (2, "TRANSFER_STATE_ACCEPTED", 1),
    ]
    assert {one["system"] for one in by_http["transfers"]} == {"SYSTEM_JSAPS"}
    held = call(jsaps.control_port, "GET", "/ledger").body["claims"][CLAIM]
    assert (held["es_held"], held["ba_held"], held["duplicates"]) == (1, 1, 0)
    asked = intake_door[0].asked
    assert {(claim_ref, version) for claim_ref, version, _ in asked} == {(CLAIM, 7)}
    assert "Bearer " in asked[0][2]


def test_the_metrics_of_the_contract_are_served(
    process: Process, bus: Bus, tokens: Tokens, confirmation: Callable[..., Event]
) -> None:
    deliver(bus, confirmation(CLAIM), hearer="legacy-gateway")
    eventually(lambda: state_of(process, tokens.issue("SUPPORT")) == "ACCEPTED", what="acceptance")

    def metrics() -> str:
        return HTTP.get(f"http://127.0.0.1:{process.operations.port}/metrics").text

    eventually(lambda: 'gateway_transfers{state="ACCEPTED",system="JSAPS"} 2.0' in metrics(), what="the gauge")
    text = metrics()
    assert 'gateway_oldest_waiting_seconds{system="JSAPS"} 0.0' in text
    for phase in (1, 2):
        sample = f'gateway_transfer_attempts_total{{phase="{phase}",reason="NONE",result="HELD",system="JSAPS"}}'
        assert sample in text
    assert 'gateway_transfer_completion_seconds_count{system="JSAPS"}' in text
    assert "# TYPE gateway_failed_pushes_total counter" in text
    for worker in ("sender-jsaps-1", "sender-jsaps-4", "sweeper"):
        assert f'chassis_worker_last_success_timestamp_seconds{{worker="{worker}"}}' in text


def test_a_claim_that_was_not_confirmed_has_no_transfers(process: Process, tokens: Tokens) -> None:
    answer = post(process, {"claimRef": CLAIM}, tokens.issue("OPERATOR"))

    nothing: dict[str, Any] = {"systems": [], "transfers": [], "uncarriedSchemes": [], "withdrawnRecords": []}
    assert (answer.status_code, answer.json()) == (200, nothing)


def test_only_what_is_held_of_a_withdrawn_claim_can_be_recorded_as_removed(process: Process, tokens: Tokens) -> None:
    officer = Client(process=process, service=SERVICE, token=tokens.issue("PROCESSING_OFFICER"))

    absent = officer.call("RecordRemoval", claimRef=CLAIM, system="SYSTEM_JSAPS", requestId=str(uuid.uuid4()))
    nameless = officer.call("RecordRemoval", claimRef=CLAIM, system=0, requestId=str(uuid.uuid4()))

    assert (absent.code, absent.reason) == ("not_found", "NOTHING_HELD")
    assert (nameless.code, nameless.fields) == ("invalid_argument", frozenset({"system"}))


MALFORMED_REFERENCES = ["", "CANARY", "C0000000001U", "C000000000018", "C00000000018' OR 1=1", "C000 0000018"]


def test_a_malformed_reference_is_named_and_never_repeated(process: Process, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    for claim_ref in MALFORMED_REFERENCES:
        answer = post(process, {"claimRef": claim_ref}, token)
        with pytest.raises(grpc.RpcError) as refused:
            by_grpc(process, claim_ref, token)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
        assert [one["field"] for one in answer.json()["details"][1]["debug"]["fieldViolations"]] == ["claim_ref"]
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert not claim_ref or claim_ref not in answer.text + str(refused.value.details())


def test_a_malformed_body_is_an_invalid_argument(process: Process, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    for body in (b"{", b"[]", b'{"claimRef": 7}', b'{"claim": "CANARY"}'):
        answer = post(process, body, token)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
        assert "CANARY" not in answer.text


def test_staff_see_transfers(process: Process, tokens: Tokens) -> None:
    for role in STAFF:
        token = tokens.issue(role)

        assert post(process, {"claimRef": CLAIM}, token).status_code == 200
        assert list(by_grpc(process, CLAIM, token).systems) == []


def test_nobody_else_sees_transfers(process: Process, tokens: Tokens) -> None:
    outsiders = [tokens.issue(role) for role in ("COUNCIL_OFFICER", "NO_SUCH_ROLE")]
    strangers = [None, tokens.issue("OPERATOR", seconds=-60), "x.y.z"]
    for code, callers in (("permission_denied", outsiders), ("unauthenticated", strangers)):
        for token in callers:
            with pytest.raises(grpc.RpcError) as refused:
                by_grpc(process, CLAIM, token)

            assert post(process, {"claimRef": CLAIM}, token).json()["code"] == code
            assert refused.value.code().name.lower() == code


def test_another_service_sees_no_transfers(process: Process, tokens: Tokens) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        by_grpc(process, CLAIM, tokens.issue("SERVICE", subject="intake-svc"))

    assert refused.value.code().name == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    "method", costs.methods_of("cms.gateway.v1.LegacyGatewayService"), ids=lambda method: method.name
)
def test_the_dearest_requests_are_cheap(process: Process, tokens: Tokens, method: MethodDescriptor) -> None:
    some = {"transferIds": ["T" * 26], "reason": "x"}
    sound: dict[str, dict[str, Any]] = {
        "GetTransfers": {"claimRef": CLAIM},
        "RecordRemoval": {"claimRef": CLAIM, "system": "SYSTEM_JSAPS"},
        "Reconcile": {"system": "SYSTEM_JSAPS", "date": {"year": 2999, "month": 1, "day": 1}},
        "ListDifferences": {"system": "SYSTEM_JSAPS", "pageToken": ""},
        "CloseDifference": {"differenceId": str(uuid.uuid4()), "reason": "DIFFERENCE_REASON_GIVEN_UP"},
        "ListTransfers": {},
        "ListRejections": {},
        "GetTransferHistory": {"transferId": "T" * 26},
        "RetryTransfer": some,
        "CancelTransfer": some,
        "CorrectTransfers": some | {"corrections": [{"questionId": "surname", "value": "A"}]},
        "ListBulkActs": {},
        "GetSystems": {},
        "HoldSystem": {"system": "SYSTEM_SFCS", "reason": "x"},
        "ReleaseSystem": {"system": "SYSTEM_SFCS"},
        "StopBulkAct": {"actId": str(uuid.uuid4())},
        "CheckRecord": {
            "claimRef": CLAIM,
            "facts": {
                "schemes": ["SCHEME_INCOME_SUPPORT"],
                "firstContactTime": "2005-07-11T09:00:00Z",
                "facts": [{"name": "surname", "value": "Walker"}],
            },
        },
        "ListUndecided": {},
        "GetDecisions": {"claimRef": CLAIM},
        "GetAcceptedRecord": {"claimRef": CLAIM, "system": "SYSTEM_JSAPS"},
        "RecordDecision": {
            "claimRef": CLAIM,
            "scheme": "SCHEME_INCOME_SUPPORT",
            "outcome": "DECISION_OUTCOME_DISALLOWED",
            "from": {"year": 2026, "month": 1, "day": 1},
        },
    }

    def request() -> dict[str, Any]:
        by_id = {"requestId": str(uuid.uuid4())} if "request_id" in method.input_type.fields_by_name else {}
        return sound[method.name] | by_id

    given = costs.dearest_requests(method, request)
    costs.expect_cheap(process, method, given, tokens.issue("OPERATOR", "PROCESSING_OFFICER", "SUPPORT"))
