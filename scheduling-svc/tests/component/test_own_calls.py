"""Operators change a claimant's interview only in their own open call on the claim."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import PermissionDenied
from chassis.testing import Tokens

CLAIM, OTHER = "C0000000000A", "C00000000010"
LEEDS = "600021"


@pytest.fixture
def appointment(http: Any, tokens: Tokens, intake: Any) -> Any:
    """The interview of a claim, booked in a call that has ended since: another claim can be booked too."""
    for claim_ref in (CLAIM, OTHER):
        intake.open(claim_ref)
    body = {"claimRef": CLAIM, "earliest": True, "postcode": "LS1 4AP", "requestId": str(uuid4())}
    booked = http("BookAppointment", body, tokens.issue("OPERATOR")).body["appointment"]
    intake.refusal = PermissionDenied("CALL_REQUIRED", "this needs your own open call on the claim")
    return booked


def changes(http: Any, token: str, appointment: Any) -> dict[str, dict[str, Any]]:
    free = http("FindSlots", {"officeCode": LEEDS, "pageSize": 1}, token).body["slots"][0]["slotId"]
    this = {"appointmentId": appointment["appointmentId"]}
    read = this | {"version": appointment["version"]}
    near = {"claimRef": OTHER, "postcode": "LS1 4AP"}
    return {
        "BookAppointment": near | {"earliest": True},
        "OfferSlots": near,
        "ReleaseSlots": {"claimRef": OTHER},
        "JoinWaitingList": this,
        "LeaveWaitingList": this,
        "MoveAppointment": read | {"slotId": free},
        "CancelAppointment": read | {"reason": "ill"},
    }


def test_an_operator_without_an_own_open_call_changes_no_interview(http: Any, tokens: Tokens, appointment: Any) -> None:
    token = tokens.issue("OPERATOR", subject="OP000002")

    for method, body in changes(http, token, appointment).items():
        reply = http(method, body | {"requestId": str(uuid4())}, token)

        assert (method, reply.code, reply.reason) == (method, "permission_denied", "CALL_REQUIRED")


def test_managers_and_the_offices_assessors_need_no_call(http: Any, tokens: Tokens, appointment: Any) -> None:
    manager = tokens.issue("SERVICE_MANAGER", subject="SM000001")
    assessor = tokens.issue("ASSESSOR", subject="AS000001", office=appointment["office"]["code"])
    asked = changes(http, tokens.issue("OPERATOR"), appointment)

    joined = http("JoinWaitingList", asked["JoinWaitingList"] | {"requestId": str(uuid4())}, assessor)
    cancelled = http("CancelAppointment", asked["CancelAppointment"] | {"requestId": str(uuid4())}, manager)

    assert joined.reason != "CALL_REQUIRED"
    assert cancelled.code == "ok"


def test_the_repeat_of_a_change_is_answered_after_the_call(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    book = {"claimRef": CLAIM, "earliest": True, "postcode": "LS1 4AP", "requestId": str(uuid4())}
    booked = http("BookAppointment", book, token).body["appointment"]
    this = {"appointmentId": booked["appointmentId"], "version": booked["version"], "reason": "ill"}
    cancel = this | {"requestId": str(uuid4())}
    first = http("CancelAppointment", cancel, token)

    intake.refusal = PermissionDenied("CALL_REQUIRED", "this needs your own open call on the claim")
    again = [http("BookAppointment", book, token), http("CancelAppointment", cancel, token)]

    assert [reply.code for reply in again] == ["ok", "ok"]
    assert again[1].body == first.body
