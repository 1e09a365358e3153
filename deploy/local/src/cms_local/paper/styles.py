"""The look of the form."""

from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle

from cms_local.paper import fonts

INK = Color(0.07, 0.09, 0.1)
PALE = Color(0.925, 0.955, 0.945)
DARK = Color(0.0, 0.29, 0.28)
SOFT = Color(0.82, 0.9, 0.88)
GREY = Color(0.28, 0.33, 0.34)

QUESTION = ParagraphStyle("question", fontName=fonts.PLAIN, fontSize=9.5, leading=12, textColor=INK)
HELP = ParagraphStyle("help", parent=QUESTION, fontSize=8, leading=9.8, textColor=GREY, spaceBefore=1.5)
OPTION = ParagraphStyle("option", parent=QUESTION, fontSize=9, leading=11)
NUMBER = ParagraphStyle("number", parent=QUESTION, fontName=fonts.BOLD, fontSize=10)
FILTER = ParagraphStyle("filter", parent=QUESTION, fontName=fonts.BOLD, fontSize=9, leading=11.5, textColor=DARK)
PART = ParagraphStyle("part", parent=QUESTION, fontName=fonts.BOLD, fontSize=12.5, leading=15, textColor=white)
TITLE = ParagraphStyle("title", parent=QUESTION, fontName=fonts.BOLD, fontSize=25, leading=29, textColor=DARK)
SCHEME = ParagraphStyle("scheme", parent=QUESTION, fontName=fonts.BOLD, fontSize=13, leading=17)
HEADING = ParagraphStyle(
    "heading",
    parent=QUESTION,
    fontName=fonts.BOLD,
    fontSize=12,
    leading=15,
    textColor=DARK,
    spaceBefore=9,
    spaceAfter=3,
)
BODY = ParagraphStyle("body", parent=QUESTION, fontSize=10, leading=13.5)
BULLET = ParagraphStyle("bullet", parent=BODY, leftIndent=10, bulletIndent=1, spaceAfter=1.5)
SMALL = ParagraphStyle("small", parent=QUESTION, fontSize=8, leading=10)
RIGHT = ParagraphStyle("right", parent=SMALL, alignment=TA_RIGHT)
COLUMN = ParagraphStyle("column", parent=SMALL, fontName=fonts.BOLD)


def escaped(text: str) -> str:
    """A text as the library's paragraphs take it."""
    return escape(text)
