"""Letters to authorities: their words, their pages, and the day by which they are printed."""

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pypdf
import pytest

from chassis.bank_holidays import Nation
from la_notifier.channels.post import Addressee, UnknownField, letter_of
from la_notifier.domain.letters import Letter, Section, next_working_day
from la_notifier.messages.data.wording import wording
from la_notifier.paper import print_letter

BODY: dict[str, Any] = {
    "notice_id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    "version": 2,
    "supersedes": 1,
    "kind": "CLAIM",
    "authority_code": "W06000015",
    "claim_ref": "C0123456789A",
    "benefit": "IS",
    "seeks": "BOTH",
    "first_contact_on": "2026-11-02",
    "claimant": {"surname": "FRIEND", "forenames": "Siân <b>Ŵyn</b> Łukasz", "date_of_birth": "1980-02-29"},
    "address": {"lines": ["1 Stryd y Tŷ", "Caerdydd"], "postcode": "CF10 4ER"},
    "tenancy": {"kind": "PRIVATE_TENANT", "rent_amount": "85.50", "rent_period": "WEEKLY"},
    "household": [{"relationship": "PARENT", "date_of_birth": "1950-01-31", "non_dependant": True}],
    "income": [],
    "language": "CY",
}
CARDIFF = Addressee(code="W06000015", name="Cardiff")


def text_of(pdf: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def test_a_letter_says_what_the_notice_says_in_the_claimants_language_in_wales() -> None:
    letter = letter_of(BODY, CARDIFF, on=date(2026, 11, 30), claimants_language="CY")

    text = text_of(print_letter(letter))
    assert "Adran Budd-dal Tai Cardiff" in text
    assert "W06000015 / C0123456789A / 6f9619ff-8b86-d011-b42d-00cf4fc964ff / 2 / CLAIM" in text
    assert "FRIEND" in text
    assert "Siân <b>Ŵyn</b> Łukasz" in text
    assert "1 Stryd y Tŷ; Caerdydd" in text
    assert "rhiant, 31/01/1950, annibynnydd" in text
    assert "29/02/1980" in text


@pytest.mark.parametrize(("language", "sender"), [("EN", "Jobcentre Plus"), ("CY", "Ganolfan Byd Gwaith")])
def test_a_letter_says_who_writes_and_where_to_answer(language: str, sender: str) -> None:
    letter = letter_of(BODY, CARDIFF, on=date(2026, 11, 30), claimants_language=language)

    text = text_of(print_letter(letter))
    assert sender in text
    assert f" {wording().telephone}:" in text


def test_an_authority_in_england_is_written_to_in_english() -> None:
    letter = letter_of(
        BODY, Addressee(code="E07000199", name="Tamworth"), on=date(2026, 11, 30), claimants_language="CY"
    )

    assert letter.language == "EN"
    assert letter.to == ["Housing Benefit Section", "Tamworth"]


@pytest.mark.parametrize("kind", ["INTENTION", "CLAIM", "CHANGE", "AWARD", "WITHDRAWN"])
@pytest.mark.parametrize("language", ["EN", "CY"])
def test_every_kind_of_notice_has_its_words(kind: str, language: str) -> None:
    letter = letter_of(BODY | {"kind": kind}, CARDIFF, on=date(2026, 11, 30), claimants_language=language)

    assert letter.heading in text_of(print_letter(letter))


def test_a_field_without_words_is_not_left_out_silently() -> None:
    with pytest.raises(UnknownField, match=r"claimant\.bank"):
        letter_of(BODY | {"claimant": {"bank": "x"}}, CARDIFF, on=date(2026, 11, 30), claimants_language="EN")


def test_a_long_letter_takes_several_pages_and_the_same_letter_gives_the_same_bytes() -> None:
    rows = [(f"name {number}", "a long text " * 30) for number in range(40)]
    letter = replace(
        letter_of(BODY, CARDIFF, on=date(2026, 11, 30), claimants_language="EN"), sections=[Section(rows=rows)]
    )

    first, second = print_letter(letter), print_letter(letter)

    assert first == second
    assert len(pypdf.PdfReader(io.BytesIO(first)).pages) > 2


def test_an_empty_letter_has_a_page() -> None:
    letter = Letter(language="EN", to=[], reference="", day=date(2026, 11, 30), heading="x", sections=[])

    assert len(pypdf.PdfReader(io.BytesIO(print_letter(letter))).pages) == 1


@pytest.mark.parametrize(
    ("day", "nation", "printed_on"),
    [
        (date(2026, 11, 30), Nation.ENGLAND, date(2026, 12, 1)),
        (date(2026, 11, 27), Nation.ENGLAND, date(2026, 11, 30)),
        (date(2026, 11, 27), Nation.SCOTLAND, date(2026, 12, 1)),
        (date(2026, 12, 24), Nation.WALES, date(2026, 12, 29)),
    ],
)
def test_a_letter_is_printed_on_the_next_working_day(day: date, nation: Nation, printed_on: date) -> None:
    assert next_working_day(day, nation) == printed_on
