"""Enumerations, times, dates and pages: the contract's messages to values and back."""

import base64
import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.contract import bounds
from chassis.conversions import date_message, day_of, time_of, timestamp, uuid_of
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument
from chassis.pages import page_size, place_of, token_of
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2
from cms.operations.v1 import operations_pb2

PLACE = (bool, datetime, int, str, UUID)


def fields_of(error: pytest.ExceptionInfo[InvalidArgument]) -> list[str]:
    return [violation.field for violation in error.value.violations]


def test_names_have_no_prefix_and_lead_back_to_their_numbers() -> None:
    assert name_of(common_pb2.System, common_pb2.SYSTEM_JSAPS, field="system") == "JSAPS"
    assert number_of(common_pb2.System, "JSAPS") == common_pb2.SYSTEM_JSAPS


@pytest.mark.parametrize("number", [0, 77])
def test_a_number_without_a_meaning_is_refused_by_its_field(number: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        name_of(common_pb2.System, number, field="system")

    assert fields_of(refused) == ["system"]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_its_message(moment: datetime) -> None:
    assert time_of(timestamp(moment), field="at") == moment


def test_no_moment_leaves_a_field_unset() -> None:
    assert timestamp(None) is None


def test_a_time_that_no_calendar_has_is_refused_by_its_field() -> None:
    with pytest.raises(InvalidArgument) as refused:
        time_of(Timestamp(seconds=10**15), field="since")

    assert fields_of(refused) == ["since"]


@given(st.dates())
def test_a_day_survives_its_message(day: date) -> None:
    assert day_of(date_message(day), field="day") == day


@pytest.mark.parametrize("day", [date_pb2.Date(), date_pb2.Date(year=2026, month=2, day=30)])
def test_a_day_that_no_calendar_has_is_refused_by_its_field(day: date_pb2.Date) -> None:
    with pytest.raises(InvalidArgument) as refused:
        day_of(day, field="seen_on")

    assert fields_of(refused) == ["seen_on"]


def asking(token: str = "", **more: Any) -> intake_pb2.ListClaimsRequest:
    """A request for a page of claims."""
    return intake_pb2.ListClaimsRequest(page_token=token, **more)


@pytest.mark.parametrize(("given_size", "size"), [(0, 50), (1, 1), (200, 200), (201, 200), (2**31 - 1, 200)])
def test_a_page_has_the_size_asked_for_within_limits(given_size: int, size: int) -> None:
    assert page_size(asking(page_size=given_size), usual=50, largest=200) == size


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        page_size(asking(page_size=-1), usual=50, largest=200)

    assert fields_of(refused) == ["page_size"]


def test_the_first_page_has_no_place() -> None:
    assert place_of(asking(), str) is None


@given(
    st.tuples(
        st.booleans(),
        st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
        st.integers(min_value=1 - 2**63, max_value=2**63 - 1),
        st.text("CX0189", max_size=12),
        st.uuids(),
    )
)
def test_a_token_leads_back_to_its_place(place: tuple[Any, ...]) -> None:
    token = token_of(asking(surname="Jones", page_size=7), *place)

    assert place_of(asking(token, surname="Jones", page_size=9), *PLACE) == list(place)
    assert len(token) <= bounds(intake_pb2.ListClaimsRequest.DESCRIPTOR.fields_by_name["page_token"]).length


@pytest.mark.parametrize(
    "other",
    [
        intake_pb2.ListClaimsRequest(surname="Janes"),
        intake_pb2.ListClaimsRequest(surname="Jones", postcode="LS1 4AP"),
        intake_pb2.ListClaimsRequest(surname="Jones", state=intake_pb2.CLAIM_STATE_DRAFT),
        intake_pb2.ListClaimsRequest(),
        operations_pb2.ListDeadLettersRequest(),
        assessment_pb2.ListWorkRequest(),
    ],
)
def test_a_token_belongs_to_its_query(other: Any) -> None:
    other.page_token = token_of(asking(surname="Jones"), "C0")

    with pytest.raises(InvalidArgument) as refused:
        place_of(other, str)

    assert [(fault.field, fault.description) for fault in refused.value.violations] == [
        ("page_token", "is of another query: ask for the first page, without a token")
    ]


@given(
    st.text(min_size=1, max_size=60)
    | st.binary(min_size=1, max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_anything_else_is_refused_as_a_page_token(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        place_of(asking(token), *PLACE)

    assert fields_of(refused) == ["page_token"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("[1]", [str]),
        ("[true]", [int]),
        ("[1]", [bool]),
        ("[9223372036854775808]", [int]),
        ('["x"]', [datetime]),
        ('["2026-01-01"]', [datetime]),
        ('["0001-01-01T00:00:00+01:00"]', [datetime]),
        ('["x"]', [UUID]),
        ('["\\u0000"]', [str]),
        ('["\\ud800"]', [str]),
        ('["a", "b"]', [str]),
        ("[]", [str]),
    ],
)
def test_a_token_of_another_place_is_refused(text: str, kinds: list[type]) -> None:
    query, *_ = json.loads(base64.urlsafe_b64decode(token_of(asking())))
    token = base64.urlsafe_b64encode(json.dumps([query, *json.loads(text)]).encode()).decode()

    with pytest.raises(InvalidArgument) as refused:
        place_of(asking(token), *kinds)

    assert fields_of(refused) == ["page_token"]


@pytest.mark.parametrize("text", ["{}", "7", "[]", "[7]", pytest.param("[" * 100_000, id="very deep")])
def test_a_value_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        place_of(asking(base64.urlsafe_b64encode(text.encode()).decode()), str)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "00000000-0000-0000-0000-000000000000",
        "8a5e7c1e98a54d649c3c1d5b2f6d0001",
        "{8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001}",
        "urn:uuid:8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001",
        "8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001\n",
        "8a5e-7c1e98a5-4d64-9c3c-1d5b2f6d0001",
    ],
)
def test_other_forms_are_no_uuid(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        uuid_of(text, field="call_id")

    assert fields_of(refused) == ["call_id"]


@pytest.mark.parametrize(
    "text",
    [
        "8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001",
        "8A5E7C1E-98A5-4D64-9C3C-1D5B2F6D0001",
        "00000000-0000-0000-0000-000000000001",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ],
)
def test_a_uuid_of_any_version_is_taken(text: str) -> None:
    assert uuid_of(text, field="call_id") == UUID(text)
