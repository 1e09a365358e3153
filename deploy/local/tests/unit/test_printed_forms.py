"""`cms form print`: what is on the pages, and what a program finds in the file. No platform runs here."""

import io
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from cms_local.form import catalogue_form
from cms_local.main import app
from cms_local.paper.document import print_form
from cms_local.paper.notes import notes_for
from intake.catalogue import load_catalogues
from intake.domain.forms.layout import GAP_BOX, IDENTITY_BOX, Form, box, form_of
from intake.domain.forms.reading import boxes_of_entry

pytestmark = pytest.mark.xdist_group("printed-forms")
JSA = ("JOBSEEKERS_ALLOWANCE",)


@pytest.fixture(scope="module", params=["EN", "CY"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def form() -> Form:
    return catalogue_form(load_catalogues()[1], JSA)


@pytest.fixture(scope="module")
def printed(form: Form, language: str) -> bytes:
    return print_form(form, language=language)


def reader(pdf: bytes) -> Any:
    return PdfReader(io.BytesIO(pdf))


def test_every_box_that_is_read_is_on_the_form(form: Form, printed: bytes) -> None:
    without_gap = {box(entry.id, GAP_BOX) for entry in form.entries if not entry.question.gap_allowed}
    boxes = {name for entry in form.entries for name in boxes_of_entry(entry)} - without_gap

    assert set(reader(printed).get_fields() or {}) == boxes | {IDENTITY_BOX}


def test_every_page_says_which_form_it_is(printed: bytes, language: str) -> None:
    identity = f"CMS3-1-JSA-{language}-1"

    assert all(identity in page.extract_text() for page in reader(printed).pages)
    assert (reader(printed).get_fields() or {})[IDENTITY_BOX].value == identity


def test_every_question_is_on_the_form_in_its_language(form: Form, printed: bytes, language: str) -> None:
    words = " ".join(" ".join(page.extract_text().split()) for page in reader(printed).pages)

    assert [
        entry.id for entry in form.entries if " ".join(entry.question.text.spoken(language).split()) not in words
    ] == []


def test_routing_is_said_at_the_answer(printed: bytes, language: str) -> None:
    words = " ".join(page.extract_text() for page in reader(printed).pages)

    assert {"EN": "Go to question 19", "CY": "Ewch i gwestiwn 19"}[language] in words


def test_the_fonts_are_in_the_file_and_hold_the_letters_of_welsh(printed: bytes) -> None:
    root = reader(printed).trailer["/Root"]
    font = root["/AcroForm"]["/DR"]["/Font"]["/Form"]

    named = [part for part in font["/Encoding"]["/Differences"] if isinstance(part, str)]
    assert {f"/uni{ord(letter):04X}" for letter in "ŴŵŶŷ"} <= set(named)
    assert font["/FontDescriptor"]["/FontFile2"].get_data()[:4] == b"\x00\x01\x00\x00"


def test_a_screen_reader_is_told_the_language_and_the_question_of_each_box(printed: bytes, language: str) -> None:
    found = reader(printed)

    assert found.trailer["/Root"]["/Lang"] == {"EN": "en-GB", "CY": "cy-GB"}[language]
    assert all(field.get("/TU") for name, field in (found.get_fields() or {}).items() if name != IDENTITY_BOX)


def test_a_form_is_the_same_whenever_it_is_printed(form: Form, printed: bytes, language: str) -> None:
    assert print_form(form, language=language) == printed


def test_notes_are_about_the_questions_of_the_form(form: Form) -> None:
    said = [note.en for note in notes_for(form)]

    assert any("P45" in note for note in said)
    assert not any("MAT B1" in note for note in said)


def test_a_form_of_all_schemes_is_light_enough_to_be_sent_back() -> None:
    catalogue = load_catalogues().newest
    form = form_of(catalogue.script_for(catalogue.schemes))

    assert len(print_form(form, language="CY")) < 440_000


def test_the_command_writes_the_file_without_a_platform(tmp_path: Path) -> None:
    out = tmp_path / "form.pdf"

    done = CliRunner().invoke(
        app, ["form", "print", "--schemes", "JSA", "--language", "cy", "--on", "2005-07-11", "--out", str(out)]
    )

    assert (done.exit_code, done.output.strip()) == (0, str(out))
    assert out.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    "given",
    [
        ["--schemes", "XYZ"],
        ["--schemes", ""],
        ["--schemes", "JSA", "--language", "fr"],
        ["--schemes", "JSA", "--on", "today"],
        ["--schemes", "JSA", "--out", "/nowhere/form.pdf"],
    ],
)
def test_the_command_says_what_is_wrong(given: list[str]) -> None:
    done = CliRunner().invoke(app, ["form", "print", *given])

    assert done.exit_code == 1
    assert "cms: " in done.output
