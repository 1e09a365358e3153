"""Fixtures of the contract's tests: both doors, and people with tokens and a claim."""

from collections.abc import Iterator

import pytest

from chassis.testing import eventually
from cms_local.journey import Journey
from tests.support.callers import own_office
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import RawDoors


@pytest.fixture(scope="session")
def raw(platform_under_test: PlatformUnderTest) -> Iterator[RawDoors]:
    """The gRPC door and the HTTP door of every service."""
    with RawDoors(platform_under_test.layout) as doors:
        yield doors


@pytest.fixture
def call(platform_under_test: PlatformUnderTest) -> Journey:
    """A new claim without answers, in its operator's open call."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    return journey


@pytest.fixture(scope="module")
def claim(platform_under_test: PlatformUnderTest) -> Journey:
    """A submitted and booked claim, whose operator's call is still open."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    journey.answer(journey.case.answers)
    journey.book()
    journey.submit()
    request = {"claimRef": journey.claim_ref}
    shown = platform_under_test.doors.call("intake-svc", "GetInterview", request, token=journey.operator)
    journey.interview = shown["interview"]
    eventually(lambda: office_known_to_intake(platform_under_test, journey), what="the booking's coming to intake")
    return journey


@pytest.fixture(scope="module")
def unbooked(platform_under_test: PlatformUnderTest) -> Journey:
    """A claim without an appointment, in its operator's open call."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    return journey


def office_known_to_intake(platform: PlatformUnderTest, journey: Journey) -> bool:
    """Whether intake knows the claim's office."""
    request = {"claimRef": journey.claim_ref}
    found = platform.doors.call("intake-svc", "GetClaim", request, token=journey.operator)["claim"]
    return bool(found["officeCode"] == own_office(journey))
