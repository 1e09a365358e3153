"""Spaces for answers: each draws its boxes on the page and lays the fields over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reportlab.lib.colors import white
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph

from cms_local.paper import fonts, styles
from cms_local.paper.fields import EDGE

HEIGHT = 6.6 * mm
CELL = 5.2 * mm
_NARROW_CELL = 3.9 * mm
_GAP = 2 * mm
_LABEL_SIZE = 7
_TICK = 4.2 * mm
_BESIDE = _TICK + 3 * mm
_APART = 1.6 * mm
_FEW = 3
"""Options that stand one below the other, however short they are."""


class Space(Flowable):  # type: ignore[misc]
    """A space of a fixed size. The canvas has the document's fields."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = width, height

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Its size, whatever room there is."""
        return self.width, self.height

    def white_box(self, x: float, y: float, width: float, height: float) -> None:
        """Draws an empty box."""
        self.canv.saveState()
        self.canv.setFillColor(white)
        self.canv.setStrokeColor(EDGE)
        self.canv.setLineWidth(0.8)
        self.canv.rect(x, y, width, height, fill=1)
        self.canv.restoreState()

    def small(self, text: str, x: float, y: float, *, font: str = fonts.PLAIN) -> None:
        """Writes a label."""
        self.canv.saveState()
        self.canv.setFont(font, _LABEL_SIZE)
        self.canv.setFillColor(styles.INK)
        self.canv.drawString(x, y, text)
        self.canv.restoreState()


class Line(Space):
    """One line, or several, for text; `before` is what stands in front of it, such as £."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        width: float,
        maximum: int | None,
        lines: int = 1,
        before: str = "",
        after: str = "",
    ) -> None:
        super().__init__(width, HEIGHT * lines * (0.75 if lines > 1 else 1))
        self._name, self._label, self._maximum, self._lines = name, label, maximum, lines
        self._before, self._after = before, after

    def draw(self) -> None:
        """Draws it."""
        start = 4 * mm if self._before else 0
        end = stringWidth(self._after, fonts.PLAIN, _LABEL_SIZE) + _GAP if self._after else 0
        width = self.width - start - end
        if self._before:
            self.canv.setFont(fonts.BOLD, 11)
            self.canv.drawString(0.5 * mm, 1.8 * mm, self._before)
        self.white_box(start, 0, width, self.height)
        self.small(self._after, start + width + 1.5 * mm, 2.2 * mm)
        self.canv.fields.text(
            self._name,
            x=start,
            y=0,
            width=width,
            height=self.height,
            label=self._label,
            maximum=self._maximum,
            lines=self._lines > 1,
        )


class Comb(Space):
    """Boxes for one character each, in groups of these lengths; each group is a field where it has a name of its own."""

    def __init__(self, groups: Sequence[tuple[str, int, str]], label: str, *, narrow: bool = False) -> None:
        self._cell = _NARROW_CELL if narrow else CELL
        gap = _GAP if not narrow else 1 * mm
        self._groups, self._label, self._gap = groups, label, gap
        cells = sum(length for _, length, _ in groups)
        under = 3 * mm if any(words for _, _, words in groups) else 0
        super().__init__(cells * self._cell + gap * (len(groups) - 1), HEIGHT + under)
        self._under = under

    def draw(self) -> None:
        """Draws it."""
        x = 0.0
        for name, length, words in self._groups:
            width = length * self._cell
            self.white_box(x, self._under, width, HEIGHT)
            self.canv.setStrokeColor(EDGE)
            self.canv.setLineWidth(0.4)
            for at in range(1, length):
                self.canv.line(x + at * self._cell, self._under, x + at * self._cell, self._under + HEIGHT)
            if name:
                label = f"{self._label} {words}".strip()
                self.canv.fields.text(name, x=x, y=self._under, width=width, height=HEIGHT, label=label, cells=length)
            self.small(words, x, 0.4 * mm)
            x += width + self._gap


@dataclass(frozen=True, kw_only=True)
class Option:
    """A box to tick: its words, what is said after them (`then`), and its value where only one of several is ticked."""

    name: str
    value: str | None
    words: str
    then: str = ""


class Ticks(Space):
    """Boxes to tick: in a row, or in as many columns as their words leave room for."""

    def __init__(self, options: Sequence[Option], label: str, *, width: float, in_a_row: bool = False) -> None:
        self._options, self._label = options, label
        self._columns = len(options) if in_a_row else _columns(options, width)
        self._widths = [_natural(option) for option in options] if in_a_row else [width / self._columns] * len(options)
        self._paragraphs = [Paragraph(_words(option), styles.OPTION) for option in options]
        heights = [
            max(_TICK, paragraph.wrap(max(of - _BESIDE, 5 * mm), 1000)[1])
            for paragraph, of in zip(self._paragraphs, self._widths, strict=True)
        ]
        self._rows = [max(heights[at : at + self._columns]) for at in range(0, len(heights), self._columns)]
        super().__init__(width, sum(self._rows) + _APART * (len(self._rows) - 1) + 1 * mm)

    def draw(self) -> None:
        """Draws it."""
        y = self.height - 0.5 * mm
        for row, height in enumerate(self._rows):
            x = 0.0
            for at in range(row * self._columns, min((row + 1) * self._columns, len(self._options))):
                self._draw_one(at, x, y)
                x += self._widths[at]
            y -= height + _APART

    def _draw_one(self, at: int, x: float, y: float) -> None:
        option, paragraph = self._options[at], self._paragraphs[at]
        label = f"{self._label}: {option.words}"
        if option.value is None:
            self.canv.fields.tick(option.name, x=x, y=y - _TICK, size=_TICK, label=label)
        else:
            self.canv.fields.one_of(option.name, option.value, x=x, y=y - _TICK, size=_TICK, label=label)
        one_line = paragraph.height <= styles.OPTION.leading
        paragraph.drawOn(self.canv, x + _TICK + 1.8 * mm, y - paragraph.height + (0.1 * mm if one_line else 0.4 * mm))


def _natural(option: Option) -> float:
    """The width that an option takes by itself."""
    words = stringWidth(option.words, fonts.PLAIN, styles.OPTION.fontSize)
    then = stringWidth(option.then, fonts.BOLD, styles.OPTION.fontSize) + 4 * mm if option.then else 0
    return float(words + then + _BESIDE + 3 * mm)


def _columns(options: Sequence[Option], width: float) -> int:
    """One column of options that send on to another question: they are read from top to bottom."""
    if any(option.then for option in options) or len(options) <= _FEW:
        return 1
    return max(1, min(3, int(width / max(_natural(option) for option in options))))


class Choose(Space):
    """A list to choose from on a screen; on paper an empty box for a letter."""

    def __init__(self, name: str, options: Iterable[tuple[str, str]], label: str, *, width: float) -> None:
        super().__init__(width, HEIGHT)
        self._name, self._options, self._label = name, list(options), label

    def draw(self) -> None:
        """Draws it."""
        self.white_box(0, 0, self.width, HEIGHT)
        self.canv.fields.choice(self._name, self._options, x=0, y=0, width=self.width, height=HEIGHT, label=self._label)


class Empty(Space):
    """An empty box that is no field: for a pen."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(width, height)

    def draw(self) -> None:
        """Draws it."""
        self.white_box(0, 0, self.width, self.height)


class Hidden(Space):
    """A hidden field; it takes no room."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(0, 0)
        self._name, self._value = name, value

    def draw(self) -> None:
        """Writes it."""
        self.canv.fields.hidden(self._name, self._value)


def _words(option: Option) -> str:
    words = styles.escaped(option.words)
    return f"{words} &nbsp;&nbsp;<b>{styles.escaped(option.then)}</b>" if option.then else words
