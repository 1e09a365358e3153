"""The boxes of the form as fields of a PDF form (AcroForm), at the place where a canvas now stands.

The library's own text fields know only the fourteen standard fonts, none of which has ŵ or ŷ. Text fields are therefore
written here with the embedded font; boxes to tick are the library's.
"""

from typing import Any

from reportlab.lib.colors import Color, black, white
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFStreamFilterZCompress, PDFString
from reportlab.pdfgen.canvas import Canvas

from cms_local.paper import fonts

EDGE = Color(0.35, 0.42, 0.45)
_READ_ONLY, _MULTILINE, _DO_NOT_SCROLL, _COMB = 1, 1 << 12, 1 << 23, 1 << 24
_PRINT, _HIDDEN = 1 << 2, 1 << 1
_NONSYMBOLIC = 32
_SIZE = 10
_LONG = 60


class Fields:
    """Writes the fields of one document."""

    def __init__(self, canvas: Canvas, *, language: str) -> None:
        self._canvas = canvas
        form = canvas.acroForm
        form.extras["DR"] = PDFDictionary(
            {
                "Font": PDFDictionary(
                    {
                        "Form": form.getRef(self._font()),
                        "ZaDb": form.getRef(_marks()),
                    }
                )
            }
        )
        form.extras["DA"] = PDFString(f"/Form {_SIZE} Tf 0 g")
        form.extras["NeedAppearances"] = "true"  # the reader program draws what is typed, in this font
        catalog = canvas._doc.Catalog
        catalog.__NoDefault__ = [*catalog.__NoDefault__, "Lang", "MarkInfo"]
        catalog.Lang = PDFString({"EN": "en-GB", "CY": "cy-GB"}[language])

    def text(self, name: str, *, x: float, y: float, width: float, height: float, label: str, **shape: Any) -> None:
        """A place for text. `shape`: `cells` (one character each) or `lines` (several), or neither; `maximum` characters."""
        flags, size, maximum = 0, _SIZE, shape.get("maximum")
        if cells := shape.get("cells"):
            flags, maximum = _COMB | _DO_NOT_SCROLL, cells
        elif shape.get("lines"):
            flags, size = _MULTILINE, _SIZE - 1
        else:
            size = _SIZE - 1 if (maximum or 0) > _LONG else _SIZE
        x, y = self._canvas.absolutePosition(x, y)
        field = self._widget(name, label, [x, y, x + width, y + height], _PRINT) | {
            "FT": PDFName("Tx"),
            "Ff": flags,
            "DA": PDFString(f"/Form {size} Tf 0 g"),
        }
        if maximum:
            field["MaxLen"] = maximum
        self._add(field)

    def tick(self, name: str, *, x: float, y: float, size: float, label: str) -> None:
        """A box that is ticked or not."""
        self._canvas.acroForm.checkbox(name=name, tooltip=label, x=x, y=y, size=size, relative=True, **_TICK)

    def one_of(self, name: str, value: str, *, x: float, y: float, size: float, label: str) -> None:
        """One of several boxes of which one is ticked."""
        self._canvas.acroForm.radio(
            name=name, value=value, tooltip=label, x=x, y=y, size=size, shape="square", relative=True, **_TICK
        )

    def choice(
        self, name: str, options: list[tuple[str, str]], *, x: float, y: float, width: float, height: float, label: str
    ) -> None:
        """A list to choose from on a screen, an empty box on paper. `options` are values with their words."""
        x, y = self._canvas.absolutePosition(x, y)
        listed = [PDFArray([PDFString(value), PDFString(words)]) for value, words in [("", " "), *options]]
        self._add(
            self._widget(name, label, [x, y, x + width, y + height], _PRINT)
            | {
                "FT": PDFName("Ch"),
                "Ff": 1 << 17,
                "Opt": PDFArray(listed),
                "V": PDFString(""),
                "DA": PDFString(f"/Form {_SIZE - 1} Tf 0 g"),
            }
        )

    def hidden(self, name: str, value: str) -> None:
        """A field that nobody sees and nobody can change."""
        self._add(
            self._widget(name, name, [0, 0, 0, 0], _HIDDEN)
            | {"FT": PDFName("Tx"), "Ff": _READ_ONLY, "V": PDFString(value), "DA": PDFString("/Form 1 Tf 0 g")}
        )

    def _widget(self, name: str, label: str, place: list[float], flags: int) -> dict[str, Any]:
        return {
            "Type": PDFName("Annot"),
            "Subtype": PDFName("Widget"),
            "T": PDFString(name),
            "TU": PDFString(label),
            "Rect": PDFArray(place),
            "F": flags,
            "P": self._canvas._doc.thisPageRef(),
        }

    def _add(self, field: dict[str, Any]) -> None:
        widget = PDFDictionary(field)
        self._canvas._addAnnotation(widget)
        self._canvas.acroForm.fields.append(self._canvas.acroForm.getRef(widget))

    def _font(self) -> PDFDictionary:
        """The font of the fields: a simple one, whose encoding has the letters of Welsh beside those of Windows."""
        form, font = self._canvas.acroForm, fonts.field_font()
        file = PDFStream(PDFDictionary({"Length1": len(font["file"])}), font["file"], [PDFStreamFilterZCompress()])
        descriptor = PDFDictionary(
            {
                "Type": PDFName("FontDescriptor"),
                "FontName": PDFName("CMSFRM+Roboto"),
                "Flags": _NONSYMBOLIC,
                "FontBBox": PDFArray(font["box"]),
                "ItalicAngle": 0,
                "Ascent": font["ascent"],
                "Descent": font["descent"],
                "CapHeight": font["cap_height"],
                "StemV": 80,
                "FontFile2": form.getRef(file),
            }
        )
        differences: list[Any] = []
        for code, glyph in fonts.encoding_differences():
            differences += [code, PDFName(glyph)]
        encoding = PDFDictionary(
            {
                "Type": PDFName("Encoding"),
                "BaseEncoding": PDFName("WinAnsiEncoding"),
                "Differences": PDFArray(differences),
            }
        )
        return PDFDictionary(
            {
                "Type": PDFName("Font"),
                "Subtype": PDFName("TrueType"),
                "BaseFont": PDFName("CMSFRM+Roboto"),
                "FirstChar": 0,
                "LastChar": 255,
                "Widths": PDFArray(font["widths"]),
                "FontDescriptor": form.getRef(descriptor),
                "Encoding": form.getRef(encoding),
            }
        )


_TICK: dict[str, Any] = {
    "buttonStyle": "check",
    "borderColor": EDGE,
    "fillColor": white,
    "textColor": black,
    "borderWidth": 0.8,
    "fieldFlags": "",
    "forceBorder": True,
}


def _marks() -> PDFDictionary:
    """The marks in boxes that are ticked; every reader program has this font."""
    return PDFDictionary(
        {
            "Type": PDFName("Font"),
            "Subtype": PDFName("Type1"),
            "BaseFont": PDFName("ZapfDingbats"),
        }
    )
