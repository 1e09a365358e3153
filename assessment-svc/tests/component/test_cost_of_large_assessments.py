"""No request that the contract permits costs more than the budget, whatever it holds."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.descriptor import MethodDescriptor

from assessment.data.evidence import EVIDENCE
from chassis.runtime import Process
from chassis.testing import Tokens, costs
from cms.common.v1 import common_pb2
from cms_client.bundles import Device

CLAIM = "C0123456789A"
FACTS = [f"fact_{number}" for number in range(200)]

_DEVICE = Device.generate()
_KEYS = {
    "encryptionKey": base64.b64encode(_DEVICE.encryption_key).decode(),
    "signingKey": base64.b64encode(_DEVICE.signing_key).decode(),
}
_KINDS = [f"EVIDENCE_KIND_{name}" for name in EVIDENCE.kinds]


def sound(method: str, version: int) -> dict[str, Any]:
    """The fields by which a request of a method comes as far as it can."""
    subject = {"claimRef": CLAIM, "requestId": str(uuid4())}
    known: dict[str, dict[str, Any]] = {
        "ListWork": {"pageToken": "", "pageSize": 200, "office": "", "day": {"year": 2026, "month": 3, "day": 2}},
        "StartAssessment": subject,
        "VerifyItems": subject
        | {"version": version, "items": [{"fact": fact, "status": "ITEM_STATUS_CONFIRMED"} for fact in FACTS]},
        "CorrectItem": subject | {"version": version, "fact": FACTS[0]},
        "ConfirmAssessment": subject | {"version": version, "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 10},
        "CloseAssessment": subject | {"version": version, "reason": "CLOSED_REASON_NOT_PURSUED"},
        "GetConfirmations": {"claimRef": CLAIM},
        "GetEvidence": {"claimRef": CLAIM},
        "GetAssessment": {"claimRef": CLAIM},
        "RequestEvidence": subject | {"dueOn": {}, "kinds": _KINDS, "facts": FACTS[:100]},
        "RecordEvidence": subject
        | {"kind": _KINDS[0], "seenOn": {"year": 2020, "month": 2, "day": 3}, "facts": FACTS[:100]},
        "WaiveEvidence": subject | {"kinds": _KINDS},
        "TakeBundle": {"requestId": str(uuid4()), "day": {"year": 2026, "month": 3, "day": 2}, **_KEYS},
        "ReturnBundle": {"requestId": str(uuid4()), "bundleId": str(uuid4()), "content": "A" * 450_000},
        "DiscardBundle": {"requestId": str(uuid4()), "bundleId": str(uuid4())},
        "GetCrisisLoan": {"claimRef": CLAIM},
        "ListInterimPayments": {"officeCode": "", "pageToken": "", "pageSize": 200},
        "RecordInterimPayment": subject | {"version": 1, "outcome": "INTERIM_OUTCOME_PAID", "reason": "w" * 500},
        "GetEmergencies": {"officeCodes": ["1" * 20] * 200},
        "DecideCrisisLoan": subject
        | {"version": version, "outcome": "LOAN_OUTCOME_OFFERED", "amount": "10.00", "reason": "w" * 500},
    }
    return known[method]


@pytest.fixture
def version(process: Process, intake: Any, others: Any, desk: Any) -> Callable[[], int]:
    """The version of an assessment of many facts."""
    intake.submit(**dict.fromkeys(FACTS, "x" * 100))
    others.submit(schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, common_pb2.SCHEME_CRISIS_LOAN])
    others.book()
    desk.do("StartAssessment")

    def now() -> int:
        with process.database.transaction() as conn:
            row = conn.execute("SELECT version FROM assessments WHERE claim_ref = %s", [CLAIM]).fetchone()
        assert row is not None
        return int(row["version"])

    return now


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_a_refusal_for_many_facts_comes_by_either_door(desk: Any, version: Callable[[], int], door: Any) -> None:
    refused = replace(desk, door=door).once_refused("ConfirmAssessment", version=version())

    assert (refused.code, refused.reason) == ("failed_precondition", "ITEMS_OPEN")
    assert 0 < len(refused.fields) < len(FACTS)
    assert f"{len(FACTS) - len(refused.fields)} more are not named here" in refused.text


@pytest.mark.parametrize(
    "method", costs.methods_of("cms.assessment.v1.AssessmentService"), ids=lambda method: method.name
)
def test_the_dearest_requests_are_cheap(
    process: Process, version: Callable[[], int], tokens: Tokens, method: MethodDescriptor
) -> None:
    token = tokens.issue("ASSESSOR", subject="AS000001", office="123456")

    given = costs.dearest_requests(method, lambda: sound(method.name, version()))
    costs.expect_cheap(process, method, given, token)
