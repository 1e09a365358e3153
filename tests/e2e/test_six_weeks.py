"""Claims of all schemes through six weeks: each authority ends with the latest notice, once, in time and with the right dates.

The weeks are chosen for the law: in the first the Regulations of 2006 replace those of 1987, in the second the route by
gateway offices ends.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from chassis import clock
from chassis.testing import eventually
from cms_local import keys
from cms_local.mail_room import MailRoom
from cms_local.systems import COUNCILS
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.weeks import law
from tests.weeks.claimants import AWAY, Turn, claimants
from tests.weeks.days import Day, pass_days
from tests.weeks.lives import Life

pytestmark = pytest.mark.xdist_group("six-weeks")

SIX_WEEKS = timedelta(days=41)
FIRST_DAYS = (date(2006, 2, 13), date(2008, 9, 1))
SERVICES = ("intake-svc", "scheduling-svc", "assessment-svc", "legacy-gateway", "la-notifier")
AWAY_FROM, AWAY_FOR = timedelta(days=9), timedelta(days=5)
REVIEWS = "SELECT count(*) FROM looks"
TRANSFERS = "SELECT count(*) FROM transfers WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN')"
NOTICES = """
    SELECT count(*) FROM notice_versions JOIN notices USING (notice_id)
    WHERE authority_code <> %s AND state IN ('WAITING', 'SENT', 'RECEIVED')
        AND (notices.channel <> 'POST' OR next_attempt_time IS NOT NULL)
"""
UNFINISHED = "SELECT count(*) FROM outbox WHERE finished_time IS NULL"


def is_quiet(platform: PlatformUnderTest, *, but_for: str = "") -> bool:
    """Whether nothing is under way but what a person has to do, and what waits for one authority."""
    counts = (
        *(platform.count(name, UNFINISHED) for name in SERVICES),
        platform.count("la-notifier", REVIEWS),
        platform.count("legacy-gateway", TRANSFERS),
        platform.count("la-notifier", NOTICES, but_for),
    )
    return not any(counts)


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
        pass_days(lives, office_of(platform, first), first=first, last=first + SIX_WEEKS)
        eventually(lambda: is_quiet(platform), seconds=60, what="a quiet end")
        yield platform, lives


def office_of(platform: PlatformUnderTest, first: date) -> Day:
    token = keys.issue(platform.layout.keys(""), "PROCESSING_OFFICER", subject="PO000002")
    address = f"http://127.0.0.1:{platform.layout.stand_in_port(COUNCILS)}"
    mail_room = MailRoom(doors=platform.doors, councils_url=address, token=token)

    def closes(today: date) -> None:
        quiet = partial(is_quiet, platform, but_for=AWAY)
        eventually(quiet, seconds=120, what=f"a quiet evening of {today}")

    def opens(today: date) -> None:
        away = first + AWAY_FROM <= today < first + AWAY_FROM + AWAY_FOR
        set_failures(platform, [{"failure": "unavailable", "authority": AWAY, "retry_after": 1}] if away else [])
        mail_room.clear()

    return Day(opens=opens, closes=closes)


def set_failures(platform: PlatformUnderTest, failures: Sequence[Mapping[str, Any]]) -> None:
    address = f"http://127.0.0.1:{platform.layout.control_port(COUNCILS)}/failures"
    httpx.put(address, json=failures, timeout=30.0).raise_for_status()


def held_by_councils(platform: PlatformUnderTest) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The notices that the authorities hold, by claim, once each has loaded or refused the latest that it received."""
    address = f"http://127.0.0.1:{platform.layout.control_port(COUNCILS)}/ledger"

    def held() -> Mapping[str, Sequence[Mapping[str, Any]]]:
        claims: Mapping[str, Sequence[Mapping[str, Any]]] = (
            httpx.get(address, timeout=30.0).raise_for_status().json()["claims"]
        )
        return claims

    def settled() -> bool:
        latest = [notice["versions"][-1]["state"] for notices in held().values() for notice in notices]
        return "RECEIVED" not in latest

    eventually(settled, seconds=60, what="the loading of what every authority received")
    return held()


def assert_councils_hold_the_latest_once(
    lives: Sequence[Life], held: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    for life in lives:
        notices = life.notices()
        latest = {one["authorityCode"]: one["version"] for one in notices}
        entries = held.get(life.claim.claim_ref, [])
        assert {one["authority_code"]: one["loaded_version"] for one in entries} == latest, life.claimant
        assert all(one["most_loads_of_a_version"] == 1 for one in entries), life.claimant


def assert_each_notice_is_of_the_right_kind(lives: Sequence[Life]) -> None:
    for life in lives:
        notices = life.notices()
        assert bool(notices) == life.claimant.case.wants_notice, life.claimant
        ends = {one["authorityCode"]: one["kind"] for one in notices}
        last = "WITHDRAWN" if life.withdrawn else "AWARD"
        moved = ["WITHDRAWN"] if life.claimant.turn is Turn.MOVED else []
        assert sorted(ends.values()) == sorted(f"NOTICE_KIND_{kind}" for kind in [last, *moved] if notices), (
            life.claimant
        )


def assert_dates_of_claim_are_right(lives: Sequence[Life]) -> None:
    for life in lives:
        told = life.told()
        withdrawn = {one["noticeId"] for one in told["notices"] if one["kind"] == "NOTICE_KIND_WITHDRAWN"}
        found = [one for one in told["datesOfClaim"] if one["noticeId"] not in withdrawn]
        if life.withdrawn or not law.seeks_housing_benefit(life):
            assert not found, life.claimant
            continue
        [one] = found
        assert date(**one["date"]) == law.date_of_claim(life), life.claimant
        assert (one["rule"], one["settled"]) == (law.rule_on(life.submitted_on or life.claimant.call_on), True), (
            life.claimant
        )


def assert_no_notice_left_late(lives: Sequence[Life]) -> None:
    """By the API within a minute of the acts that called for it, in a file with the next cycle."""
    limits = {"NOTICE_CHANNEL_API": timedelta(seconds=60), "NOTICE_CHANNEL_SFTP": timedelta(minutes=30)}
    for life in lives:
        for one in life.notices():
            if (limit := limits.get(one["channel"])) is None or "sent" not in one:
                continue
            if one["authorityCode"] == AWAY:
                continue
            sent = datetime.fromisoformat(one["sent"])
            called_for = max((act for act in life.acts if act <= sent), default=sent)
            assert sent - called_for <= limit, life.claimant


def test_claimants_of_every_kind_pass_six_weeks() -> None:
    with six_weeks(FIRST_DAYS[0], size=14) as (platform, lives):
        held = held_by_councils(platform)

        assert_each_notice_is_of_the_right_kind(lives)
        assert_councils_hold_the_latest_once(lives, held)
        assert_dates_of_claim_are_right(lives)
        assert_no_notice_left_late(lives)


@pytest.mark.long
@pytest.mark.parametrize("first", FIRST_DAYS)
def test_a_hundred_claimants_pass_six_weeks(first: date) -> None:
    with six_weeks(first, size=100) as (platform, lives):
        held = held_by_councils(platform)

        assert_each_notice_is_of_the_right_kind(lives)
        assert_councils_hold_the_latest_once(lives, held)
        assert_dates_of_claim_are_right(lives)
        assert_no_notice_left_late(lives)
