"""Tokens of pages, and names of the contract's enumerations."""

import base64
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.consumers import HANDLERS
from assessment.domain.work import Place
from assessment.enums import name_of, number_of
from assessment.pages import place_of, token_of
from chassis import contract
from chassis.errors import InvalidArgument
from cms.common.v1 import common_pb2


@given(st.booleans(), st.datetimes(timezones=st.just(UTC)), st.text("CX0189", min_size=1, max_size=12))
def test_a_token_leads_back_to_its_place(done: bool, submit_time: object, claim_ref: str) -> None:  # noqa: FBT001
    place = Place(done=done, submit_time=submit_time, claim_ref=claim_ref)  # type: ignore[arg-type]

    assert place_of(token_of(place)) == place


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_is_no_token_is_refused_by_name(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        place_of(token)

    assert [violation.field for violation in refused.value.violations] == ["page_token"]


@pytest.mark.parametrize(
    "text",
    [
        "[true, 1, 2]",
        '["x", "2026-01-01T00:00:00+00:00", "C"]',
        '[true, "2026-01-01", "C"]',
        "{}",
        "7",
        '[true, "2026-01-01T00:00:00+00:00", "\\u0000"]',
        '[true, "2026-01-01T00:00:00+00:00", "\\ud800"]',
        pytest.param("[" * 100_000, id="very deep"),
    ],
)
def test_json_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        place_of(base64.urlsafe_b64encode(text.encode()).decode())


def test_names_have_no_prefix_and_lead_back_to_their_numbers() -> None:
    assert name_of(common_pb2.System, common_pb2.SYSTEM_JSAPS, field="system") == "JSAPS"
    assert number_of(common_pb2.System, "JSAPS") == common_pb2.SYSTEM_JSAPS


@pytest.mark.parametrize("number", [0, 77])
def test_a_number_without_a_meaning_is_refused_by_name(number: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        name_of(common_pb2.System, number, field="system")

    assert [violation.field for violation in refused.value.violations] == ["system"]


def test_the_service_handles_what_the_contract_says_it_hears() -> None:
    assert set(HANDLERS) == set(contract.events_heard_by("assessment-svc"))
