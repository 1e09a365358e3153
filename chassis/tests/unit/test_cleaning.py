import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.cleaning import LONGEST_CODE, SEPARATORS, compact, line, postcode

EVERY_CHARACTER = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF]
NOT_SEEN = [
    "\u00ad",
    "\u034f",
    "\u061c",
    "\u115f",
    "\u200b",
    "\u200e",
    "\u202e",
    "\u2060",
    "\u2066",
    "\u3164",
    "\ufe0f",
    "\ufeff",
]


def test_every_blank_and_every_dash_is_a_separator() -> None:
    separator = re.compile(f"[{SEPARATORS}]")

    missed = [
        character
        for character in EVERY_CHARACTER
        if (character.isspace() or unicodedata.category(character) == "Pd") and not separator.fullmatch(character)
    ]

    assert missed == []


def test_no_letter_and_no_digit_is_a_separator() -> None:
    separator = re.compile(f"[{SEPARATORS}]")

    assert [character for character in EVERY_CHARACTER if character.isalnum() and separator.fullmatch(character)] == []


@pytest.mark.parametrize("unseen", NOT_SEEN)
def test_characters_that_nobody_sees_are_left_out(unseen: str) -> None:
    assert compact(f"AB{unseen}12") == "AB12"
    assert line(f"Ann{unseen} Hughes{unseen}") == "Ann Hughes"
    assert line(unseen * 3) == ""


@pytest.mark.parametrize("text", ["علی\u200cرضا", "क्\u200dष", "র\u200d্য", "葛\U000e0100城", "بَ\u200cن"])
def test_joiners_and_variations_stay_where_a_script_needs_them(text: str) -> None:
    assert line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["a\u200cb", "a\u200d", "\u200dب", "ب\u200c", "a\ufe0f", "1\u200d2"])
def test_joiners_and_variations_go_where_no_script_needs_them(text: str) -> None:
    assert not set(line(text)) & set("\u200c\u200d\ufe0f")


@given(st.text(st.characters(codec="utf-8")))
@example("e\u200b\u0301")
@example("ا\u200c\u0300\u200cب")
def test_a_line_that_was_read_reads_the_same(text: str) -> None:
    read = line(text)

    assert line(read) == read
    assert read == read.strip()
    assert "  " not in read


@given(st.text(st.sampled_from("0123456789½²①٣Ⅷ \u00a0\u200b\u0301a") | st.characters(codec="utf-8")))
def test_a_line_keeps_every_number(text: str) -> None:
    def numerals(of: str) -> list[str]:
        return [character for character in of if character.isnumeric()]

    assert numerals(line(text)) == numerals(unicodedata.normalize("NFC", text))


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_code_keeps_every_letter_and_digit(text: str) -> None:
    kept = [
        character for character in text if character.isalnum() and unicodedata.name(character, "").find("FILLER") < 0
    ]

    assert [character for character in compact(text).upper() if character.isalnum()] == list("".join(kept).upper())


@pytest.mark.parametrize(
    "text", ["LS1-4AP", "ls1 4ap", "LS1\u00a04AP", "LS1–4AP", "LS1.4AP", "L S 1/4 A P", "\u202aLS14AP\u202c"]
)
def test_a_postcode_is_read_however_its_parts_are_kept_apart(text: str) -> None:
    assert postcode(text) == "LS1 4AP"


@pytest.mark.parametrize("text", ["LS１ 4AP", "LS1 4A²", "ＬＳ1 4AP", "LS1,4AP", "LS1 4AP" + " " * LONGEST_CODE, ""])
def test_a_text_that_is_no_postcode_gives_none(text: str) -> None:
    assert postcode(text) is None
