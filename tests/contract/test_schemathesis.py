"""The OpenAPI document is called as it stands: no call is a server error, and every answer has the document's form.

Requests are made by schemathesis from the document, half of them against its schemas, and carry a token that may call the
method. Where a request names a claim, half of them name one that exists. CMS_EXAMPLES gives another number of requests.
"""

import json
import math
import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from cms_local.journey import Journey
from docs.api.generator import errors
from docs.api.generator.__main__ import FOLDER
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

DOCUMENT: Mapping[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
SERVER_ERROR = 500


def operations() -> list[APIOperation[Any, Any, Any, Any]]:
    """Every operation of the document."""
    found: Any = schemathesis.openapi.from_dict(dict(DOCUMENT)).get_all_operations()
    return [each.ok() for each in found]


class Caller:
    """Calls the platform as an operation's request says, with a token and perhaps a claim that exists."""

    def __init__(self, platform: PlatformUnderTest, claim: Journey) -> None:
        self._platform = platform
        self._claim = claim
        self._session = requests.Session()
        self._tokens: dict[tuple[str, str], str] = {}

    def call(self, case: Any, *, real: int | None) -> Any:
        """Sends the case. With `real` its claim, version and questions are some that exist, chosen by that number."""
        described = DOCUMENT["paths"][case.operation.path]
        [server, *_] = described["servers"]
        [role, *_] = described["post"]["x-roles"]
        subject = described["post"]["x-called-by"][0] if role == "SERVICE" else "ST000001"
        if real is not None:
            self._put_real(case, real)
        port = self._platform.layout.http_port(server["description"])
        headers = {"Authorization": f"Bearer {self._token(role, subject)}"}
        if real is not None or "Connect-Timeout-Ms" not in case.headers:
            headers["Connect-Timeout-Ms"] = "10000"  # a busy machine is no server error
        return case.call(f"http://127.0.0.1:{port}", session=self._session, headers=headers, timeout=20)

    def _put_real(self, case: Any, number: int) -> None:
        if isinstance(case.body, dict):
            case.body |= self._real(case.body, number)
        sent = (case.query or {}).get("message")
        if isinstance(sent, str) and sent.startswith("{"):
            message = json.loads(sent)
            case.query["message"] = json.dumps(message | self._real(message, number))

    def _real(self, body: dict[str, Any], number: int) -> dict[str, Any]:
        interview = self._claim.interview
        known = {"claimRef": self._claim.claim_ref, "version": interview["version"], "requestId": str(uuid4())}
        questions = interview["questions"]
        answers = body.get("answers")
        for at, answer in enumerate(answers if isinstance(answers, list) else []):
            if isinstance(answer, dict):
                answer["questionId"] = questions[(number + at) % len(questions)]["id"]
        return {name: value for name, value in known.items() if name in body}

    def _token(self, role: str, subject: str) -> str:
        if role == "OPERATOR":
            return self._claim.operator
        if (role, subject) not in self._tokens:
            self._tokens[role, subject] = self._claim.issue(role, subject=subject, office="100101")
        return self._tokens[role, subject]


def check(case: Any, response: Any) -> None:
    """AssertionError where the response is a server error, or not as the document says."""
    called = f"{case.operation.label} {json.dumps(case.body, default=str)[:600]}"
    late = response.status_code == requests.codes.gateway_timeout and "Connect-Timeout-Ms" in case.headers
    assert response.status_code < SERVER_ERROR or late, f"{called}: {response.status_code} {response.text[:600]}"
    assert "traceparent" in response.headers, f"{called}: no trace"
    case.operation.validate_response(response)
    if response.status_code != requests.codes.ok:
        reasons = [detail["debug"]["reason"] for detail in response.json()["details"] if "reason" in detail["debug"]]
        assert reasons, f"{called}: no reason: {response.text[:600]}"
        assert set(reasons) <= errors.table().keys(), f"{called}: {reasons} are not in the catalogue"


def run(platform: PlatformUnderTest, claim: Journey, *, examples: int) -> None:
    """Sends `examples` requests, as many to each operation."""
    caller, all_of_them = Caller(platform, claim), operations()
    for operation in all_of_them:
        fits = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        does_not = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @seed(20050718)
        @settings(
            max_examples=math.ceil(examples / len(all_of_them)),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(fits, does_not), real=st.none() | st.integers(0, 99))
        def send(case: Any, real: int | None) -> None:
            check(case, caller.call(case, real=real))

        send()


def test_requests_made_from_the_openapi_document_are_answered(
    platform_under_test: PlatformUnderTest, call: Journey
) -> None:
    run(platform_under_test, call, examples=200)


@pytest.mark.long
def test_two_thousand_requests_made_from_the_openapi_document_are_answered(
    platform_under_test: PlatformUnderTest, call: Journey
) -> None:
    run(platform_under_test, call, examples=int(os.environ.get("CMS_EXAMPLES", "2000")))
