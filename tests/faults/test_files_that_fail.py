"""PSCS's files fail in every way that the interface document names: each claim is held once, and nobody else waits.

On a platform in July 2005, when Incapacity Benefit could be claimed. What becomes of a file, of its response and of the daily
lists in each case the gateway's own tests show, against the same stand-in; a response that stays wrong is there too, since
hours go by before the lists make it good.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from cms_local.commands.demo import DEMO_DAY
from cms_local.journey import GATEWAY, Journey
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.support.second_gateway import QUICK

pytestmark = [pytest.mark.xdist_group("mainframes"), pytest.mark.long]

PSCS = "pscs"
TITLE = "Incapacity Benefit: out of work and ill"
QUICK_FILES = {**QUICK, "CMS_FILE_SECONDS": "3"}
"""A request is awaited for two seconds, a whole exchange of files for three."""
AT_THE_DOOR: Mapping[str, Sequence[str]] = {
    "connection": ("refuse", "hang"),
    "write": ("break_off", "hang", "system_error", "lose_reply"),
    "rename": ("lose_reply", "break_off", "hang", "system_error"),
    "read": ("break_off", "hang", "system_error"),
}
"""The failures of each place, in the order in which they happen there, once each while there is something to do."""
OF_FILES: Sequence[dict[str, Any]] = [
    {"failure": "refuse_file", "code": "PF0004"},
    {"failure": "no_response", "seconds": 2.0},
    {"failure": "silent", "seconds": 2.0},
    {"failure": "omit_line"},
    {"failure": "omit_line", "recount": True},
    {"failure": "cut_control"},
]


@pytest.fixture(scope="module")
def july_2005() -> Iterator[PlatformUnderTest]:
    with own_platform(on=DEMO_DAY.date()) as started:
        restart_gateway(started)
        yield started


@pytest.fixture
def platform(july_2005: PlatformUnderTest) -> Iterator[PlatformUnderTest]:
    """The platform, whose PSCS has no failures afterwards."""
    yield july_2005
    end_failures(july_2005)


def restart_gateway(platform: PlatformUnderTest) -> None:
    platform.running.stop(GATEWAY)
    platform.running.start(GATEWAY, extra=QUICK_FILES)
    platform.running.wait_until_ready(names=(GATEWAY,))


def control(platform: PlatformUnderTest, path: str) -> str:
    return f"http://127.0.0.1:{platform.layout.control_port(PSCS)}/{path}"


def order(platform: PlatformUnderTest, **rule: Any) -> None:
    httpx.post(control(platform, "failures"), json=rule, timeout=10.0).raise_for_status()


def end_failures(platform: PlatformUnderTest) -> None:
    httpx.delete(control(platform, "failures"), timeout=10.0).raise_for_status()


def fired(platform: PlatformUnderTest) -> int:
    """How often the failures in force have happened."""
    failures = httpx.get(control(platform, "failures"), timeout=10.0).json()["failures"]
    return sum(rule["fired"] for rule in failures)


def confirm(platform: PlatformUnderTest, *journeys: Journey) -> None:
    def one(journey: Journey) -> None:
        journey.take_call()
        journey.assess()

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(one, journeys))


def must_be_held_once(platform: PlatformUnderTest, journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        journey.wait_for_outcome(seconds=120)
    found = platform.settled_audit(*journeys)
    assert (found.accepted, found.lost, found.duplicates, found.half_transfers) == (len(journeys), 0, 0, 0), found


@pytest.mark.parametrize("place", AT_THE_DOOR)
def test_each_claim_is_held_once_whatever_happens_at_the_door(platform: PlatformUnderTest, place: str) -> None:
    for failure in AT_THE_DOOR[place]:
        order(platform, failure=failure, at=place, count=1)
    journeys = [platform.journey(TITLE) for _ in range(2)]

    confirm(platform, *journeys)

    must_be_held_once(platform, journeys)
    assert fired(platform) > 0


@pytest.mark.parametrize("rule", OF_FILES, ids=lambda rule: "-".join(map(str, rule.values())))
def test_each_claim_is_held_once_whatever_becomes_of_its_file(
    platform: PlatformUnderTest, rule: dict[str, Any]
) -> None:
    order(platform, **rule, count=1)
    journeys = [platform.journey(TITLE) for _ in range(3)]

    confirm(platform, *journeys)

    must_be_held_once(platform, journeys)
    assert fired(platform) == 1


@contextmanager
def away(platform: PlatformUnderTest, how: str) -> Iterator[None]:
    """PSCS fails so, or does not run at all, in the block."""
    if how == "stopped":
        platform.running.stop(PSCS)
    elif how == "hang":
        for place in ("connection", "write", "rename", "read", "list"):  # a connection is kept from file to file
            order(platform, failure=how, at=place)
    else:
        order(platform, failure=how, seconds=3600.0)
    try:
        yield
    finally:
        if how == "stopped":
            platform.running.start(PSCS)
            platform.running.wait_until_ready(names=(PSCS,))
        end_failures(platform)


@pytest.mark.parametrize("how", ["hang", "down", "silent", "stopped"])
def test_the_other_systems_go_on_while_it_is_away_and_what_waited_goes_in_files(
    platform: PlatformUnderTest, how: str
) -> None:
    waiting = [platform.journey(TITLE) for _ in range(5)]
    others = [platform.journey("lodger"), platform.journey("Income Support: a lone parent who rents")]

    with away(platform, how):
        confirm(platform, *waiting, *others)
        for journey in others:
            journey.wait_for_outcome(seconds=60)
        assert not any(journey.is_accepted() for journey in waiting)

    must_be_held_once(platform, [*waiting, *others])
