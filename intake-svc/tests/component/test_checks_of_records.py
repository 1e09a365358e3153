"""The interview shows what would keep the claim's records from being sent, and goes on where nobody can tell."""

from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.runtime import Process
from chassis.testing import SettingsOf, running, secure_port
from cms.common.v1 import common_pb2
from cms.gateway.v1 import checks_pb2, gateway_pb2_grpc
from intake.__main__ import service
from intake.config import Settings


@dataclass
class Gateway(gateway_pb2_grpc.LegacyGatewayServiceServicer):
    """CheckRecord with these problems; what it was asked is kept."""

    problems: list[checks_pb2.RecordProblem] = field(default_factory=list)
    asked: list[checks_pb2.CheckRecordRequest] = field(default_factory=list)
    port: int = 0
    stop: Callable[[], object] = object

    def CheckRecord(self, request: checks_pb2.CheckRecordRequest, context: Any) -> checks_pb2.CheckRecordResponse:
        """The problems, whatever is asked."""
        assert context.is_active()
        self.asked.append(request)
        return checks_pb2.CheckRecordResponse(problems=self.problems)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    servicer = Gateway()  # type: ignore[abstract]  # the other methods are not called
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    gateway_pb2_grpc.add_LegacyGatewayServiceServicer_to_server(servicer, server)
    servicer.port = secure_port(server, "legacy-gateway")
    servicer.stop = lambda: server.stop(None).wait()
    server.start()
    yield servicer
    servicer.stop()


@pytest.fixture
def process(settings_of: SettingsOf, postcodes_file: Path, gateway: Gateway) -> Iterator[Process]:
    settings = settings_of(
        Settings, "intake-svc", postcodes_file=postcodes_file, gateway_address=f"127.0.0.1:{gateway.port}"
    )
    with running(service(settings)) as started:
        yield started


def problem(question_id: str, code: str, **more: Any) -> checks_pb2.RecordProblem:
    return checks_pb2.RecordProblem(
        system=common_pb2.SYSTEM_JSAPS,
        code=code,
        field="CM-TITLE",
        question_id=question_id,
        text="is wrong",
        ask=checks_pb2.Words(en=f"Ask for {question_id}.", cy=f"Gofynnwch am {question_id}."),
        **more,
    )


def checked(person: Any, claim_ref: str) -> Any:
    return person.get("GetInterview", claimRef=claim_ref, checkRecords=True)["interview"]["recordCheck"]


@pytest.mark.parametrize(("language", "ask"), [("EN", "Ask for surname."), ("CY", "Gofynnwch am surname.")])
def test_the_interview_shows_findings_of_what_was_asked(
    desk: Callable[..., Any], gateway: Gateway, rest: dict[str, Any], language: str, ask: str
) -> None:
    operator = desk("OPERATOR")
    claim_ref = operator.start(language=language)["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname=rest["surname"], telephone={"gap": "NOT_KNOWN"})
    gateway.problems = [
        problem("surname", "ES0002", needs_person=True),
        problem("telephone", "GW0001"),
        problem("hours_available", "GW0001"),
        problem("", "ES0011"),
    ]

    check = checked(operator, claim_ref)

    assert check["state"] == "RECORD_CHECK_STATE_MADE"
    assert check["findings"][0] == {
        "system": "SYSTEM_JSAPS",
        "code": "ES0002",
        "field": "CM-TITLE",
        "questionId": "surname",
        "ask": ask,
        "needsPerson": True,
    }
    assert [one["questionId"] for one in check["findings"]] == ["surname", "telephone"]


def test_the_gateway_gets_the_facts_that_it_may_see_in_the_form_of_the_record(
    desk: Callable[..., Any], gateway: Gateway, rest: dict[str, Any]
) -> None:
    operator = desk("OPERATOR")
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, **rest)

    checked(operator, claim_ref)

    [request] = gateway.asked
    facts = {fact.name: fact.value for fact in request.facts.facts}
    assert (request.claim_ref, list(request.facts.schemes)) == (claim_ref, [common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE])
    assert facts["surname"].string_value == "Hughes"
    assert facts["hours_available"].number_value == 40
    assert facts["address"].struct_value.fields["postcode"].string_value == "LS1 4AP"
    assert {"leaving_story", "email", "landlord"}.isdisjoint(facts)


def test_the_interview_goes_on_where_the_gateway_is_away(
    desk: Callable[..., Any], gateway: Gateway, rest: dict[str, Any]
) -> None:
    operator = desk("OPERATOR")
    claim_ref = operator.start()["claim"]["claimRef"]
    interview = operator.record(claim_ref, 1, **rest)
    gateway.stop()

    check = checked(operator, claim_ref)

    assert check == {"state": "RECORD_CHECK_STATE_NOT_MADE", "findings": []}
    assert operator.submit(claim_ref, interview["version"])["state"] == "CLAIM_STATE_SUBMITTED"


def test_nothing_is_checked_unless_it_is_asked_for(desk: Callable[..., Any], gateway: Gateway) -> None:
    operator = desk("OPERATOR")
    claim_ref = operator.start()["claim"]["claimRef"]

    plain = operator.get("GetInterview", claimRef=claim_ref)["interview"]
    then = operator.call("GetInterview", claimRef=claim_ref, checkRecords=True, atTime="2026-03-02T09:00:00Z")

    assert plain.get("recordCheck") is None
    assert (then.code, then.fields) == ("invalid_argument", {"check_records"})
    assert gateway.asked == []
