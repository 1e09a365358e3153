from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chassis.bank_holidays import Nation
from chassis.postcodes import Postcodes, build_extract
from scheduling.data import (
    ASSESSOR_COLUMNS,
    HOURS_COLUMNS,
    OFFICE_COLUMNS,
    WORDS_COLUMNS,
    load_assessors,
    load_languages,
    load_offer_words,
    load_offices,
    parse_assessors,
    parse_hours,
    parse_offer_words,
    parse_offices,
)
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, Contract, Need
from scheduling.domain.reasons import OfferReason
from scheduling.domain.rotas import Rota
from simulators.rotas.planning import rotas_of_offices, weeks_from
from tests.offices.__main__ import PRESENT, listed_sites
from tests.offices.staff import people
from tests.support.rotas import STAFFED, shift_of

OFFICES = load_offices()
ASSESSORS = load_assessors()
DIRECTORY = Directory(OFFICES, ASSESSORS)
OFFICE_HEADER, ASSESSOR_HEADER, HOURS_HEADER = (
    ",".join(columns) for columns in (OFFICE_COLUMNS, ASSESSOR_COLUMNS, HOURS_COLUMNS)
)
LEEDS = "600021,Leeds,LS1 3AB,429824,433862,ENG,STEP_FREE,weekdays,6,OFFICE TELEPHONE"
WEEKDAYS = parse_hours(f"{HOURS_HEADER}\nweekdays,monday,09:00,17:00")


def test_every_reason_for_an_offer_has_words_in_both_languages() -> None:
    words = load_offer_words()

    assert set(words) == set(OfferReason)
    assert not {one.en for one in words.values()} & {one.cy for one in words.values()}
    lines = [f"{one.value},English," for one in OfferReason]
    with pytest.raises(ValueError, match="both languages"):
        parse_offer_words("\n".join([",".join(WORDS_COLUMNS), *lines]))


def test_the_country_has_750_offices_and_6000_assessors() -> None:
    assert Counter(office.nation for office in OFFICES) == {Nation.ENGLAND: 618, Nation.WALES: 44, Nation.SCOTLAND: 88}
    assert len(ASSESSORS) == 6_000


def test_every_office_is_where_the_postcode_directory_puts_its_postcode(tmp_path: Path) -> None:
    build_extract(tmp_path / "postcodes.sqlite")
    letter = {Nation.ENGLAND: "E", Nation.WALES: "W", Nation.SCOTLAND: "S"}

    with Postcodes(tmp_path / "postcodes.sqlite") as directory:
        places = {office: directory.find(office.postcode) for office in OFFICES}

    for office, place in places.items():
        assert place is not None, office.name
        assert (office.easting, office.northing) == (place.easting, place.northing), office.name
        assert (office.postcode, letter[office.nation]) == (place.postcode, place.country.value), office.name


def test_every_office_has_two_assessors_at_least_who_know_every_scheme() -> None:
    schemes = {"INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT", "CRISIS_LOAN"}
    versed = Counter(assessor.office_code for assessor in ASSESSORS if assessor.skills >= schemes)

    assert all(versed[office.code] >= 2 for office in OFFICES)


def test_the_staffed_offices_have_six_assessors_each() -> None:
    assert [office.code for office in OFFICES[:PRESENT]] == list(STAFFED)
    assert Counter(assessor.office_code for assessor in ASSESSORS if assessor.office_code in STAFFED) == dict.fromkeys(
        STAFFED, 6
    )


def test_every_office_in_wales_has_somebody_who_speaks_welsh() -> None:
    speakers = {assessor.office_code for assessor in ASSESSORS if Need.WELSH in assessor.skills}

    assert speakers >= {office.code for office in OFFICES if office.nation is Nation.WALES}


def test_an_interpreter_can_be_had_at_every_staffed_office() -> None:
    with_skill = {assessor.office_code for assessor in ASSESSORS if Need.INTERPRETER in assessor.skills}

    assert all(Need.INTERPRETER in DIRECTORY.office(code).features or code in with_skill for code in STAFFED)


def test_every_language_is_spoken_by_somebody_who_counts_as_an_interpreter() -> None:
    spoken = {skill for assessor in ASSESSORS if Need.INTERPRETER in assessor.skills for skill in assessor.skills}

    assert spoken >= load_languages()
    assert all(Need.INTERPRETER in one.skills for one in ASSESSORS if one.skills & load_languages())


def test_assessors_of_either_sex_and_contract_and_of_sign_language_are_there() -> None:
    assert {(one.sex, one.contract) for one in ASSESSORS} == {
        (sex, contract) for sex in (Need.FEMALE_ASSESSOR, Need.MALE_ASSESSOR) for contract in Contract
    }
    assert any(Need.SIGN_LANGUAGE in one.skills for one in ASSESSORS)
    assert all(one.sex in one.meets for one in ASSESSORS)


def test_assessors_are_those_of_the_generator() -> None:
    numbers = Counter(assessor.office_code for assessor in ASSESSORS)
    listed = {one.assessor_id: (one.sex, one.contract, one.skills - {Need.INTERPRETER}) for one in ASSESSORS}

    for site in listed_sites():
        for person in people(site, number=numbers[site.code]):
            sex = Need(f"{person.sex}_ASSESSOR")
            made = (sex, Contract(person.contract), frozenset(person.schemes) | frozenset(person.skills))
            assert listed[person.assessor_id] == made


def test_every_rota_of_the_managers_is_one_that_can_be_published() -> None:
    now = datetime(2026, 11, 30, 7, tzinfo=UTC)
    weeks = weeks_from(now.date(), ahead=4)
    of_offices = rotas_of_offices()

    assert {rota.assessor_id for rotas in of_offices.values() for rota in rotas} == {
        one.assessor_id for one in ASSESSORS
    }
    kinds = {
        (office.hours, office.nation, rota.pattern): (office, rota)
        for office in OFFICES
        for rota in of_offices[office.code]
    }
    for office, rota in kinds.values():
        assessor = DIRECTORY.assessor(rota.assessor_id)
        assert (assessor.office_code, office.nation) == (office.code, rota.nation)
        shifts = [shift_of(rota, shift, assessor.meets) for week in weeks for shift in rota.shifts(week)]
        assert Rota.of(assessor, office, shifts=shifts, weeks=weeks, now=now).weeks == set(weeks)


@pytest.mark.parametrize("channel", [Channel.OFFICE, Channel.TELEPHONE])
def test_every_staffed_office_has_work_on_every_weekday_in_both_channels(channel: Channel) -> None:
    days = {
        (code, shift.weekday)
        for code in STAFFED
        for rota in rotas_of_offices()[code]
        for shift in rota.pattern
        if shift.channel == channel
    }

    assert days == {(code, weekday) for code in STAFFED for weekday in range(5)}


@pytest.mark.parametrize(
    "text",
    [
        "code,name\n600021,Leeds",
        f"{OFFICE_HEADER}\n{LEEDS.replace('600021', '60021')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('ENG', 'NIR')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('STEP_FREE', 'LIFT')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('429824', 'east')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('weekdays', 'sundays')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace(',6,', ',0,')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('TELEPHONE', 'FAX')}",
        f"{OFFICE_HEADER}\n{LEEDS}\n{LEEDS}",
        f"{OFFICE_HEADER}\n{LEEDS}\n{LEEDS.replace('600021', '600031')}",
    ],
)
def test_inconsistent_offices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"columns|60021|NIR|LIFT|east|listed|FAX|twice"):
        parse_offices(text, hours=WEEKDAYS)


@pytest.mark.parametrize(
    "lines",
    [
        "week,monday,17:00,09:00",
        "week,monday,09:00,12:00\nweek,monday,13:00,17:00",
        "week,mon,09:00,12:00",
        "week,monday,nine,12:00",
    ],
)
def test_inconsistent_opening_hours_are_refused(lines: str) -> None:
    with pytest.raises(ValueError, match=r"closes before|mon|isoformat"):
        parse_hours(f"{HOURS_HEADER}\n{lines}")


@pytest.mark.parametrize(
    "lines",
    [
        "A1,600099,FEMALE,FULL_TIME,JSA,",
        "A1,600021,X,FULL_TIME,JSA,",
        "A1,600021,FEMALE,ZERO_HOURS,JSA,",
        "a1,600021,FEMALE,FULL_TIME,JSA,",
        "ALE0200001,600021,FEMALE,FULL_TIME,JSA,",
        "A1,600021,FEMALE,FULL_TIME,DLA,",
        "A1,600021,FEMALE,FULL_TIME,JSA,JUGGLING",
        "A1,600021,FEMALE,FULL_TIME,JSA,STEP_FREE",
        "A1,600021,FEMALE,FULL_TIME,JSA,\nA1,600021,FEMALE,FULL_TIME,JSA,",
    ],
)
def test_inconsistent_assessors_are_refused(lines: str) -> None:
    offices = parse_offices(f"{OFFICE_HEADER}\n{LEEDS}", hours=WEEKDAYS)

    with pytest.raises(ValueError, match=r"listed|eight|ZERO_HOURS|DLA|JUGGLING|STEP_FREE|twice"):
        parse_assessors(f"{ASSESSOR_HEADER}\n{lines}", offices=offices)


def test_an_office_is_open_on_its_days_and_not_on_a_bank_holiday_of_its_nation() -> None:
    leeds, glasgow = DIRECTORY.office("600021"), DIRECTORY.office("600141")
    three_days = next(office for office in OFFICES if office.hours[1] is None)
    monday, saint_andrews_day = date(2026, 12, 7), date(2026, 11, 30)

    assert leeds.hours_on(saint_andrews_day) is not None
    assert glasgow.hours_on(saint_andrews_day) is None
    assert [three_days.hours_on(monday + timedelta(days=day)) is None for day in range(7)] == [
        False, True, False, True, False, True, True,
    ]  # fmt: skip
