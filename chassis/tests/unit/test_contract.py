"""The contract's own rules: structural, so that no method or event can be added without them."""

import importlib
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from chassis import contract
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2


def services() -> list[ServiceDescriptor]:
    names = [*contract.packages().values(), "operations"]
    modules = [importlib.import_module(f"cms.{name}.v1.{name}_pb2") for name in names]
    return [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]


METHODS = [method for service in services() for method in service.methods]


def messages_below(descriptor: Descriptor) -> Iterator[Descriptor]:
    yield descriptor
    for field in contract.holds_fields(descriptor):
        assert field.message_type is not None
        yield from messages_below(field.message_type)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_method_allows_somebody_by_a_role_that_has_a_name(method: MethodDescriptor) -> None:
    allowed = contract.allowed_roles(method)

    assert allowed
    assert allowed <= {name.removeprefix("ROLE_") for name in common_pb2.Role.keys()} - {"UNSPECIFIED"}  # noqa: SIM118


def test_services_may_call_no_more_than_this() -> None:
    found = {method.name: contract.called_by(method) for method in METHODS if contract.called_by(method)}

    assert found == {
        "GetClaimFacts": {"legacy-gateway", "la-notifier"},
        "GetAppointment": {"la-notifier"},
        "CheckRecord": {"intake-svc"},
        "ReportLines": {"telephone-switch"},
        "GetConfirmations": {"legacy-gateway"},  # before it builds a record
        "GetEvidence": {"la-notifier"},  # before it tells a claimant what to bring
        "GetDecisions": {"la-notifier"},  # before it tells a council of an award
    }


def test_services_may_call_no_more_than_this_for_a_person() -> None:
    found = {method.name: contract.delegated_to(method) for method in METHODS if contract.delegated_to(method)}

    assert found == {
        "GetInterview": {"assessment-svc"},
        "GetHistory": {"assessment-svc"},
        "AmendAnswers": {"assessment-svc", "legacy-gateway"},
        "GetClaim": {"scheduling-svc"},  # before it books
        "CheckEntitlement": {
            "scheduling-svc",
            "legacy-gateway",
            "la-notifier",
        },  # before they show where somebody will be
        "GetTransfers": {"assessment-svc"},
        "GetNotices": {"assessment-svc"},
    }


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_the_services_that_may_call_a_method_are_named_where_services_may(method: MethodDescriptor) -> None:
    assert bool(contract.called_by(method)) == ("SERVICE" in contract.allowed_roles(method))


def test_a_service_has_tokens_for_the_services_that_it_may_call() -> None:
    assert contract.services_called_by("legacy-gateway") == ("assessment-svc", "intake-svc")
    assert contract.services_called_by("assessment-svc") == ("intake-svc", "la-notifier", "legacy-gateway")
    assert contract.services_called_by("telephone-switch") == ("intake-svc",)
    assert contract.services_called_by("somebody-else") == ()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_mutating_request_has_a_request_id(method: MethodDescriptor) -> None:
    assert method.input_type is not None
    field = method.input_type.fields_by_name.get("request_id")

    reads = method.name.startswith(("Get", "List", "Find", "Check"))
    if reads:
        assert field is None
    elif method.name not in {"PassSecurity", "EndCall"}:  # they name the call, and end alike however often
        assert field in contract.required_fields(method.input_type)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_a_method_that_only_reads_is_declared_free_of_side_effects(method: MethodDescriptor) -> None:
    assert contract.only_reads(method) == method.name.startswith(("Get", "List", "Find", "Check"))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_the_absence_of_every_required_field_can_be_detected(method: MethodDescriptor) -> None:
    # False and zero would be refused as absent; a version is never zero.
    assert method.input_type is not None
    for message in messages_below(method.input_type):
        for field in contract.required_fields(message):
            plain = field.type in {FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_DOUBLE}
            assert not plain or field.has_presence or field.name == "version", field.full_name


def fields_below(descriptor: Descriptor) -> Iterator[FieldDescriptor]:
    for message in messages_below(descriptor):
        yield from message.fields


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_everything_that_a_request_may_hold_is_bounded(method: MethodDescriptor) -> None:
    assert method.input_type is not None
    for field in fields_below(method.input_type):
        most = contract.bounds(field)
        kind = field.message_type.full_name if field.message_type else ""
        if field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
            assert most.length, field.full_name
        if field.is_repeated:
            assert most.entries, field.full_name
        if kind == "google.protobuf.Value":
            assert min(most.length, most.entries, most.depth, most.nodes) > 0, field.full_name
        assert kind not in {"google.protobuf.Struct", "google.protobuf.ListValue", "google.protobuf.Any"}, (
            "use google.protobuf.Value, which has bounds"
        )
        assert not (field.message_type and field.message_type.GetOptions().map_entry), "the walk knows no maps"


LARGER = {"ReportLines": 128, "ImportForm": 640, "ReturnBundle": 512}
"""KiB of a day of quarter hours, and of a form as a PDF."""


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_a_request_is_at_most_64_kib_unless_the_method_says_otherwise(method: MethodDescriptor) -> None:
    assert contract.largest_bytes(method) == LARGER.get(method.name, 64) * 1024


def test_every_event_is_heard_by_services_of_the_platform_and_not_by_its_own() -> None:
    for event in contract.events().values():
        assert set(event.heard_by) <= set(contract.packages()) - {event.source}
        assert len(set(event.heard_by)) == len(event.heard_by)


def test_no_two_events_have_one_name() -> None:
    modules = [importlib.import_module(f"cms.{name}.v1.events_pb2") for name in contract.packages().values()]
    declared = [name for module in modules for name in module.DESCRIPTOR.message_types_by_name]

    assert sorted(declared) == sorted(contract.events())


def test_no_event_carries_personal_data() -> None:
    for event in contract.events().values():
        assert not contract.may_hold_personal(event.message.DESCRIPTOR), event.name


def test_the_sources_of_a_hearer_are_found() -> None:
    assert set(contract.events_heard_by("legacy-gateway")) >= {"ClaimAmended", "AssessmentConfirmed"}
    assert contract.sources_heard_by("legacy-gateway") == ["assessment-svc", "intake-svc"]
    assert contract.events_heard_by("nobody") == {}


def test_personal_fields_are_found_at_any_depth() -> None:
    empty = intake_pb2.RecordAnswersResponse()
    without_answers = intake_pb2.RecordAnswersResponse(interview=intake_pb2.Interview(claim_ref="C"))
    submitted = intake_pb2.SubmitClaimResponse(claim=intake_pb2.Claim(claim_ref="C"))

    assert contract.may_hold_personal(intake_pb2.RecordAnswersResponse.DESCRIPTOR)
    assert not contract.carries_personal(empty)
    assert contract.carries_personal(without_answers)
    assert not contract.carries_personal(submitted)


def test_a_claim_is_personal_once_it_names_the_claimant() -> None:
    page = intake_pb2.ListClaimsResponse(claims=[intake_pb2.Claim(claim_ref="C"), intake_pb2.Claim(claim_ref="D")])
    assert not contract.carries_personal(page)

    page.claims[1].claimant.SetInParent()

    assert contract.carries_personal(page)


def test_messages_that_hold_answers_are_marked() -> None:
    marked = {"Interview", "HistoryEntry", "ClaimFacts"}

    assert {
        name for name in marked if contract.is_personal(intake_pb2.DESCRIPTOR.message_types_by_name[name])
    } == marked
