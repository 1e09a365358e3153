from datetime import date
from itertools import pairwise

import pytest

from chassis.bank_holidays import Nation
from scheduling.data import load_assessors, load_offices
from scheduling.domain.directory import Directory, OfficeUnknown
from scheduling.domain.rotas import AssessorUnknown
from scheduling.domain.working_time import is_working_day, working_days

DIRECTORY = Directory(load_offices(), load_assessors())
FRIDAY = date(2026, 11, 27)


def test_every_office_is_near_in_its_turn() -> None:
    in_shetland = DIRECTORY.near(easting=447500, northing=1141300)

    assert len(in_shetland) == len(load_offices())
    assert [found.office.name for found in in_shetland[:2]] == ["Lerwick", "Kirkwall"]


def test_an_office_that_is_not_listed_is_unknown() -> None:
    with pytest.raises(OfficeUnknown):
        DIRECTORY.office("699999")


def test_an_assessor_who_is_not_listed_is_unknown() -> None:
    assert DIRECTORY.assessor("ALE02001").office_code == "600021"
    with pytest.raises(AssessorUnknown):
        DIRECTORY.assessor("NOBODY")


def test_working_days_are_counted_from_the_first_on_without_holidays() -> None:
    days = working_days(FRIDAY, Nation.SCOTLAND, number=5)

    assert days == [FRIDAY, *(date(2026, 12, day) for day in (1, 2, 3, 4))]  # 30 November is Saint Andrew's Day
    assert all(before < after for before, after in pairwise(days))
    assert all(is_working_day(day, Nation.SCOTLAND) for day in days)
