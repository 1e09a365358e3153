"""Claims of all schemes through six weeks: each authority ends with the latest notice, once, in time and with the right dates.

The weeks are chosen for the law: in the first the Regulations of 2006 replace those of 1987, in the second the route by
gateway offices ends.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from chassis import clock
from chassis.testing import eventually
from cms_local.systems import COUNCILS
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.weeks.claimants import Turn, claimants
from tests.weeks.days import Day, pass_days
from tests.weeks.lives import Life

pytestmark = pytest.mark.xdist_group("six-weeks")

SIX_WEEKS = timedelta(days=41)
FIRST_DAYS = (date(2006, 2, 13), date(2008, 9, 1))
SERVICES = ("intake-svc", "scheduling-svc", "assessment-svc", "legacy-gateway", "la-notifier")
OPEN = {
    "la-notifier": """
        SELECT (SELECT count(*) FROM looks) + count(*) FROM notice_versions
        WHERE state IN ('WAITING', 'SENT', 'RECEIVED') AND channel <> 'POST'
    """,
    "legacy-gateway": "SELECT count(*) FROM transfers WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN')",
}
UNFINISHED = "SELECT count(*) FROM outbox WHERE finished_time IS NULL"


def is_quiet(platform: PlatformUnderTest) -> bool:
    """Whether nothing is under way but what a person has to do."""
    unfinished = any(platform.count(name, UNFINISHED) for name in SERVICES)
    return not unfinished and not any(platform.count(name, query) for name, query in OPEN.items())


@contextmanager
def six_weeks(first: date, *, size: int) -> Iterator[tuple[PlatformUnderTest, list[Life]]]:
    """The platform and the claims after six weeks of `size` claimants."""
    with own_platform(on=first) as platform:
        source = random.Random(first.toordinal())
        lives = [
            Life(claimant=one, layout=platform.layout, doors=platform.doors, source=random.Random(source.random()))
            for one in claimants(first.toordinal(), size=size, first_day=first)
        ]
        clock.configure(platform.layout.clock_file)
        pass_days(lives, office_of(platform), first=first, last=first + SIX_WEEKS)
        yield platform, lives


def office_of(platform: PlatformUnderTest) -> Day:
    def closes(today: date) -> None:
        eventually(lambda: is_quiet(platform), seconds=120, what=f"a quiet evening of {today}")

    return Day(opens=lambda _: None, closes=closes)


def held_by_councils(platform: PlatformUnderTest) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """What the authorities hold, by claim: an entry for each notice."""
    address = f"http://127.0.0.1:{platform.layout.control_port(COUNCILS)}/ledger"
    claims: Mapping[str, Sequence[Mapping[str, Any]]] = httpx.get(address, timeout=30.0).raise_for_status().json()["claims"]
    return claims


def assert_councils_hold_the_latest_once(lives: Sequence[Life], held: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for life in lives:
        notices = life.notices()
        latest = {one["authorityCode"]: one["version"] for one in sorted(notices, key=lambda one: one["version"])}
        entries = held.get(life.claim.claim_ref, [])
        assert {one["authority_code"]: one["loaded_version"] for one in entries} == latest, life.claimant
        assert all(one["most_loads_of_a_version"] == 1 for one in entries), life.claimant


def assert_each_notice_is_of_the_right_kind(lives: Sequence[Life]) -> None:
    for life in lives:
        notices = life.notices()
        assert bool(notices) == life.claimant.case.wants_notice, life.claimant
        ends = {one["authorityCode"]: one["kind"] for one in sorted(notices, key=lambda one: one["version"])}
        last = "WITHDRAWN" if life.withdrawn else "AWARD"
        moved = ["WITHDRAWN"] if life.claimant.turn is Turn.MOVED else []
        assert sorted(ends.values()) == sorted(f"NOTICE_KIND_{kind}" for kind in [last, *moved] if notices), life.claimant


def test_claimants_of_every_kind_pass_six_weeks() -> None:
    with six_weeks(FIRST_DAYS[0], size=14) as (platform, lives):
        held = held_by_councils(platform)

        assert_each_notice_is_of_the_right_kind(lives)
        assert_councils_hold_the_latest_once(lives, held)
