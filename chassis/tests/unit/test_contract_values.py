"""Enumerations, times, dates and pages: the contract's messages to values and back."""

import base64
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.conversions import date_message, day_of, time_of, timestamp
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument
from chassis.pages import page_size, place_of, token_of
from cms.common.v1 import common_pb2

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


@pytest.mark.parametrize(("given_size", "size"), [(0, 50), (1, 1), (200, 200), (201, 200)])
def test_a_page_has_the_size_asked_for_within_limits(given_size: int, size: int) -> None:
    assert page_size(given_size, usual=50, largest=200) == size


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        page_size(-1, usual=50, largest=200)

    assert fields_of(refused) == ["page_size"]


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
    assert tuple(place_of(token_of(*place), *PLACE)) == place


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused_as_a_page_token(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        place_of(token, *PLACE)

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
        ("{}", []),
        ("7", []),
        pytest.param("[" * 100_000, [str], id="very deep"),
    ],
)
def test_a_token_of_another_place_is_refused(text: str, kinds: list[type]) -> None:
    with pytest.raises(InvalidArgument):
        place_of(base64.urlsafe_b64encode(text.encode()).decode(), *kinds)
