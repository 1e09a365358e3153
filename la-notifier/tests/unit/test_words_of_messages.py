"""The words of messages to claimants in both languages, and the words that they leave out where discretion was asked."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from string import Formatter
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from la_notifier.messages.data.wording import wording
from la_notifier.messages.domain.contact import Address, Contact, Format
from la_notifier.messages.domain.message import Medium, Message, MessageKind, MessageState
from la_notifier.messages.domain.wording import Subject, time_said, write
from la_notifier.messages.service.content import Content
from la_notifier.messages.service.papers import letter_of, list_as_file

WORDS = wording()
LONGEST_TEXT = 612
"""Characters of four fragments, of which Notify bills each."""
CONTACT = Contact(
    claim_ref="C0123456789A",
    withdrawn=False,
    language="EN",
    name="Siân O’Brien",
    letter_format=Format.NONE,
    chosen=Medium.TEXT,
    telephone="+447700900123",
    email="sian@example.org",
    address=Address(lines=("1 High Street", "Cardiff"), postcode="CF10 4ER"),
    discreet=False,
)
SUBJECT = Subject(
    schemes=tuple(WORDS.benefits),
    starts=datetime(2005, 7, 4, 8, 30, tzinfo=UTC),
    channel="OFFICE",
    office="Cardiff",
    evidence=("a passport", "wage slips: the last five"),
    due_on=date(2005, 8, 1),
    outcome="AWARDED",
)


@pytest.mark.parametrize("medium", list(Medium))
@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("language", ["EN", "CY"])
def test_a_discreet_message_says_nothing_of_what_is_claimed(kind: MessageKind, medium: Medium, language: str) -> None:
    for channel in WORDS.places:
        subject = replace(SUBJECT, channel=channel)
        written = write(WORDS, kind, replace(CONTACT, discreet=True, language=language), subject, medium)

        said = f"{written.subject} {written.body}".casefold()
        names = [name[language].casefold() for name in WORDS.benefits.values()]
        assert [word for word in (*names, *WORDS.telling[language]) if word in said] == []


@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_plain_message_names_the_benefits_in_the_claimants_language(kind: MessageKind) -> None:
    subject = replace(SUBJECT, schemes=("INCOME_SUPPORT", "INCAPACITY_BENEFIT"))

    english = write(WORDS, kind, CONTACT, subject, Medium.TEXT)
    welsh = write(WORDS, kind, replace(CONTACT, language="CY"), subject, Medium.TEXT)

    assert "Income Support and Incapacity Benefit" in english.body
    assert "Cymhorthdal Incwm a Budd-dal Analluogrwydd" in welsh.body


@pytest.mark.parametrize("kind", list(MessageKind))
def test_every_text_has_the_same_parts_in_both_languages(kind: MessageKind) -> None:
    said = WORDS.kinds[kind]
    for part in (said.text, said.subject, said.body, said.discreet):
        assert part["EN"] != part["CY"]
        assert fields(part["EN"]) == fields(part["CY"])


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["EN", "CY"])
@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_text_about_one_benefit_fits_four_fragments(kind: MessageKind, language: str) -> None:
    subject = replace(SUBJECT, schemes=("JOBSEEKERS_ALLOWANCE",), evidence=("statements of every account" * 5,))

    assert len(write(WORDS, kind, replace(CONTACT, language=language), subject, Medium.TEXT).body) <= LONGEST_TEXT


def test_an_appointment_is_told_with_day_time_and_place_of_london() -> None:
    written = write(
        WORDS, MessageKind.APPOINTMENT_MADE, CONTACT, replace(SUBJECT, schemes=("CRISIS_LOAN",)), Medium.TEXT
    )

    assert written.body == (
        "Your interview about a crisis loan is on Monday 4 July 2005 at 9:30am, at the Jobcentre Plus office in Cardiff. "
        "If you cannot come, ring 0808 157 0100. Ref C0123456789A"
    )


def test_an_email_lists_the_documents_and_a_discreet_one_does_not() -> None:
    plain = write(WORDS, MessageKind.WHAT_TO_BRING, CONTACT, SUBJECT, Medium.EMAIL)
    discreet = write(WORDS, MessageKind.WHAT_TO_BRING, replace(CONTACT, discreet=True), SUBJECT, Medium.EMAIL)

    assert "* a passport\n* wage slips" in plain.body
    assert (plain.evidence, discreet.evidence) == (SUBJECT.evidence, ())
    assert "passport" not in discreet.body


@pytest.mark.parametrize(
    ("hour", "minute", "english", "welsh"),
    [(0, 0, "12am", "12yb"), (9, 5, "9:05am", "9:05yb"), (12, 0, "12pm", "12yp"), (15, 30, "3:30pm", "3:30yp")],
)
def test_a_time_is_said_by_the_half_of_the_day(hour: int, minute: int, english: str, welsh: str) -> None:
    moment = datetime(2005, 1, 4, hour, minute, tzinfo=UTC)

    assert (time_said(moment, "EN"), time_said(moment, "CY")) == (english, welsh)


def test_a_letter_has_the_address_and_every_letter_of_welsh() -> None:
    contact = replace(
        CONTACT,
        name="Siôn ap Gwŷr",
        language="CY",
        address=Address(lines=("1 Tŷ Ŵyn", "Caerdydd"), postcode="CF10 4ER"),
        letter_format=Format.LARGE_PRINT,
    )
    written = write(
        WORDS, MessageKind.WHAT_TO_BRING, contact, replace(SUBJECT, evidence=("pasbort <i>",)), Medium.LETTER
    )

    queued, printed = letter_of(message(), contact, written)

    assert text_of(printed).split("\n")[1:5] == ["Siôn ap Gwŷr", "1 Tŷ Ŵyn", "Caerdydd", "CF10 4ER"]
    assert "• pasbort <i>" in text_of(printed)
    assert (queued.language, queued.about) == ("CY", "WHAT_TO_BRING")


def test_a_letter_in_braille_says_so_to_whoever_prints_it() -> None:
    contact = replace(CONTACT, letter_format=Format.BRAILLE)
    written = write(WORDS, MessageKind.DECISION, contact, SUBJECT, Medium.LETTER)

    assert "C0123456789A / BRAILLE" in text_of(letter_of(message(), contact, written)[1])


def message() -> Message:
    return Message(
        message_id=uuid4(),
        claim_ref=CONTACT.claim_ref,
        kind=MessageKind.WHAT_TO_BRING,
        subject="",
        state=MessageState.DUE,
        medium=None,
        lease=uuid4(),
        attempts=1,
        polls=0,
        due_time=datetime(2005, 7, 4, tzinfo=UTC),
    )


def test_the_list_of_documents_is_a_file_to_print() -> None:
    printed = list_as_file("C0123456789A", listed("CY"))

    assert "pasbort <i>" in text_of(printed)


def listed(language: str, *, large_print: bool = False) -> Content:
    return Content(
        to="sian@example.org",
        subject="",
        body="",
        language=language,
        evidence=("pasbort <i>", "tystysgrif geni"),
        large_print=large_print,
    )


@pytest.mark.parametrize("language", ["EN", "CY"])
def test_nothing_of_a_letter_in_large_print_is_smaller_but_the_address(language: str) -> None:
    contact = replace(CONTACT, language=language, letter_format=Format.LARGE_PRINT, name="Wilhelmina " * 20)
    written = write(WORDS, MessageKind.WHAT_TO_BRING, contact, SUBJECT, Medium.LETTER)

    for printed in (letter_of(message(), contact, written)[1], list_as_file("C1", listed(language, large_print=True))):
        sizes = sizes_of(printed)
        assert min(size for text, size in sizes if not text.startswith(("Wilhelmina", *ADDRESS_LINES))) >= 16
        assert any("1" in text and len(text) < 12 for text, _ in sizes), "the number of the page"


def test_what_ends_with_a_colon_stays_with_what_follows() -> None:
    for documents in range(1, 40):
        contact = replace(CONTACT, letter_format=Format.LARGE_PRINT)
        evidence = tuple(f"document {number}" for number in range(documents))
        kind = MessageKind.EVIDENCE_DUE if documents % 2 else MessageKind.WHAT_TO_BRING
        written = write(WORDS, kind, contact, replace(SUBJECT, evidence=evidence), Medium.LETTER)

        for page in PdfReader(BytesIO(letter_of(message(), contact, written)[1])).pages:
            assert not page.extract_text().rstrip().endswith("The documents:")


ADDRESS_LINES = ("1 High Street", "Cardiff", "CF10 4ER")


def sizes_of(pdf: bytes) -> list[tuple[str, float]]:
    """Every piece of text with its size in points."""
    found: list[tuple[str, float]] = []

    def see(text: str, _matrix: Any, _text_matrix: Any, _font: Any, size: float) -> None:
        if text.strip():
            found.append((text.strip(), size))

    for page in PdfReader(BytesIO(pdf)).pages:
        page.extract_text(visitor_text=see)
    return found


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
