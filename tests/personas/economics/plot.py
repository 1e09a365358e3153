"""The plot: minutes of each persona's call beside those of the fixed script, as SVG."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from tests.personas.economics.figures import Persons

_LEFT, _TOP, _ROW, _BAR, _WIDTH = 350, 64, 36, 12, 900
_LOOK = 'font-family="sans-serif" font-size="12" role="img"'
_PLANNED = 20.0
"""Minutes for which the calls of CMS2 were planned."""


def svg(found: list[Persons]) -> str:
    """The plot as a document of SVG."""
    longest = max(_PLANNED, *(row.fixed_minutes for row in found)) * 1.08
    height = _TOP + _ROW * len(found) + 46
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_LOOK}>',
            "<title>Minutes of each persona's call, as asked and by the fixed script</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
            *_legend(),
            *_scale(longest, height),
            *(part for at, row in enumerate(found) for part in _bars(row, _TOP + at * _ROW, longest)),
            *_mark(_PLANNED, "planned: 20", longest, height),
            "</svg>",
            "",
        ]
    )


def _x(minutes: float, longest: float) -> float:
    return round(_LEFT + minutes / longest * (_WIDTH - _LEFT - 40), 1)


def _legend() -> Iterator[str]:
    for x, colour, words in (
        (_LEFT, "#00504c", "asked by CMS3"),
        (_LEFT + 150, "#c9a24a", "asked by the fixed script"),
    ):
        yield f'<rect x="{x}" y="14" width="14" height="12" fill="{colour}"/><text x="{x + 20}" y="24">{words}</text>'


def _scale(longest: float, height: int) -> Iterator[str]:
    for minutes in range(0, int(longest) + 1, 5):
        x = _x(minutes, longest)
        yield f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 40}" stroke="#dde4e2"/>'
        yield f'<text x="{x}" y="{height - 24}" text-anchor="middle" fill="#444">{minutes}</text>'
    yield f'<text x="{_LEFT}" y="{height - 8}" fill="#444">minutes, modelled</text>'


def _bars(row: Persons, y: int, longest: float) -> Iterator[str]:
    label = f"{row.name} ({', '.join(row.schemes)})"
    yield f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(_short(label))}</text>'
    for at, (minutes, count, colour) in enumerate(
        ((row.minutes, row.asked, "#00504c"), (row.fixed_minutes, row.fixed_asked, "#c9a24a"))
    ):
        top, end = y + at * (_BAR + 1), _x(minutes, longest)
        yield f'<rect x="{_LEFT}" y="{top}" width="{round(end - _LEFT, 1)}" height="{_BAR}" fill="{colour}"/>'
        yield f'<text x="{end + 4}" y="{top + 10}" font-size="10" fill="#444">{minutes:.1f} ({count})</text>'


def _short(label: str) -> str:
    return label if len(label) <= 60 else label[:59] + "…"


def _mark(minutes: float, words: str, longest: float, height: int) -> Iterator[str]:
    x = _x(minutes, longest)
    yield f'<line x1="{x}" y1="{_TOP - 14}" x2="{x}" y2="{height - 40}" stroke="#a33" stroke-dasharray="4 3"/>'
    yield f'<text x="{x}" y="{_TOP - 18}" text-anchor="middle" fill="#a33">{words}</text>'
