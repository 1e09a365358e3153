"""The handlers of the contract's events, and the facts in intake's message."""

from datetime import UTC, date, datetime

from google.protobuf import json_format

from chassis import contract
from cms.intake.v1 import intake_pb2
from legacy_gateway.clients import facts_of
from legacy_gateway.consumers import HANDLERS


def test_every_event_that_the_gateway_hears_has_a_handler() -> None:
    assert HANDLERS.keys() == contract.events_heard_by("legacy-gateway").keys()


def test_facts_use_the_agreed_form_and_londons_days() -> None:
    message = intake_pb2.ClaimFacts(claim_ref="C00000000018", operator="OP1", operator_grade="EO")
    json_format.ParseDict({"surname": "O’Brien", "hours_available": 37.5}, message.answers)
    json_format.ParseDict({"surname": "O'BRIEN"}, message.record_forms)
    message.first_contact_time.FromDatetime(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))

    facts = facts_of(message)

    assert facts.answers == {"surname": "O'BRIEN", "hours_available": 37.5}
    assert (facts.contact_on, facts.evidence_on) == (date(2026, 7, 1), None)
    assert (facts.operator, facts.operator_grade) == ("OP1", "EO")
