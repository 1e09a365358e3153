from collections import Counter
from pathlib import Path

import pytest

from chassis.bank_holidays import Nation
from chassis.postcodes import Postcodes, build_extract
from scheduling.data import (
    ASSESSOR_COLUMNS,
    OFFICE_COLUMNS,
    PATTERN_COLUMNS,
    load_assessors,
    load_offices,
    parse_assessors,
    parse_offices,
    parse_patterns,
)
from scheduling.domain.offices import Channel, Need

OFFICES = load_offices()
ASSESSORS = load_assessors()
OFFICE_HEADER, ASSESSOR_HEADER, PATTERN_HEADER = (
    ",".join(columns) for columns in (OFFICE_COLUMNS, ASSESSOR_COLUMNS, PATTERN_COLUMNS)
)
LEEDS = "600021,Leeds,LS1 3AB,429824,433862,ENG,STEP_FREE"


def test_there_are_offices_in_every_nation() -> None:
    assert Counter(office.nation for office in OFFICES) == {Nation.ENGLAND: 10, Nation.WALES: 3, Nation.SCOTLAND: 3}


def test_every_office_is_where_the_postcode_directory_puts_its_postcode(tmp_path: Path) -> None:
    build_extract(tmp_path / "postcodes.sqlite")
    letter = {Nation.ENGLAND: "E", Nation.WALES: "W", Nation.SCOTLAND: "S"}

    with Postcodes(tmp_path / "postcodes.sqlite") as directory:
        places = {office: directory.find(office.postcode) for office in OFFICES}

    for office, place in places.items():
        assert place is not None, office.name
        assert (office.easting, office.northing) == (place.easting, place.northing), office.name
        assert (office.postcode, letter[office.nation]) == (place.postcode, place.country.value), office.name


def test_every_office_has_six_assessors() -> None:
    assert Counter(assessor.office_code for assessor in ASSESSORS) == {office.code: 6 for office in OFFICES}


def test_every_office_in_wales_has_somebody_who_speaks_welsh() -> None:
    speakers = {assessor.office_code for assessor in ASSESSORS if Need.WELSH in assessor.skills}

    assert speakers >= {office.code for office in OFFICES if office.nation is Nation.WALES}


def test_an_interpreter_can_be_had_at_every_office() -> None:
    with_skill = {assessor.office_code for assessor in ASSESSORS if Need.INTERPRETER in assessor.skills}

    assert all(Need.INTERPRETER in office.features or office.code in with_skill for office in OFFICES)


@pytest.mark.parametrize("channel", [Channel.OFFICE, Channel.TELEPHONE])
def test_every_office_has_work_on_every_working_day_in_both_channels(channel: Channel) -> None:
    days = {
        (assessor.office_code, shift.weekday)
        for assessor in ASSESSORS
        for shift in assessor.rota
        if shift.channel is channel
    }

    assert days == {(office.code, weekday) for office in OFFICES for weekday in range(5)}


@pytest.mark.parametrize(
    "text",
    [
        "code,name\n600021,Leeds",
        f"{OFFICE_HEADER}\n{LEEDS.replace('600021', '60021')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('ENG', 'NIR')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('STEP_FREE', 'LIFT')}",
        f"{OFFICE_HEADER}\n{LEEDS.replace('429824', 'east')}",
        f"{OFFICE_HEADER}\n{LEEDS}\n{LEEDS}",
    ],
)
def test_inconsistent_offices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"columns|60021|NIR|LIFT|east|twice"):
        parse_offices(text)


@pytest.mark.parametrize(
    "lines",
    [
        "full,monday,12:00,09:00,OFFICE",
        "full,monday,09:00,12:00,OFFICE\nfull,monday,11:00,13:00,OFFICE",
        "full,mon,09:00,12:00,OFFICE",
        "full,monday,nine,12:00,OFFICE",
        "full,monday,09:00,12:00,FAX",
    ],
)
def test_inconsistent_patterns_are_refused(lines: str) -> None:
    with pytest.raises(ValueError, match=r"ends before|overlap|mon|isoformat|FAX"):
        parse_patterns(f"{PATTERN_HEADER}\n{lines}")


@pytest.mark.parametrize(
    "lines",
    [
        "A1,600099,full,",
        "A1,600021,other,",
        "a1,600021,full,",
        "ALE0200001,600021,full,",
        "A1,600021,full,JUGGLING",
        "A1,600021,full,\nA1,600021,full,",
    ],
)
def test_inconsistent_assessors_are_refused(lines: str) -> None:
    offices = parse_offices(f"{OFFICE_HEADER}\n{LEEDS}")
    patterns = parse_patterns(f"{PATTERN_HEADER}\nfull,monday,09:00,12:00,OFFICE")

    with pytest.raises(ValueError, match=r"listed|eight|JUGGLING|twice"):
        parse_assessors(f"{ASSESSOR_HEADER}\n{lines}", offices=offices, patterns=patterns)
