"""A short month: the platform's search beside the simple policies, and the rules of the diaries on which they are compared."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Channel, Office
from scheduling.domain.slots import Slot
from tests.schedule.month.diaries import Diaries
from tests.schedule.month.figures import POLICIES, figures, margins
from tests.schedule.month.ours import Platform
from tests.schedule.month.passing import Month, Outcome
from tests.schedule.month.plot import svg
from tests.schedule.month.simple import FixedSlots, OwnOffice
from tests.schedule.month.world import MONTH, SPARE, World, draw

OFFICES = [
    Office(
        code=f"7000{number}1",
        name=f"Town {number}",
        postcode="LS1 3AB",
        easting=430_000 + 9_000 * (number % 3),
        northing=430_000 + 9_000 * (number // 3),
        nation=Nation.ENGLAND,
        features=frozenset(),
    )
    for number in range(6)
]
TWO_WEEKS = MONTH[1:3]


@pytest.fixture(scope="module")
def world() -> World:
    return draw(OFFICES, seed=3, weeks=TWO_WEEKS, staffing=SPARE)


@pytest.fixture(scope="module", params=POLICIES, ids=lambda kind: kind.__name__)
def outcomes(world: World, request: pytest.FixtureRequest) -> list[Outcome]:
    return Month(world, request.param).pass_by()


def test_every_claimant_who_does_not_cancel_has_one_outcome(world: World, outcomes: list[Outcome]) -> None:
    expected = {one.number for one in world.claimants if one.cancels is None}

    told = [one.claimant.number for one in outcomes]

    assert len(told) == len(set(told))
    assert expected <= set(told)


def test_no_assessor_is_in_two_places_and_none_works_while_away(world: World, outcomes: list[Outcome]) -> None:
    held: dict[str, list[Slot]] = {}
    for one in outcomes:
        if one.slot is not None:
            held.setdefault(one.slot.assessor_id, []).append(one.slot)

    for slots in held.values():
        in_order = sorted(slots, key=lambda slot: slot.start_time)
        assert all(before.end_time <= after.start_time for before, after in pairwise(in_order))
    away = {
        (absence.assessor_id, absence.told.date().toordinal() + day)
        for absence in world.absences
        for day in range((absence.last - absence.told.date()).days + 1)
    }
    assert not away & {(name, slot.start_time.date().toordinal()) for name, slots in held.items() for slot in slots}


def test_the_platform_keeps_the_target_more_often_than_offices_on_their_own(world: World) -> None:
    found = figures(world, weeks=TWO_WEEKS)

    shares = {(one.week.name, one.policy): one.within for one in found}
    for week in TWO_WEEKS:
        assert shares[week.name, Platform.name] > shares[week.name, OwnOffice.name] + 0.02
        assert shares[week.name, Platform.name] > shares[week.name, FixedSlots.name] + 0.02
    assert set(margins(found)) == {week.name for week in TWO_WEEKS}
    assert svg(found).count("<rect") == 1 + len(POLICIES) * (1 + len(TWO_WEEKS))


def test_a_slot_that_is_taken_is_free_again_once_it_is_released(world: World) -> None:
    diaries = Diaries(world.shifts)
    morning = datetime(2026, 4, 20, 7, tzinfo=UTC)
    first = next(diaries.free(OFFICES[0].code, Channel.OFFICE, since=morning))

    diaries.take(first)
    after = next(diaries.free(OFFICES[0].code, Channel.OFFICE, since=morning))
    diaries.release(first)

    assert after != first
    assert next(diaries.free(OFFICES[0].code, Channel.OFFICE, since=morning)) == first


def test_nothing_is_free_with_an_assessor_who_is_away(world: World) -> None:
    diaries = Diaries(world.shifts)
    morning, day = datetime(2026, 4, 20, 7, tzinfo=UTC), date(2026, 4, 20)
    until = datetime(2026, 4, 20, 22, tzinfo=UTC)
    assessors = {slot.assessor_id for slot in diaries.free(OFFICES[0].code, Channel.OFFICE, since=morning, until=until)}

    for assessor_id in assessors:
        diaries.away(assessor_id, since=morning, last=day)

    assert not list(diaries.free(OFFICES[0].code, Channel.OFFICE, since=morning, until=until))
