"""The fonts of the form, which hold every letter of Welsh, embedded in the file."""

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont as FontFile
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD, ITALIC = "Form", "Form-Bold", "Form-Italic"
_FILES = {PLAIN: "Roboto-Regular.ttf", BOLD: "Roboto-Bold.ttf", ITALIC: "Roboto-Italic.ttf"}
_WINDOWS = "cp1252"
_WELSH = "ŴŵŶŷẀẁẂẃẄẅỲỳ"
"""Letters that the encoding of simple fonts does not have; they take codes that it leaves to control characters."""
_FIRST_FREE = 1


def register() -> None:
    """Makes the fonts known to the library that prints."""
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_folder() / file)))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=ITALIC, boldItalic=BOLD)


def encoding_differences() -> list[tuple[int, str]]:
    """The codes of the letters beyond the Windows encoding, with the glyphs' names."""
    names = _field_font()["names"]
    return [(code, names[letter]) for code, letter in enumerate(_WELSH, start=_FIRST_FREE)]


def field_font() -> dict[str, Any]:
    """The font in which answers are typed: `file` (a TrueType file of Latin letters), `widths` by code, and its metrics.

    Widths and metrics are in thousandths of the size.
    """
    return _field_font()


@cache
def _field_font() -> dict[str, Any]:
    font = FontFile(_folder() / _FILES[PLAIN])
    letters = "".join(bytes([code]).decode(_WINDOWS, "ignore") for code in range(32, 256)) + _WELSH
    options = subset.Options(layout_features=[], hinting=False, name_IDs=["*"], glyph_names=True, notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    cutter.subset(font)
    written = io.BytesIO()
    font.save(written)
    return _described(font, letters, written.getvalue())


def _described(font: FontFile, letters: str, file: bytes) -> dict[str, Any]:
    scale = 1000 / font["head"].unitsPerEm
    glyphs, advance = font.getBestCmap(), font["hmtx"]
    by_code = dict(enumerate(_WELSH, start=_FIRST_FREE))
    by_code |= {letter.encode(_WINDOWS)[0]: letter for letter in letters if letter not in _WELSH}
    return {
        "file": file,
        "names": {letter: f"uni{ord(letter):04X}" for letter in _WELSH},
        "widths": [
            round(advance[glyphs[ord(by_code[code])]][0] * scale)
            if code in by_code and ord(by_code[code]) in glyphs
            else 0
            for code in range(256)
        ],
        "ascent": round(font["hhea"].ascent * scale),
        "descent": round(font["hhea"].descent * scale),
        "cap_height": round(font["OS/2"].sCapHeight * scale),
        "box": [
            round(font["head"].xMin * scale),
            round(font["head"].yMin * scale),
            round(font["head"].xMax * scale),
            round(font["head"].yMax * scale),
        ],
    }


def _folder() -> Path:
    spec = find_spec("font_roboto")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package font-roboto is not installed")
    return Path(spec.submodule_search_locations[0]) / "files"
