"""The answers of authorities over the API, the facts of intake, and the authorities' secrets."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.http_line import Answer
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2
from la_notifier.channels.api import held_notice, send_answer, signature
from la_notifier.clients import facts_of
from la_notifier.config import read_secrets
from la_notifier.domain.notices import HeldNotice, HeldState, SendAnswer, SendResult


def answered(status: int, body: Any) -> Answer:
    """An authority's answer with this JSON."""
    return Answer(status=status, body=json.dumps(body).encode())


ERRORS = {
    "errors": [
        {"field": "tenancy.kind", "message": "x"},
        {"field": "Siân O’Brien", "message": "x"},
        {"field": "OBrien"},
        7,
    ]
}


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (202, {"receipt": "HB1"}, SendAnswer(result=SendResult.SENT, status=202, receipt="HB1")),
        (200, {"receipt": "HB1"}, SendAnswer(result=SendResult.SENT, status=200, receipt="HB1")),
        (202, {"receipt": 7}, SendAnswer(result=SendResult.SENT, status=202)),
        (202, {"receipt": "HB\x001"}, SendAnswer(result=SendResult.SENT, status=202)),
        (202, {"receipt": "H" * 101}, SendAnswer(result=SendResult.SENT, status=202)),
        (202, {"receipt": "H" * 100}, SendAnswer(result=SendResult.SENT, status=202, receipt="H" * 100)),
        (409, {}, SendAnswer(result=SendResult.LATER_VERSION_HELD, status=409)),
        (422, ERRORS, SendAnswer(result=SendResult.REFUSED, status=422, refused_fields=("tenancy.kind",))),
        (422, ["nonsense"], SendAnswer(result=SendResult.REFUSED, status=422)),
        (422, {"errors": "nonsense"}, SendAnswer(result=SendResult.REFUSED, status=422)),
        (503, {}, SendAnswer(result=SendResult.NOT_TAKEN, status=503)),
        (429, {}, SendAnswer(result=SendResult.NOT_TAKEN, status=429)),
        (401, {}, SendAnswer(result=SendResult.NOT_TAKEN, status=401)),
        (404, {}, SendAnswer(result=SendResult.NOT_TAKEN, status=404)),
        (500, {}, SendAnswer(result=SendResult.UNKNOWN, status=500)),
        (504, {}, SendAnswer(result=SendResult.UNKNOWN, status=504)),
    ],
)
def test_the_answer_to_a_notice_is_understood(status: int, body: Any, answer: SendAnswer) -> None:
    assert send_answer(answered(status, body)) == answer


def test_an_answer_without_json_is_understood_by_its_status() -> None:
    assert send_answer(Answer(status=422, body=b"<html>")).result is SendResult.REFUSED
    assert held_notice(Answer(status=200, body=b"\xff")).state is HeldState.UNKNOWN
    assert held_notice(Answer(status=200, body=b"[" * 60_000)).state is HeldState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "body", "held"),
    [
        (200, {"version": 2, "state": "LOADED"}, HeldNotice(state=HeldState.LOADED, version=2)),
        (200, {"version": 1, "state": "RECEIVED"}, HeldNotice(state=HeldState.RECEIVED, version=1)),
        (200, {"version": 1, "state": "REFUSED", "reason": "x"}, HeldNotice(state=HeldState.REFUSED, version=1)),
        (200, {"version": 1, "state": "ABSENT"}, HeldNotice(state=HeldState.UNKNOWN)),
        (200, {"version": "1", "state": "LOADED"}, HeldNotice(state=HeldState.UNKNOWN)),
        (200, {"version": 1, "state": ["LOADED"]}, HeldNotice(state=HeldState.UNKNOWN)),
        (404, {}, HeldNotice(state=HeldState.ABSENT)),
        (503, {}, HeldNotice(state=HeldState.UNKNOWN)),
    ],
)
def test_the_answer_to_a_question_is_understood(status: int, body: Any, held: HeldNotice) -> None:
    assert held_notice(answered(status, body)) == held


def test_a_signature_is_the_hmac_of_the_raw_body() -> None:
    # RFC 4231, test case 2.
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert signature(b"Jefe", b"what do ya want for nothing?") == expected


def test_facts_of_intake_are_dated_in_london() -> None:
    message = intake_pb2.ClaimFacts(
        claim_ref="C0123456789A",
        version=7,
        state=intake_pb2.CLAIM_STATE_SUBMITTED,
        schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE],
        language=common_pb2.LANGUAGE_CY,
    )
    message.first_contact_time.FromDatetime(datetime(2026, 7, 4, 23, 30, tzinfo=UTC))
    message.submit_time.FromDatetime(datetime(2026, 12, 4, 23, 30, tzinfo=UTC))
    message.answers.update({"surname": "Łukasz", "liable_for_rent": True, "children": []})

    facts = facts_of(message)

    assert (facts.first_contact_on, facts.claim_on) == (date(2026, 7, 5), date(2026, 12, 4))
    assert (facts.schemes, facts.language, facts.withdrawn) == (("JOBSEEKERS_ALLOWANCE",), "CY", False)
    assert facts.answers == {"surname": "Łukasz", "liable_for_rent": True, "children": []}


def test_a_draft_has_no_day_of_claim_and_a_withdrawn_claim_is_recognised() -> None:
    facts = facts_of(intake_pb2.ClaimFacts(state=intake_pb2.CLAIM_STATE_WITHDRAWN))

    assert facts.claim_on is None
    assert facts.withdrawn


@pytest.mark.parametrize("text", ["", "[]", '{"E08000035": "no hex CANARY"}', '{"E08000035": 7}'])
def test_unreadable_secrets_are_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text)

    with pytest.raises(ValueError, match="councils' secrets") as refused:
        read_secrets(path)

    assert "CANARY" not in str(refused.value)
