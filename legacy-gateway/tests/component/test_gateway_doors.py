"""The whole service through its doors and the bus, with a small intake and JSAPS's stand-in."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor

from chassis import clock, outbox
from chassis.bus import Bus
from chassis.inbox import Event
from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Servers, Tokens, costs, eventually, settings_for
from cms.assessment.v1 import assessment_pb2_grpc
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from legacy_gateway.__main__ import service
from legacy_gateway.config import Settings
from legacy_gateway.domain import Facts
from simulators.record_link.server import MainframeServer
from simulators.testing import call

CLAIM = "C00000000018"
SERVICE = "cms.gateway.v1.LegacyGatewayService"
STAFF = ["OPERATOR", "ASSESSOR", "PROCESSING_OFFICER", "CASEWORKER", "SERVICE_MANAGER", "SUPPORT"]


class Intake(intake_pb2_grpc.IntakeServiceServicer):
    """GetClaimFacts from memory; who asked is kept."""

    def __init__(self, facts: Facts) -> None:
        self.given = facts
        self.asked: list[tuple[str, int, str]] = []

    def GetClaimFacts(self, request: Any, context: Any) -> Any:
        token = dict(context.invocation_metadata())["authorization"]
        self.asked.append((request.claim_ref, request.version, token))
        facts = intake_pb2.ClaimFacts(
            claim_ref=request.claim_ref,
            state=intake_pb2.CLAIM_STATE_SUBMITTED,
            operator="OP000001",
            operator_grade="AO",
        )
        json_format.ParseDict(dict(self.given.answers), facts.answers)
        facts.first_contact_time.GetCurrentTime()
        facts.schemes.append(common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE)
        return intake_pb2.GetClaimFactsResponse(facts=facts)


@pytest.fixture
def intake(facts: Callable[..., Facts], assessment: Any) -> Iterator[tuple[Intake, int]]:
    servicer = Intake(facts())  # type: ignore[abstract]  # the other methods are not called
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(servicer, server)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(assessment, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, port
    server.stop(None).wait()


@pytest.fixture
def process(
    *,
    database_urls: DatabaseUrls,
    servers: Servers,
    bus_prefix: str,
    tokens: Tokens,
    jsaps: MainframeServer,
    intake: tuple[Intake, int],
    postcodes_file: Path,
    tmp_path: Path,
) -> Iterator[Process]:
    settings = settings_for(
        Settings,
        "legacy-gateway",
        urls=database_urls,
        servers=servers,
        bus_prefix=bus_prefix,
        tokens=tokens,
        intake_address=f"127.0.0.1:{intake[1]}",
        assessment_address=f"127.0.0.1:{intake[1]}",
        jsaps_port=jsaps.port,
        cms_cots_token_file=_token_file(tmp_path),
        reply_seconds=0.5,
        pscs_key_file=postcodes_file,  # no file goes out here, so none of the two is read
        pscs_host_key_file=postcodes_file,
        postcodes_file=postcodes_file,
        time_scale=0.05,
    )
    started = Process(service(settings))
    started.start()
    yield started
    started.stop()


def _token_file(folder: Path) -> Path:
    """Of a system that these tests do not reach."""
    path = folder / "cms-cots.token"
    path.write_text("a-token-of-the-tests")
    return path


def tell(bus: Bus, event: Event) -> None:
    """Puts an event on the bus as its sender's relay does."""
    envelope = common_pb2.EventEnvelope(
        event_id=str(event.event_id),
        type=event.message.DESCRIPTOR.full_name,
        claim_ref=event.claim_ref,
        version=event.version,
        payload=event.message.SerializeToString(),
    )
    envelope.occurred_time.FromDatetime(event.occurred_time)
    entry: dict[str, bytes | str] = {
        "event_id": uuid.UUID(str(event.event_id)).bytes,
        "heard_by": "legacy-gateway",
        "envelope": envelope.SerializeToString(),
    }
    bus.add(outbox.events_stream(event.source), [entry])


def post(process: Process, body: Any, token: str | None, **headers: str) -> httpx.Response:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(
        f"http://127.0.0.1:{process.http.port}/cms.gateway.v1.LegacyGatewayService/GetTransfers",
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **authorization, **headers},
    )


def by_grpc(process: Process, claim_ref: str, token: str | None) -> gateway_pb2.GetTransfersResponse:
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(f"127.0.0.1:{process.grpc.port}") as channel:
        answer: gateway_pb2.GetTransfersResponse = gateway_pb2_grpc.LegacyGatewayServiceStub(channel).GetTransfers(
            gateway_pb2.GetTransfersRequest(claim_ref=claim_ref), metadata=metadata, timeout=5
        )
    return answer


def state_of(process: Process, token: str) -> str:
    systems = post(process, {"claimRef": CLAIM}, token).json()["systems"]
    return systems[0]["state"].removeprefix("TRANSFER_STATE_") if systems else ""


def test_a_confirmed_claim_reaches_jsaps_and_both_doors_show_it(
    *,
    process: Process,
    bus: Bus,
    tokens: Tokens,
    jsaps: MainframeServer,
    intake: tuple[Intake, int],
    confirmation: Callable[..., Event],
) -> None:
    token = tokens.issue("ASSESSOR")

    event = confirmation(CLAIM, version=7)
    tell(bus, event)
    tell(bus, event)
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
    asked = intake[0].asked
    assert {(claim_ref, version) for claim_ref, version, _ in asked} == {(CLAIM, 7)}
    assert "Bearer " in asked[0][2]


def test_the_metrics_of_the_contract_are_served(
    process: Process, bus: Bus, tokens: Tokens, confirmation: Callable[..., Event]
) -> None:
    tell(bus, confirmation(CLAIM))
    eventually(lambda: state_of(process, tokens.issue("SUPPORT")) == "ACCEPTED", what="acceptance")

    def metrics() -> str:
        return httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text

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


def test_showing_a_refusal_with_its_question_is_logged(
    *,
    process: Process,
    bus: Bus,
    tokens: Tokens,
    intake: tuple[Intake, int],
    facts: Callable[..., Facts],
    confirmation: Callable[..., Event],
    database_urls: DatabaseUrls,
) -> None:
    intake[0].given = facts(hours_available=12.0)
    token = tokens.issue("PROCESSING_OFFICER", subject="PO1")
    tell(bus, confirmation(CLAIM))
    eventually(lambda: state_of(process, token) == "REJECTED", what="the refusal")

    answer = post(process, {"claimRef": CLAIM}, token, **{"cms-purpose": "work item 12"}).json()

    [message] = answer["transfers"][0]["messages"]
    assert (message["code"], message["field"], message["questionId"]) == (
        "ES0020",
        "JE-HOURS-AVAILABLE",
        "hours_available",
    )
    assert message["ask"]["en"].startswith("Ask how many hours")
    assert message["ask"]["cy"].startswith("Gofynnwch sawl awr")
    with psycopg.connect(database_urls.owner) as conn:
        shown = conn.execute(
            "SELECT subject, claim_ref, outcome FROM access_log WHERE purpose = 'work item 12'"
        ).fetchall()
    assert shown == [("PO1", CLAIM, "SHOWN")]


def test_a_record_is_checked_by_the_facts_that_intake_has(
    process: Process,
    tokens: Tokens,
    intake: tuple[Intake, int],
    facts: Callable[..., Facts],
    database_urls: DatabaseUrls,
) -> None:
    intake[0].given = facts(hours_available=12.0, nino=None)
    operator = Client(process=process, service=SERVICE, token=tokens.issue("OPERATOR", subject="OP1"))

    problems = operator.call("CheckRecord", claimRef=CLAIM).body["problems"]

    assert [(one["system"], one["code"], one["field"], one["questionId"]) for one in problems] == [
        ("SYSTEM_JSAPS", "GW0001", "CM-NINO", "nino"),
        ("SYSTEM_JSAPS", "ES0020", "JE-HOURS-AVAILABLE", "hours_available"),
    ]
    assert [one["text"] for one in problems] == ["is missing", "is under 40 hours, and no restriction says why"]
    assert all(one["ask"]["en"] and one["ask"]["cy"] and not one["needsPerson"] for one in problems)
    with psycopg.connect(database_urls.owner) as conn:
        shown = conn.execute("SELECT subject, claim_ref, outcome FROM access_log").fetchall()
    assert shown == [("OP1", CLAIM, "SHOWN")]


def test_a_record_is_checked_by_facts_that_are_given(
    process: Process, tokens: Tokens, intake: tuple[Intake, int], facts: Callable[..., Facts]
) -> None:
    operator = Client(process=process, service=SERVICE, token=tokens.issue("OPERATOR"))
    child = {"name": "Kyle", "date_of_birth": "2000-01-01"}
    wrong = {"children": [child] * 11, "other_income": "none", "date_of_birth": [], "capital": "NaN", "nino": None}
    given = [{"name": name, "value": value} for name, value in {**facts().answers, **wrong}.items()]
    contact = "2005-07-11T09:00:00Z"

    answer = operator.call(
        "CheckRecord",
        claimRef=CLAIM,
        facts={"schemes": ["SCHEME_INCOME_SUPPORT"], "firstContactTime": contact, "facts": given},
    )

    found = {(one["field"], one["code"], one["needsPerson"]) for one in answer.body["problems"]}
    assert ("IS-CHILD", "GW0004", True) in found
    assert {("IS-INCOME", "GW0002", False), ("CM-DATE-OF-BIRTH", "GW0002", False)} <= found
    assert {("IS-CAPITAL", "GW0002", False), ("CM-NINO", "GW0001", False), ("IS-GROUP", "GW0001", False)} <= found
    assert intake[0].asked == []


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
    outsiders = [tokens.issue(role) for role in ("COUNCIL_OFFICER", "SERVICE", "NO_SUCH_ROLE")]
    strangers = [None, tokens.issue("OPERATOR", seconds=-60), "x.y.z"]
    for code, callers in (("permission_denied", outsiders), ("unauthenticated", strangers)):
        for token in callers:
            with pytest.raises(grpc.RpcError) as refused:
                by_grpc(process, CLAIM, token)

            assert post(process, {"claimRef": CLAIM}, token).json()["code"] == code
            assert refused.value.code().name.lower() == code


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


def ask(process: Process, method: str, token: str, **body: Any) -> Any:
    """Calls a method by JSON; gives the body, or the reason of a refusal."""
    answer = httpx.post(
        f"http://127.0.0.1:{process.http.port}/{SERVICE}/{method}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=10.0,
    )
    shown = answer.json()
    return shown if answer.status_code == httpx.codes.OK else shown["code"]


def test_a_balance_now_finds_what_was_lost_and_a_person_closes_it(
    *, process: Process, bus: Bus, tokens: Tokens, jsaps: MainframeServer, confirmation: Callable[..., Event]
) -> None:
    officer = tokens.issue(roles=["PROCESSING_OFFICER"], subject="PO000001")
    tell(bus, confirmation(CLAIM))
    eventually(lambda: state_of(process, officer) == "ACCEPTED", seconds=15, what="the claim held by JSAPS")
    order = {"claim_ref": CLAIM, "dialogue": "ES504"}
    assert call(jsaps.control_port, "POST", "/ledger/lose", body=order).body["lost"] == 1
    today = clock.today()
    day = {"year": today.year, "month": today.month, "day": today.day}

    def clerical() -> Any:
        balanced = ask(process, "Reconcile", officer, system="SYSTEM_JSAPS", date=day, requestId=str(uuid.uuid4()))
        return not balanced["inProgress"] and balanced["balance"]["clerical"] == "1" and balanced["balance"]

    eventually(clerical, seconds=15, what="the lost first phase")

    balanced = clerical()
    [missing] = balanced["missingThere"]
    assert (balanced["captured"], balanced["accepted"], balanced["unexplained"]) == ("2", "1", "0")
    assert missing["cause"] == "DIFFERENCE_CAUSE_FIRST_PHASE_LOST"
    assert ask(process, "ListDifferences", officer)["differences"] == [missing]
    closing = {"differenceId": missing["differenceId"], "reason": "DIFFERENCE_REASON_HELD_THERE"}
    closed = ask(process, "CloseDifference", officer, **closing, requestId=str(uuid.uuid4()))["difference"]
    assert (closed["state"], closed["closedBy"]) == ("DIFFERENCE_STATE_CLOSED", "PO000001")
    assert ask(process, "ListDifferences", officer)["differences"] == []
    assert ask(process, "CloseDifference", officer, **closing, requestId=str(uuid.uuid4())) == "failed_precondition"


def test_a_balance_of_a_day_to_come_is_refused(process: Process, tokens: Tokens) -> None:
    officer = tokens.issue(roles=["PROCESSING_OFFICER"], subject="PO000001")
    day = {"year": 2999, "month": 1, "day": 1}

    answer = ask(process, "Reconcile", officer, system="SYSTEM_JSAPS", date=day, requestId=str(uuid.uuid4()))

    assert answer == "failed_precondition"
