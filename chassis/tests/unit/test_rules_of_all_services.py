"""Bank holidays, back-off and the check character of claim references."""

from datetime import date

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import backoff
from chassis.bank_holidays import Nation, is_bank_holiday, parse, table
from chassis.check_digit import ALPHABET, canonical, check_character, has_form, is_claim_reference


@pytest.mark.parametrize("nation", Nation)
def test_the_table_holds_what_the_package_says_of_each_nation(nation: Nation) -> None:
    kept = {day for day, nations in table().items() if nation in nations}

    assert kept == set(holidays.country_holidays("GB", subdiv=nation.value, years=range(2000, 2061)))


def test_the_nations_differ() -> None:
    assert is_bank_holiday(date(2026, 6, 15), Nation.SCOTLAND)
    assert not is_bank_holiday(date(2026, 6, 15), Nation.WALES)
    assert is_bank_holiday(date(2026, 4, 6), Nation.ENGLAND)
    assert not is_bank_holiday(date(2026, 4, 6), Nation.SCOTLAND)


def test_the_first_letter_of_a_gss_code_names_the_nation() -> None:
    found = [Nation.of_code(code) for code in ("S12000033", "W06000015", "E08000035", "")]

    assert found == [Nation.SCOTLAND, Nation.WALES, Nation.ENGLAND, Nation.ENGLAND]


@pytest.mark.parametrize("year", [1999, 2061])
def test_a_year_outside_the_table_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match=str(year)):
        is_bank_holiday(date(year, 6, 1), Nation.ENGLAND)


@pytest.mark.parametrize(
    "lines",
    [
        ["date,nations", "2026-01-01,ENG"],
        ["day,nations", "2026-13-01,ENG"],
        ["day,nations", "2026-01-01,FRA"],
        ["day,nations", "2026-01-01,"],
        ["day,nations", "2026-01-01,ENG", "2026-01-01,SCT"],
        ["day,nations", "2026-01-02,ENG", "2026-01-01,ENG"],
    ],
)
def test_a_malformed_table_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(lines)


def test_a_wait_doubles_up_to_the_longest() -> None:
    waits = [backoff.seconds(failures, first=2.0, longest=10.0, jitter=1.0) for failures in (0, 1, 2, 3, 4, 10_000)]

    assert waits == [2.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(st.integers(min_value=0, max_value=100_000))
def test_a_wait_varies_by_a_quarter(failures: int) -> None:
    plain = backoff.seconds(failures, first=1.0, longest=300.0, jitter=1.0)

    assert 0.75 * plain <= backoff.seconds(failures, first=1.0, longest=300.0) <= 1.25 * plain


def test_the_check_character_is_luhns_over_the_characters_before_it() -> None:
    assert is_claim_reference("C0000000001Y")
    assert is_claim_reference("C00000000AZQ")
    assert not is_claim_reference("C00000000AZR")


@given(st.text(ALPHABET, min_size=10, max_size=10), st.integers(1, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_found(body: str, place: int, character: str) -> None:
    reference = f"C{body}{check_character(body)}"
    slip = reference[:place] + character + reference[place + 1 :]

    assert is_claim_reference(slip) == (slip == reference)


@pytest.mark.parametrize(
    "text", ["", "C", "C000000000", "D0000000001Y", "c0000000001y", "C0000000001YY", "C0000I00001Y", "C000000001Y\n"]
)
def test_other_forms_are_no_claim_reference(text: str) -> None:
    assert not has_form(text)
    assert not is_claim_reference(text)


GAPS = st.sampled_from(["", "", " ", "-", "\u2011", "\u2212", "\u00a0", "\t"])
READ_OUT = {"0": "0oO", "1": "1iIlL"}


@given(st.text(ALPHABET, min_size=11, max_size=11), st.data())
def test_a_reference_is_known_however_it_is_written(body: str, data: st.DataObject) -> None:
    written = [
        data.draw(st.sampled_from(READ_OUT.get(character, character + character.lower()))) + data.draw(GAPS)
        for character in f"C{body}"
    ]

    assert canonical("".join(written)) == f"C{body}"


@given(st.text(max_size=60))
def test_a_canonical_reference_has_its_form(text: str) -> None:
    found = canonical(text)

    assert found is None or (has_form(found) and canonical(found) == found)
