from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.authorities import (
    Authority,
    AuthorityTable,
    AuthorityUnknown,
    NoticeChannel,
    OutsideGreatBritain,
)
from chassis.errors import NotFound
from chassis.postcodes import Postcodes, build_extract

TABLE = AuthorityTable.load()
TODAY = date(2026, 11, 23)
HEADER = "code,name,channel,valid_from,valid_until,successor"


def test_an_authority_is_found_with_its_name_and_channel() -> None:
    assert TABLE.find("E08000035", TODAY) == Authority(code="E08000035", name="Leeds", channel=NoticeChannel.API)


@pytest.mark.parametrize(
    ("old", "last_day", "new"),
    [
        ("E07000051", date(2019, 3, 31), "Dorset"),
        ("E06000029", date(2019, 3, 31), "Bournemouth, Christchurch and Poole"),
        ("E07000206", date(2019, 3, 31), "East Suffolk"),
        ("E07000007", date(2020, 3, 31), "Buckinghamshire"),
        ("E07000154", date(2021, 3, 31), "West Northamptonshire"),
        ("E07000150", date(2021, 3, 31), "North Northamptonshire"),
        ("E07000028", date(2023, 3, 31), "Cumberland"),
        ("E07000031", date(2023, 3, 31), "Westmorland and Furness"),
        ("E07000165", date(2023, 3, 31), "North Yorkshire"),
        ("E07000187", date(2023, 3, 31), "Somerset"),
    ],
)
def test_a_merged_district_is_found_until_its_last_day_and_its_successor_afterwards(
    old: str, last_day: date, new: str
) -> None:
    assert TABLE.find(old, last_day).code == old
    assert TABLE.find(old, last_day.replace(month=4, day=1)).name == new


def test_a_district_that_merged_twice_leads_to_its_last_successor() -> None:
    on = {year: TABLE.find("E07000190", date(year, 6, 1)).name for year in (2018, 2020, 2024)}

    assert on == {2018: "Taunton Deane", 2020: "Somerset West and Taunton", 2024: "Somerset"}


def test_a_current_code_is_found_for_a_date_before_it_began() -> None:
    assert TABLE.find("E06000066", date(2005, 7, 4)).name == "Somerset"


def test_a_district_of_northern_ireland_is_refused_with_the_bodies_to_ask() -> None:
    with pytest.raises(OutsideGreatBritain, match=r"Housing Executive.*Land & Property Services") as refused:
        TABLE.find("N09000003", TODAY)

    assert refused.value.reason == "NORTHERN_IRELAND"
    assert not refused.value.will_pass


@pytest.mark.parametrize("code", ["E06999999", "L99999999", "", "leeds"])
def test_a_code_of_no_authority_is_not_found(code: str) -> None:
    with pytest.raises(AuthorityUnknown) as refused:
        TABLE.find(code, TODAY)

    assert isinstance(refused.value, NotFound)


def test_the_table_holds_todays_districts_and_no_other() -> None:
    kinds = Counter(code[:3] for code in TABLE.codes(TODAY))

    assert kinds == {"E06": 63, "E07": 164, "E08": 36, "E09": 33, "W06": 22, "S12": 32}


def test_the_codes_in_force_are_those_of_the_postcode_directory(tmp_path: Path) -> None:
    build_extract(tmp_path / "postcodes.sqlite")
    with Postcodes(tmp_path / "postcodes.sqlite") as directory:
        codes = directory.authority_codes()

    assert {code for code in codes if not code.startswith("N09")} == TABLE.codes(TODAY)


def test_every_channel_is_used_and_most_authorities_have_the_api() -> None:
    channels = Counter(TABLE.find(code, TODAY).channel for code in TABLE.codes(TODAY))

    assert channels == {NoticeChannel.API: 210, NoticeChannel.SFTP: 105, NoticeChannel.POST: 35}


@given(code=st.sampled_from(sorted(TABLE.codes(date(2011, 4, 1)))), on=st.dates(date(2011, 4, 1), date(2030, 1, 1)))
def test_the_authority_found_for_a_district_is_in_force_on_that_day(code: str, on: date) -> None:
    assert TABLE.find(code, on).code in TABLE.codes(on)


@pytest.mark.parametrize(
    "lines",
    [
        "code,name\nE06000001,Hartlepool",
        f"{HEADER}\nN09000003,Belfast,api,,,",
        f"{HEADER}\nE06000001,,api,,,",
        f"{HEADER}\nE06000001,Hartlepool,fax,,,",
        f"{HEADER}\nE06000001,Hartlepool,api,,31/03/2023,",
        f"{HEADER}\nE06000001,Hartlepool,api,,,\nE06000001,Hartlepool,api,,,",
        f"{HEADER}\nE06000001,Hartlepool,api,,2023-03-31,",
        f"{HEADER}\nE06000001,Hartlepool,api,,2023-03-31,E06000002",
        f"{HEADER}\nE06000001,Hartlepool,api,,2023-03-31,E06000001",
        f"{HEADER}\nE06000001,Hartlepool,api,,2023-03-31,E06000002\nE06000002,Durham,api,2023-05-01,,",
    ],
)
def test_an_inconsistent_table_is_refused(lines: str) -> None:
    with pytest.raises(ValueError, match=r"authorities|fax|31/03/2023"):
        AuthorityTable.parse(lines)


def test_an_authority_holds_what_was_sent_to_those_that_merged_into_it() -> None:
    harrogate, north_yorkshire = "E07000165", "E06000065"

    assert {harrogate, north_yorkshire} <= TABLE.held_by(north_yorkshire, TODAY)
    assert TABLE.held_by(harrogate, TODAY) == {harrogate}
    assert TABLE.held_by(north_yorkshire, date(2023, 3, 31)) == {north_yorkshire}
    with pytest.raises(AuthorityUnknown):
        TABLE.held_by("E06999999", TODAY)
