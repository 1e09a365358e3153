import re
import unicodedata

import pytest
from anyascii import anyascii
from hypothesis import example, given
from hypothesis import strategies as st

from intake.domain.faults import UnsoundValueError
from intake.domain.transliteration import Characters, RecordRule, numbers, record_form
from intake.domain.values import JsonValue

NAME = RecordRule(characters=Characters.NAME, maximum=35)
LINE = RecordRule(characters=Characters.ADDRESS, maximum=35)
GOAL = RecordRule(characters=Characters.TEXT, maximum=40)

any_text = st.text(st.characters(codec="utf-8"), max_size=80)
any_rule = st.builds(RecordRule, characters=st.sampled_from(Characters), maximum=st.integers(1, 60))


def breaks_edit_rule(text: str, rule: RecordRule) -> bool:
    """The interface document's own words, apart from the code under test."""
    if not 1 <= len(text) <= rule.maximum or text != text.upper() or not text.strip():
        return True
    if rule.characters is Characters.NAME:
        marks = re.search(r"[ '-]{2}", text)
        return bool(marks or not "A" <= text[0] <= "Z" or set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZ '-"))
    if rule.characters is Characters.ADDRESS:
        return bool(set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.'-/&()"))
    return any(ord(letter) > 255 or not letter.isprintable() for letter in text.replace("\xa0", "\0"))


@pytest.mark.parametrize(
    ("given_name", "proposal"),
    [
        ("O’Brien-Łukasz", "O'BRIEN-LUKASZ"),
        ("李", "LI"),
        ("Siân", "SIAN"),
        ("Sia\u0302n", "SIAN"),
        ("O' Brien", "O'BRIEN"),
        ("Smith - Jones", "SMITH-JONES"),
        ("St. John", "ST JOHN"),
        ("D´Arcy", "D'ARCY"),
        ("Şimşek 😀", "SIMSEK"),
        ("'t Hooft", "T HOOFT"),
    ],
)
def test_a_name_is_proposed_in_letters_that_the_record_holds(given_name: str, proposal: str) -> None:
    assert record_form(given_name, NAME) == proposal


@pytest.mark.parametrize("name", ["O'Brien", "van der Berg", "Smith-Jones", "a"])
def test_a_name_that_the_record_can_hold_needs_no_proposal(name: str) -> None:
    assert record_form(name, NAME) is None


def test_a_long_name_is_shortened_to_whole_words() -> None:
    assert record_form("Maria Concepcion Guadalupe Esperanza", NAME) == "MARIA CONCEPCION GUADALUPE"
    assert record_form("x" * 36, NAME) == "X" * 35


@pytest.mark.parametrize("name", ["😀", "-", "''", "123"])
def test_a_name_without_a_letter_has_no_form(name: str) -> None:
    with pytest.raises(UnsoundValueError):
        record_form(name, NAME)


def test_other_text_keeps_the_characters_of_the_code_page() -> None:
    assert record_form("Café £12 & co", GOAL) is None
    assert record_form("Tŷ Café", GOAL) == "TY CAFÉ"
    assert record_form("a – b", GOAL) == "A - B"


def test_a_long_line_of_an_address_runs_on_into_the_next() -> None:
    address: JsonValue = {"lines": ["Flat 12, The Old Corn Exchange Building", "Llanfairpwll"], "postcode": "LL61 5UJ"}

    proposal = record_form(address, LINE)

    assert proposal == {
        "lines": ["FLAT 12, THE OLD CORN EXCHANGE", "BUILDING", "LLANFAIRPWLL"],
        "postcode": "LL61 5UJ",
    }


def test_an_address_without_lines_to_spare_has_its_long_line_shortened() -> None:
    address: JsonValue = {"lines": ["a " * 20 + "b", "c", "d", "e", "f"], "postcode": "LS1 4AP"}

    proposal = record_form(address, LINE)

    assert isinstance(proposal, dict)
    assert proposal["lines"] == [" ".join("A" * 18), "C", "D", "E", "F"]


def test_an_address_that_fits_in_upper_case_needs_no_proposal() -> None:
    address: JsonValue = {"lines": ["1 High St.", "Leeds (North)"], "postcode": "LS1 4AP"}

    assert record_form(address, LINE) is None


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("12½ Mill Lane", "12 1/2 MILL LANE"),
        ("½ Mill Lane", "1/2 MILL LANE"),
        ("Flat ② 14 Mill Lane", "FLAT 2 14 MILL LANE"),
        ("3② Mill Lane", "3 2 MILL LANE"),
        ("1² Mill Lane", "1 2 MILL LANE"),
        ("١٢ Mill Lane", "12 MILL LANE"),
        ("１２ Mill Lane", "12 MILL LANE"),
        ("Ⅷ Mill Lane", "VIII MILL LANE"),
        ("1Ⅷ Mill Lane", "1 VIII MILL LANE"),
        ("12😀34 Mill Lane", "12 34 MILL LANE"),
        ("12˥ Mill Lane", "12 MILL LANE"),
    ],
)
def test_numbers_of_a_house_stay_apart(line: str, form: str) -> None:
    address: JsonValue = {"lines": [line, "Leeds"], "postcode": "LS1 4AP"}

    assert record_form(address, LINE) == {"lines": [form, "LEEDS"], "postcode": "LS1 4AP"}


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        (["1 High St", "😀"], [".lines[1]"]),
        (["😀", "Leeds", "漢" * 100 + " 12"], [".lines[0]", ".lines[2]"]),
    ],
)
def test_each_line_of_an_address_that_has_no_form_is_named(lines: list[str], at: list[str]) -> None:
    with pytest.raises(UnsoundValueError) as unsound:
        record_form({"lines": list(lines), "postcode": "LS1 4AP"}, LINE)

    assert [fault.at for fault in unsound.value.faults] == at


def test_text_keeps_the_numerals_of_the_code_page() -> None:
    assert record_form("5½ days of 10²", GOAL) is None
    assert record_form("5⅓ days of 10²", GOAL) == "5 1/3 DAYS OF 10²"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Ludwig 2", NAME),
        ("Ludwig²", NAME),
        ("Harrison & Sons and Daughters since 1999", RecordRule(characters=Characters.TEXT, maximum=38)),
        ("1" * 41, GOAL),
        ("1\u03082", LINE),
        ("㏠ 5", LINE),
        ("㏠ Mai", NAME),
    ],
)
def test_a_form_that_would_lose_or_join_a_number_is_refused(text: str, rule: RecordRule) -> None:
    with pytest.raises(UnsoundValueError):
        record_form(text, rule)


digits_and_marks = st.text(
    st.sampled_from("0123456789½²①⑫Ⅷ１٣৴௰〇〡 abÅ😀\u0301˥ᢅ-/.") | st.characters(codec="utf-8"), max_size=60
)


@given(text=digits_and_marks, rule=any_rule)
@example(text="12½ Mill Lane", rule=LINE)
def test_every_form_has_the_numbers_of_the_text(text: str, rule: RecordRule) -> None:
    try:
        proposal = record_form(text, rule)
    except UnsoundValueError:
        return

    assert proposal is None or plain_numbers(str(proposal)) == plain_numbers(text)
    assert proposal is None or numbers(str(proposal)) == numbers(text)


@given(lines=st.lists(digits_and_marks, min_size=2, max_size=5))
def test_every_form_of_an_address_has_its_numbers(lines: list[str]) -> None:
    try:
        proposal = record_form({"lines": list(lines), "postcode": "LS1 4AP"}, LINE)
    except UnsoundValueError:
        return

    if isinstance(proposal, dict):
        assert plain_numbers("\n".join(map(str, proposal["lines"]))) == plain_numbers("\n".join(lines))  # type: ignore[arg-type]


def plain_numbers(text: str) -> list[str]:
    """The numbers as a reader sees them, apart from the code under test: of ½, ² and ① each stands alone."""
    found: list[str] = []
    run = ""
    for character in text:
        if character.isdecimal():
            run += str(unicodedata.decimal(character))
            continue
        found, run = [*found, run], ""
        if unicodedata.category(character) in ("No", "Nl"):
            found += re.findall("[0-9]+", anyascii(character))
    return [number for number in [*found, run] if number]


@given(text=any_text, rule=any_rule)
@example(text="ÿµß", rule=GOAL)
@example(text="a" * 35 + " b", rule=NAME)
def test_every_form_keeps_the_records_edit_rule(text: str, rule: RecordRule) -> None:
    try:
        proposal = record_form(text, rule)
    except UnsoundValueError:
        return

    written = text.upper() if proposal is None else proposal

    assert not breaks_edit_rule(str(written), rule)


@given(lines=st.lists(any_text, min_size=2, max_size=5))
def test_every_form_of_an_address_keeps_the_records_edit_rule(lines: list[str]) -> None:
    address: JsonValue = {"lines": list(lines), "postcode": "LS1 4AP"}
    try:
        proposal = record_form(address, LINE)
    except UnsoundValueError:
        return

    written = address if proposal is None else proposal

    assert isinstance(written, dict)
    assert isinstance(written["lines"], list)
    assert 2 <= len(written["lines"]) <= 5
    assert not any(breaks_edit_rule(str(line).upper(), LINE) for line in written["lines"])


@given(text=any_text, rule=any_rule)
def test_a_proposal_needs_no_further_proposal(text: str, rule: RecordRule) -> None:
    try:
        proposal = record_form(text, rule)
    except UnsoundValueError:
        return

    assert proposal is None or record_form(proposal, rule) is None


@given(letters=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=35))
def test_plain_letters_are_never_changed(letters: str) -> None:
    assert record_form(letters, NAME) is None
