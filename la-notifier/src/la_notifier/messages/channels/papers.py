"""What goes on paper or as a file to print: letters and the list of documents, as PDF, with every letter of Welsh."""

import io
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

_PLAIN, _BOLD = "Letter", "Letter-Bold"
_FILES = {_PLAIN: "Roboto-Regular.ttf", _BOLD: "Roboto-Bold.ttf"}
_SIZE, _LARGE_SIZE = 11, 18
"""In points. The Royal National Institute of Blind People calls 16 points and more large print."""
_MARGIN, _TOP = 25 * mm, 20 * mm
_TITLES = {"EN": "Documents to bring or send", "CY": "Dogfennau i ddod neu eu hanfon"}


def list_as_file(language: str, documents: Sequence[str]) -> bytes:
    """The list of documents, to print."""
    return _pdf([(_TITLES[language], True), *((f"\u2022 {document}", False) for document in documents)], _SIZE)


def letter(
    *, name: str, address_lines: Sequence[str], postcode: str, subject: str, body: str, day: str, large_print: bool
) -> bytes:
    """A letter: the address for a window envelope, the day, the subject and the body, with blank lines between paragraphs."""
    head = [(line, False) for line in (name, *address_lines, postcode, "", day, "")]
    paragraphs = [(line.replace("* ", "\u2022 ", 1), False) for line in body.split("\n")]
    return _pdf([*head, (subject, True), *paragraphs], _LARGE_SIZE if large_print else _SIZE)


def _pdf(lines: Sequence[tuple[str, bool]], size: int) -> bytes:
    _register()
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_TOP, bottomMargin=_TOP, invariant=1
    )
    document.build([_line(text, size, bold=bold) for text, bold in lines])
    return written.getvalue()


def _line(text: str, size: int, *, bold: bool) -> Any:
    style = ParagraphStyle("line", fontName=_BOLD if bold else _PLAIN, fontSize=size, leading=size * 1.4)
    return Paragraph(escape(text), style) if text.strip() else Spacer(1, size)


@cache
def _register() -> None:
    """Makes the fonts known to the library that prints, once."""
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_folder() / file)))


def _folder() -> Path:
    spec = find_spec("font_roboto")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package font-roboto is not installed")
    return Path(spec.submodule_search_locations[0]) / "files"
