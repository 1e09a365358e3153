"""What the tests of the contract stand on: both doors on bytes, and people with tokens and a claim."""

from collections.abc import Iterator

import pytest

from cms_local.journey import Journey
from cms_local.raw_doors import RawDoors
from cms_local.testing import PlatformUnderTest


@pytest.fixture(scope="session")
def raw(platform_under_test: PlatformUnderTest) -> Iterator[RawDoors]:
    """Both doors of every service."""
    with RawDoors(platform_under_test.layout) as doors:
        yield doors


@pytest.fixture
def call(platform_under_test: PlatformUnderTest) -> Journey:
    """A new claim in its operator's open call, not answered yet."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    return journey
