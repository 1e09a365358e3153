"""The repair desk and decisions through the doors: who may, what intake is asked, and what the access log keeps."""

from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.protobuf import any_pb2, json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis import clock
from chassis.bus import Bus
from chassis.inbox import Event
from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Servers, Tokens, deliver, eventually, secure_port, settings_for
from cms.assessment.v1 import assessment_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from legacy_gateway.__main__ import service
from legacy_gateway.config import Settings
from legacy_gateway.domain import Facts
from simulators.record_link.server import MainframeServer

CLAIM = "C00000000018"
SERVICE = "cms.gateway.v1.LegacyGatewayService"


def refuse(context: Any, code: int, reason: str, *, field: str = "", **metadata: str) -> None:
    """Ends a call as a service of the platform does."""
    details = [error_details_pb2.ErrorInfo(reason=reason, domain="intake-svc", metadata=metadata)]
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description="is not one of its answers")
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    packed = [any_pb2.Any() for _ in details]
    for one, detail in zip(packed, details, strict=True):
        one.Pack(detail)
    context.abort_with_status(rpc_status.to_status(status_pb2.Status(code=code, message=reason, details=packed)))


class Intake(intake_pb2_grpc.IntakeServiceServicer):
    """GetClaimFacts and AmendAnswers from memory; who asked, and what was amended, is kept.

    A claim is at version 7 until it is amended. The answer "refused" is refused.
    """

    def __init__(self, facts: Facts) -> None:
        self.given = facts
        self.asked: list[tuple[str, int, str]] = []
        self.amended: list[tuple[Any, str, str]] = []
        self.versions: dict[str, int] = {}

    def AmendAnswers(self, request: Any, context: Any) -> Any:
        metadata = dict(context.invocation_metadata())
        done = any(before.request_id == request.request_id for before, _, _ in self.amended)
        version = self.versions.get(request.claim_ref, 7)
        if request.version != version and not done:
            refuse(context, code_pb2.ABORTED, "STALE_VERSION", given_version="7", current_version=str(version))
        if request.answers[0].value.string_value == "refused":
            refuse(context, code_pb2.INVALID_ARGUMENT, "INVALID_FIELDS", field=request.answers[0].question_id)
        if not request.preview and not done:
            self.versions[request.claim_ref] = version + 1
            self.amended.append((request, metadata["cms-on-behalf-of"], metadata["cms-purpose"]))
        return intake_pb2.AmendAnswersResponse()

    def CheckEntitlement(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return intake_pb2.CheckEntitlementResponse(purpose=f"work item {request.claim_ref}")

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
        return intake_pb2.GetClaimFactsResponse(facts=facts)


@pytest.fixture
def intake(facts: Callable[..., Facts], assessment: Any) -> Iterator[tuple[Intake, int]]:
    servicer = Intake(facts())  # type: ignore[abstract]  # the other methods are not called
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(servicer, server)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(assessment, server)
    port = secure_port(server, "intake-svc", "assessment-svc")
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
    token_file = tmp_path / "cots-token"
    token_file.write_text("token")
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
        cms_cots_token_file=token_file,
        pscs_key_file=token_file,  # nothing goes to either of the two here
        pscs_host_key_file=token_file,
        reply_seconds=0.5,
        postcodes_file=postcodes_file,
        time_scale=0.05,
    )
    started = Process(service(settings))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def officer(process: Process, tokens: Tokens) -> Client:
    token = tokens.issue("PROCESSING_OFFICER", subject="PO000001")
    return Client(process=process, service=SERVICE, token=token)


@pytest.fixture
def refused(
    *,
    intake: tuple[Any, int],
    facts: Callable[..., Facts],
    bus: Bus,
    officer: Client,
    confirmation: Callable[..., Event],
) -> str:
    """The transfer of a claim that JSAPS refused for its hours."""
    intake[0].given = facts(hours_available=12.0)
    deliver(bus, confirmation(CLAIM), hearer="legacy-gateway")
    eventually(lambda: rejected(officer), what="the refusal")
    return str(rejected(officer)[0]["transferId"])


def rejected(officer: Client) -> Any:
    return officer.get("ListTransfers", state="TRANSFER_STATE_REJECTED")["transfers"]


def correct(officer: Client, *transfer_ids: str, value: Any = 40.0, **more: Any) -> Any:
    body = {
        "transferIds": transfer_ids,
        "corrections": [{"questionId": "hours_available", "value": value}],
        "reason": "the claimant said it again",
    }
    return officer.once("CorrectTransfers", **body | more)["results"]


def test_rejections_lead_to_the_question_and_one_correction_goes_to_intake_as_the_officer(
    officer: Client, intake: tuple[Any, int], refused: str
) -> None:
    [group] = officer.get("ListRejections", system="SYSTEM_JSAPS")["groups"]
    request_id = str(uuid4())

    previewed = correct(officer, refused, preview=True)
    done = correct(officer, refused, "T" * 26, requestId=request_id)
    again = correct(officer, refused, "T" * 26, requestId=request_id)

    assert (group["code"], group["field"], group["questionId"], group["count"]) == (
        "ES0020",
        "JE-HOURS-AVAILABLE",
        "hours_available",
        1,
    )
    assert [one["outcome"] for one in previewed] == ["TRANSFER_OUTCOME_CORRECTED"]
    assert [one["outcome"] for one in done] == ["TRANSFER_OUTCOME_CORRECTED", "TRANSFER_OUTCOME_NOT_FOUND"]
    assert again == done
    [(amended, token, purpose)] = intake[0].amended
    assert (amended.claim_ref, amended.version, amended.reason) == (CLAIM, 7, "the claimant said it again")
    assert (token, purpose) == (officer.token, f"work item {CLAIM}")
    [*_, last] = officer.get("GetTransferHistory", transferId=refused)["events"]
    assert (last["reason"], last["by"], last["words"]) == ("CORRECTED", "PO000001", "the claimant said it again")


def test_a_claim_that_was_changed_since_is_left_and_what_intake_refuses_is_named(
    officer: Client, intake: tuple[Any, int], refused: str
) -> None:
    unfit = correct(officer, refused, value="refused")
    intake[0].versions[CLAIM] = 8

    [changed] = correct(officer, refused)

    assert (unfit[0]["outcome"], unfit[0]["fields"]) == ("TRANSFER_OUTCOME_NOT_CORRECTED", ["hours_available"])
    assert changed["outcome"] == "TRANSFER_OUTCOME_CLAIM_CHANGED"


def test_a_listed_refusal_is_in_the_access_log(officer: Client, refused: str, database_urls: DatabaseUrls) -> None:
    [shown] = rejected(officer)

    with psycopg.connect(database_urls.owner) as conn:
        row = conn.execute(
            "SELECT subject, claim_ref, outcome FROM access_log WHERE method LIKE '%/ListTransfers' ORDER BY at LIMIT 1"
        ).fetchone()
    assert (shown["transferId"], row) == (refused, ("PO000001", CLAIM, "SHOWN"))


def test_requests_that_make_no_sense_name_their_fields(officer: Client) -> None:
    why = {"reason": "x", "requestId": str(uuid4())}

    both = officer.call("RetryTransfer", transferIds=["T" * 26], filter={"system": "SYSTEM_JSAPS"}, **why)
    neither = officer.call("CancelTransfer", **why)
    wide = officer.call("CancelTransfer", filter={}, **why)
    fast = officer.call("RetryTransfer", filter={"system": "SYSTEM_JSAPS"}, rate=6001, **why)
    odd = officer.call("ListTransfers", state="TRANSFER_STATE_WAITING", code="ES0020")
    blank = officer.call("RetryTransfer", transferIds=["T" * 26], reason="\u200b", requestId=str(uuid4()))
    previewed = officer.call(
        "CancelTransfer", filter={"system": "SYSTEM_JSAPS"}, reason=" ", preview=True, requestId=str(uuid4())
    )

    assert both.fields == neither.fields == {"transfer_ids", "filter"}
    assert [set(one.fields) for one in (wide, fast, odd)] == [{"filter"}, {"rate"}, {"state"}]
    assert set(blank.fields) == set(previewed.fields) == {"reason"}
    assert officer.call("GetTransferHistory", transferId="T" * 26).reason == "TRANSFER_UNKNOWN"
    assert officer.call("StopBulkAct", actId=str(uuid4()), requestId=str(uuid4())).reason == "BULK_ACT_UNKNOWN"


def test_an_accepted_record_is_shown_beside_todays_facts_and_decided_once(
    *,
    officer: Client,
    intake: tuple[Any, int],
    facts: Callable[..., Facts],
    bus: Bus,
    confirmation: Callable[..., Event],
    database_urls: DatabaseUrls,
) -> None:
    deliver(bus, confirmation(CLAIM), hearer="legacy-gateway")
    eventually(lambda: officer.get("ListUndecided")["claims"], what="the claim held whole")
    intake[0].given = facts(capital="1300.00")

    shown = officer.get("GetAcceptedRecord", claimRef=CLAIM, system="SYSTEM_JSAPS")

    differing = [
        (one["phase"], one["questionId"], one["accepted"], one["today"]) for one in shown["fields"] if one["differs"]
    ]
    assert differing == [(2, "capital", "1250.50", "1300.00")]
    assert shown["fields"][0]["differs"]
    assert [one["phase"] for one in shown["phases"]] == [1, 2]
    with psycopg.connect(database_urls.owner) as conn:
        logged = conn.execute("SELECT subject, claim_ref, purpose FROM access_log").fetchall()
    assert logged == [("PO000001", CLAIM, "decision JSAPS")]

    today = clock.today()
    body = {
        "claimRef": CLAIM,
        "scheme": "SCHEME_JOBSEEKERS_ALLOWANCE",
        "outcome": "DECISION_OUTCOME_AWARDED",
        "basis": "DECISION_BASIS_INCOME",
        "from": {"year": today.year, "month": today.month, "day": today.day},
    }
    decided = officer.once("RecordDecision", **body)["decision"]
    twice = officer.call("RecordDecision", **body, requestId=str(uuid4()))

    assert (decided["version"], decided["by"]) == (1, "PO000001")
    assert (twice.code, twice.reason) == ("already_exists", "DECIDED")
    assert officer.get("GetDecisions", claimRef=CLAIM)["decisions"] == [decided]
    assert officer.get("ListUndecided")["claims"] == []
    assert officer.call("GetAcceptedRecord", claimRef=CLAIM, system="SYSTEM_ISCS").reason == "NOTHING_ACCEPTED"
