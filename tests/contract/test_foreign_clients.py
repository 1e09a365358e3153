"""Clients that share no code with the platform: the Connect client of npm, and one that only uses reflection."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from chassis.testing import eventually
from cms_local import acknowledged
from cms_local.cases import random_nino
from cms_local.journey import Journey
from cms_local.layout import ROOT
from tests.support.foreign_clients import run_script
from tests.support.platforms import PlatformUnderTest
from tests.support.tls import platform_channel

pytestmark = pytest.mark.xdist_group("platform")

FIRST_SAVE = Path(__file__).parent / "node"


@pytest.mark.needs("npm")
@pytest.mark.needs("node")
def test_the_npm_connect_client_takes_a_call_and_saves_answers(
    platform_under_test: PlatformUnderTest, typescript: Path
) -> None:
    journey = platform_under_test.journey("single, council tenant")
    given = {
        "address": f"http://127.0.0.1:{platform_under_test.layout.http_port('intake-svc')}",
        "image": str(ROOT / "proto" / "contract.binpb"),
        "token": journey.operator,
        "nino": random_nino(platform_under_test.source),
    }

    # Its modules are found from the folder that it stands in.
    scripts = Path(shutil.copytree(FIRST_SAVE, typescript / "first-save"))

    seen = run_script("node", scripts / "first_save.mjs", given=given)

    assert (seen["version"], seen["repeat_version"]) == (2, 2)
    assert (seen["surname"], seen["proposed"]) == ("Siân O’Brien", True)
    assert seen["stale"] == {"code": "Aborted", "details": ["google.rpc.ErrorInfo", "cms.common.v1.RecordChanged"]}
    assert seen["bad"] == {"code": "InvalidArgument", "details": ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]}
    assert seen["nobody"] == {"code": "Unauthenticated", "details": ["google.rpc.ErrorInfo"]}
    interview = platform_under_test.doors.call(
        "intake-svc", "GetInterview", {"claimRef": seen["claim_ref"]}, token=journey.operator
    )["interview"]
    assert answers_of(interview)["forenames"] == "李"


def answers_of(interview: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the interview's answers by question."""
    return {question["id"]: question["answer"] for question in interview["questions"] if "answer" in question}


class AskVersion1(grpc.StreamStreamClientInterceptor):  # type: ignore[type-arg] # only its stubs are generic
    """Asks for the service of reflection by its name without `alpha`: its messages are the same."""

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        """See grpc.StreamStreamClientInterceptor."""
        name = client_call_details.method.replace("/grpc.reflection.v1alpha.", "/grpc.reflection.v1.")
        return continuation(client_call_details._replace(method=name), request_iterator)


class ByReflection:
    """A service, described by its own reflection of a version (v1 or v1alpha)."""

    def __init__(self, channel: grpc.Channel, version: str) -> None:
        self._channel = channel
        asked = grpc.intercept_channel(self._channel, AskVersion1()) if version == "v1" else self._channel
        self._known = ProtoReflectionDescriptorDatabase(asked)
        self.names = list(self._known.get_services())
        own = {name for name in self.names if name.startswith("cms.")}
        [name] = own - {"cms.operations.v1.OperationsService"}
        self._service: ServiceDescriptor = DescriptorPool(self._known).FindServiceByName(name)

    def call(self, method: str, token: str, named_purpose: str = "", **fields: Any) -> dict[str, Any]:
        """Calls a method and returns the response as a dictionary."""
        descriptor = self._service.methods_by_name[method]
        request = json_format.ParseDict(fields, GetMessageClass(descriptor.input_type)())
        unary: Any = self._channel.unary_unary
        answer = unary(
            f"/{self._service.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(descriptor.output_type).FromString,
        )(request, timeout=15, metadata=[("authorization", f"Bearer {token}"), ("cms-purpose", named_purpose)])
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()


@pytest.mark.parametrize("reflection", ["v1", "v1alpha"])
def test_a_client_that_only_uses_reflection_carries_a_claim_through(
    platform_under_test: PlatformUnderTest, reflection: str
) -> None:
    layout = platform_under_test.layout
    services = ("intake-svc", "scheduling-svc", "assessment-svc", "legacy-gateway")
    intake, scheduling, assessment, gateway = (
        ByReflection(platform_channel(layout, name), reflection) for name in services
    )
    people = platform_under_test.journey("single, council tenant")

    claim_ref, version = take_claim(intake, people)
    booked = scheduling.call(
        "BookAppointment",
        people.operator,
        claim_ref=claim_ref,
        earliest=True,
        postcode=people.case.postcode,
        request_id=str(uuid4()),
    )["appointment"]
    intake.call("SubmitClaim", people.operator, claim_ref=claim_ref, version=version, request_id=str(uuid4()))
    noted, schemes = people.acknowledged_file, people.case.schemes
    acknowledged.note(noted, claim_ref, "SUBMITTED", schemes=schemes, wants_notice=people.case.wants_notice)
    assessor = people.issue("ASSESSOR", subject=booked["assessor_id"], office=booked["office"]["code"])
    confirm(assessment, assessor, claim_ref)
    acknowledged.note(noted, claim_ref, "CONFIRMED", schemes=schemes)

    support = people.issue("SUPPORT", subject="SU000001")
    work = f"work item {claim_ref}"
    eventually(
        lambda: (
            [
                part["state"]
                for part in gateway.call("GetTransfers", support, work, claim_ref=claim_ref).get("systems", [])
            ]
            == ["TRANSFER_STATE_ACCEPTED"]
        ),
        seconds=60,
        what="acceptance by JSAPS",
    )
    for service in (intake, scheduling, assessment, gateway):
        assert "grpc.health.v1.Health" in service.names
        service.close()


def take_claim(intake: ByReflection, people: Journey) -> tuple[str, int]:
    """Takes the call, answers section by section, and returns the claim and its version."""
    started = intake.call(
        "StartCall",
        people.operator,
        purpose="CALL_PURPOSE_NEW",
        nino=random_nino(people.random),
        schemes=["SCHEME_JOBSEEKERS_ALLOWANCE"],
        language="LANGUAGE_EN",
        caller={"relation": "CALLER_RELATION_SELF"},
        request_id=str(uuid4()),
    )
    claim_ref, interview = started["claim"]["claim_ref"], started["interview"]
    while due := [
        {"question_id": question["id"], "value": people.case.answers[question["id"]]}
        for question in interview["questions"]
        if "answer" not in question and question["id"] in people.case.answers
    ]:
        interview = intake.call(
            "RecordAnswers",
            people.operator,
            claim_ref=claim_ref,
            answers=due,
            version=interview["version"],
            request_id=str(uuid4()),
        )["interview"]
    return claim_ref, interview["version"]


def confirm(assessment: ByReflection, assessor: str, claim_ref: str) -> None:
    """Waits for the work item, checks every item and confirms."""

    def started() -> Any:
        try:
            return assessment.call("StartAssessment", assessor, claim_ref=claim_ref, request_id=str(uuid4()))
        except grpc.RpcError as error:
            code: Any = getattr(error, "code", None)
            assert code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}
            return None

    found = eventually(started, seconds=30, what="the work item")["assessment"]
    checks = [{"fact": item["fact"], "status": "ITEM_STATUS_CONFIRMED"} for item in found["items"]]
    common = {"claim_ref": claim_ref, "request_id": str(uuid4())}
    checked = assessment.call("VerifyItems", assessor, **common, items=checks, version=found["version"])["assessment"]
    done = assessment.call("ConfirmAssessment", assessor, **common, version=checked["version"])["assessment"]
    assert done["state"] == "ASSESSMENT_STATE_CONFIRMED"
