"""Requests that once stopped the service for minutes are refused at once, by either door."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest
from google.protobuf import json_format

from chassis.runtime import Process
from chassis.testing import Tokens, open_channel
from cms.intake.v1 import intake_pb2

SOON_SECONDS = 1.0
RECORD, START = "/cms.intake.v1.IntakeService/RecordAnswers", "/cms.intake.v1.IntakeService/StartCall"


def recording(answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"claimRef": "C0000000000A", "version": 1, "requestId": str(uuid4()), "answers": answers}


LARGE: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "a surname of 480,000 combining marks": (
        RECORD,
        intake_pb2.RecordAnswersRequest,
        recording([{"questionId": "surname", "value": "A" + "\u0301" * 480_000}]),
    ),
    "34,000 unknown questions": (
        RECORD,
        intake_pb2.RecordAnswersRequest,
        recording([{"questionId": f"q{number}", "value": 1} for number in range(34_000)]),
    ),
    "340,000 empty entries": (
        RECORD,
        intake_pb2.RecordAnswersRequest,
        recording([{"questionId": "children", "value": [{}] * 340_000}]),
    ),
    "150,000 needs": (
        START,
        intake_pb2.StartCallRequest,
        {"requestId": str(uuid4()), "needs": ["CALL_NEED_INTERPRETER"] * 150_000},
    ),
}


def by_json(process: Process, path: str, _kind: Any, body: dict[str, Any], token: str) -> Callable[[], str]:
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{process.http.port}{path}"
    return lambda: httpx.post(url, content=content, headers=headers, timeout=10).json()["code"]


def by_grpc(process: Process, path: str, kind: Any, body: dict[str, Any], token: str) -> Callable[[], str]:
    message = json_format.ParseDict(body, kind()).SerializeToString()

    def call() -> str:
        with open_channel(process, token) as channel:
            method = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
            with pytest.raises(grpc.RpcError) as refused:
                method(message, timeout=10, metadata=(("authorization", f"Bearer {token}"),))
        return refused.value.code().name.lower()

    return call


@pytest.mark.parametrize("by_door", [by_json, by_grpc])
@pytest.mark.parametrize("large", LARGE)
def test_a_request_that_is_far_too_large_is_refused_at_once(
    process: Process, tokens: Tokens, large: str, by_door: Callable[..., Callable[[], str]]
) -> None:
    call = by_door(process, *LARGE[large], tokens.issue("OPERATOR"))

    begun = time.monotonic()
    code = call()
    took = time.monotonic() - begun

    assert code == "resource_exhausted"
    assert took < SOON_SECONDS
