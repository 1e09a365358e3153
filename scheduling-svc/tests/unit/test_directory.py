from datetime import date, timedelta
from itertools import pairwise

import pytest

from chassis.bank_holidays import Nation
from scheduling.data import load_assessors, load_offices
from scheduling.domain.directory import OPEN_WEEKS, WEEK, Directory, OfficeUnknown
from scheduling.domain.offices import Channel, Need
from scheduling.domain.slots import REACH_KM
from scheduling.domain.working_time import is_working_day, london_day, working_days

DIRECTORY = Directory(load_offices(), load_assessors())
FRIDAY = date(2026, 11, 27)


def test_offices_within_reach_and_the_nearest_one_are_offered() -> None:
    in_westminster = DIRECTORY.near(easting=529090, northing=179645)
    in_shetland = DIRECTORY.near(easting=447500, northing=1141300)

    assert [found.office.name for found in in_westminster] == ["Hackney", "Croydon"]
    assert [found.office.name for found in in_shetland] == ["Inverness"]
    assert in_shetland[0].distance_km > REACH_KM


def test_an_office_that_is_not_listed_is_unknown() -> None:
    with pytest.raises(OfficeUnknown):
        DIRECTORY.office("699999")


def test_only_assessors_who_meet_every_need_are_chosen() -> None:
    every = load_offices()
    speakers = DIRECTORY.assessors_for({Need.WELSH}, Channel.OFFICE, offices=every)

    assert speakers
    assert set(DIRECTORY.assessors_for({Need.WELSH, Need.INTERPRETER}, Channel.OFFICE, offices=every)) <= set(speakers)
    assert len(DIRECTORY.assessors_for((), Channel.OFFICE, offices=every)) == 96


def test_assessors_of_other_offices_are_not_chosen() -> None:
    leeds = DIRECTORY.assessors_for((), Channel.OFFICE, offices=[DIRECTORY.office("600021")])

    assert leeds == [f"ALE0200{number}" for number in range(1, 7)]


def test_rotas_are_opened_for_twenty_working_days_of_each_nation() -> None:
    slots = [slot for week in range(OPEN_WEEKS) for slot in DIRECTORY.slots_of_week(FRIDAY, week)]

    for nation in Nation:
        days = {london_day(slot.start_time) for slot in slots if DIRECTORY.office(slot.office_code).nation is nation}
        assert sorted(days) == working_days(FRIDAY, nation, number=20)


def test_no_slot_belongs_to_two_weeks() -> None:
    weeks = [{slot.slot_id for slot in DIRECTORY.slots_of_week(FRIDAY, week)} for week in range(OPEN_WEEKS)]

    assert len(set().union(*weeks)) == sum(len(week) for week in weeks)


def test_a_slot_keeps_its_identity_when_its_rota_is_opened_again() -> None:
    on_friday = {slot.slot_id for slot in DIRECTORY.slots_of_week(FRIDAY, 1)}
    on_monday = {slot.slot_id for week in (0, 1) for slot in DIRECTORY.slots_of_week(FRIDAY + timedelta(days=3), week)}

    assert on_friday <= on_monday


def test_working_days_are_counted_from_the_first_on_without_holidays() -> None:
    days = working_days(FRIDAY, Nation.SCOTLAND, number=WEEK)

    assert days == [FRIDAY, *(date(2026, 12, day) for day in (1, 2, 3, 4))]  # 30 November is Saint Andrew's Day
    assert all(before < after for before, after in pairwise(days))
    assert all(is_working_day(day, Nation.SCOTLAND) for day in days)
