"""Prints letters as PDF, in a font that holds every letter of Welsh and is embedded in the file.

print_letter(letter)
"""

import io
from collections.abc import Iterator
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
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepInFrame, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from chassis.errors import Text
from la_notifier.domain.letters import Letter, Section

_PLAIN, _BOLD = "Letter", "Letter-Bold"
_FILES = {_PLAIN: "Roboto-Regular.ttf", _BOLD: "Roboto-Bold.ttf"}
_MARGIN = 22 * mm
_PADDING = 6
"""Points that the library leaves inside of the margins."""
_NAMES = 62 * mm
_VALUES = A4[0] - 2 * (_MARGIN + _PADDING) - _NAMES
_WINDOW = (85 * mm, 36 * mm)
"""Width and height of what the window of an envelope of size DL shows."""
_PAGE_SIZE = 8
_LARGE, _LARGE_PRINT = 1.6, 16
"""The Royal National Institute of Blind People calls letters of 16 points and more large print. Sizes are multiplied, and none
is smaller than that."""
_REFERENCE = Text(en="Our reference:", cy="Ein cyfeirnod:")
_DATE = Text(en="Date:", cy="Dyddiad:")
_PAGE = Text(en="Page {number}", cy="Tudalen {number}")
_BODY = ParagraphStyle("body", fontName=_PLAIN, fontSize=10.5, leading=14.5)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=8.5, leading=11)
_NAME = ParagraphStyle("name", parent=_BODY, fontName=_BOLD)
_HEADING = ParagraphStyle("heading", parent=_BODY, fontName=_BOLD, fontSize=13, leading=17)
_PART = ParagraphStyle("part", parent=_BODY, fontName=_BOLD, spaceBefore=3 * mm, spaceAfter=1 * mm)


def print_letter(letter: Letter) -> bytes:
    """The letter on A4, as many pages as it takes. The same letter gives the same bytes."""
    _register_fonts()
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=letter.heading,
        subject=letter.reference,
        author="CMS3",
        lang="cy-GB" if letter.language == "CY" else "en-GB",
        invariant=1,
    )

    def number(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(_PLAIN, _LARGE_PRINT if letter.large_print else _PAGE_SIZE)
        canvas.drawRightString(
            A4[0] - _MARGIN, 10 * mm, _PAGE.of(number=canvas.getPageNumber()).spoken(letter.language)
        )

    document.build(list(_story(letter)), onFirstPage=number, onLaterPages=number)
    return written.getvalue()


def _story(letter: Letter) -> Iterator[Any]:
    scale = _LARGE if letter.large_print else 1.0
    # The address stands where the envelope's window shows it, in the size that the window holds: it is for the post.
    yield Spacer(1, 25 * mm)
    if letter.to:
        yield KeepInFrame(*_WINDOW, [_paragraph(line, _BODY, 1.0) for line in letter.to], mode="shrink")
    yield Spacer(1, 12 * mm)
    yield _paragraph(f"{_DATE.spoken(letter.language)} {letter.day:%d/%m/%Y}", _BODY, scale)
    yield _paragraph(f"{_REFERENCE.spoken(letter.language)} {letter.reference}", _SMALL, scale)
    yield Spacer(1, 6 * mm)
    yield _paragraph(letter.heading, _HEADING, scale)
    for section in letter.sections:
        yield from _section(section, scale)


def _section(section: Section, scale: float) -> Iterator[Any]:
    head = [_paragraph(section.heading, _PART, scale)] if section.heading else [Spacer(1, 2 * mm)]
    blocks: list[Any] = [_row(name, text, scale) for name, text in section.rows]
    blocks += [_paragraph(text, _BODY, scale) for text in section.paragraphs]
    yield KeepTogether([*head, *blocks[:1]])
    yield from blocks[1:]


def _row(name: str, text: str, scale: float) -> Table:
    return Table(
        [[_paragraph(name, _NAME, scale), _paragraph(text, _BODY, scale)]],
        colWidths=[_NAMES, _VALUES],
        hAlign="LEFT",
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ],
    )


def _paragraph(text: str, style: ParagraphStyle, scale: float) -> Paragraph:
    if scale != 1.0:
        size = max(style.fontSize * scale, _LARGE_PRINT)
        style = ParagraphStyle("large", parent=style, fontSize=size, leading=size * style.leading / style.fontSize)
    if text.endswith(":"):
        style = ParagraphStyle("before", parent=style, keepWithNext=1)
    # What a claimant said may hold signs that the library reads as mark-up.
    return Paragraph(escape(text), style)


@cache
def _register_fonts() -> None:
    spec = find_spec("font_roboto")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package font-roboto is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "files"
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
