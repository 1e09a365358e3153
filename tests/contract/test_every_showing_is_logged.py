"""The access log has a row for each response with answers on a claim's whole way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from chassis import contract
from cms_local.doors import Doors
from cms_local.journey import Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import methods

pytestmark = pytest.mark.xdist_group("platform")

Showing = tuple[str, str, str]
"""A response with personal data: its service, method and reader."""

ROWS = """
    SELECT subject, regexp_replace(method, '.*/', ''), count(*) FROM access_log
    WHERE claim_ref = %s AND outcome = 'SHOWN' AND purpose <> '' GROUP BY 1, 2
"""
SHOWING = {
    *("StartCall", "RecordAnswers", "GetInterview", "AmendAnswers"),
    "BookAppointment",
    *("StartAssessment", "VerifyItems", "CorrectItem", "ConfirmAssessment"),
}
"""Methods on the way whose responses carry personal data."""


@dataclass(frozen=True, kw_only=True)
class CountingDoors(Doors):
    """Notes each response that carries personal data."""

    shown: Counter[Showing] = field(default_factory=Counter)

    def once(
        self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str = ""
    ) -> dict[str, Any]:
        response = super().once(service, method, body, token=token, purpose=purpose)
        message = json_format.ParseDict(response, GetMessageClass(methods()[method].output_type)())
        if contract.carries_personal(message):
            self.shown[service, method, subject_of(token)] += 1
        return response


def subject_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


@pytest.fixture(scope="module")
def carried(platform_under_test: PlatformUnderTest) -> tuple[Journey, Counter[Showing]]:
    """Carries a claim that is amended, corrected and confirmed, and notes who was shown personal data."""
    doors = CountingDoors(address=platform_under_test.doors.address, client=platform_under_test.doors.client)
    observed = replace(platform_under_test, doors=doors)
    journey = observed.journey("assessor corrects the employer", amend_after={"capital": "1250.00"})
    journey.take_call()
    journey.assess()
    return journey, doors.shown


def test_each_response_with_answers_has_a_row_in_the_access_log(
    platform_under_test: PlatformUnderTest, carried: tuple[Journey, Counter[Showing]]
) -> None:
    journey, shown = carried

    logged = {
        (service, method, subject): count
        for service in {service for service, *_ in shown}
        for subject, method, count in platform_under_test.rows(service, ROWS, journey.claim_ref)
    }

    assert {method for _, method, _ in shown} == SHOWING
    assert {showing: logged.get(showing, 0) for showing in shown} == dict(shown)
