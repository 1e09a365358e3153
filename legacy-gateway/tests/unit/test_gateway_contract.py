"""The service against the contract, and intake's message as facts."""

from datetime import UTC, date, datetime

from google.protobuf import json_format

from chassis import contract
from cms.intake.v1 import intake_pb2
from legacy_gateway.clients import facts_of
from legacy_gateway.consumers import HANDLERS


def test_every_event_that_the_contract_says_is_heard_has_a_handler() -> None:
    assert HANDLERS.keys() == contract.events_heard_by("legacy-gateway").keys()


def test_the_agreed_form_stands_for_the_answer_and_days_are_londons() -> None:
    message = intake_pb2.ClaimFacts(claim_ref="C00000000018", operator="OP1", operator_grade="EO")
    json_format.ParseDict({"surname": "O’Brien", "hours_available": 37.5}, message.answers)
    json_format.ParseDict({"surname": "O'BRIEN"}, message.record_forms)
    message.first_contact_time.FromDatetime(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))

    facts = facts_of(message)

    assert facts.answers == {"surname": "O'BRIEN", "hours_available": 37.5}
    assert (facts.contact_on, facts.evidence_on) == (date(2026, 7, 1), None)
    assert (facts.operator, facts.operator_grade) == ("OP1", "EO")
