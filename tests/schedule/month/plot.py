"""The plot: the share within the target by week and policy, as SVG."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from tests.schedule.month.figures import Figures

_LEFT, _TOP, _WIDTH, _HEIGHT, _BOTTOM = 60, 74, 900, 420, 50
_BAR, _GAP = 40, 4
_COLOURS = ("#00504c", "#c9a24a", "#8b9dab", "#b5653b")
_LOOK = 'font-family="sans-serif" font-size="12" role="img"'


def svg(found: Sequence[Figures]) -> str:
    """The plot as a document of SVG."""
    weeks = list(dict.fromkeys(one.week.name for one in found))
    policies = list(dict.fromkeys(one.policy for one in found))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_LOOK}>',
            "<title>Share of claimants seen within 48 hours, by week and policy</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            *_legend(policies),
            *_scale(),
            *(part for at, week in enumerate(weeks) for part in _group(at, week, policies, found, len(weeks))),
            "</svg>",
            "",
        ]
    )


def _y(share: float) -> float:
    return round(_TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _legend(policies: Sequence[str]) -> Iterator[str]:
    for at, (policy, colour) in enumerate(zip(policies, _COLOURS, strict=True)):
        x, y = _LEFT + at % 2 * 330, 12 + at // 2 * 20
        yield f'<rect x="{x}" y="{y}" width="14" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 20}" y="{y + 10}">{escape(policy)}</text>'


def _scale() -> Iterator[str]:
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - 20}" y2="{y}" stroke="#dde4e2"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#444">{percent} %</text>'


def _group(at: int, week: str, policies: Sequence[str], found: Sequence[Figures], groups: int) -> Iterator[str]:
    room = (_WIDTH - 20 - _LEFT) / groups
    whole = len(policies) * (_BAR + _GAP) - _GAP
    left = _LEFT + at * room + (room - whole) / 2
    for number, policy in enumerate(policies):
        share = next(one.within for one in found if one.week.name == week and one.policy == policy)
        x, y = round(left + number * (_BAR + _GAP), 1), _y(share)
        height = round(_y(0) - y, 1)
        yield f'<rect x="{x}" y="{y}" width="{_BAR}" height="{height}" fill="{_COLOURS[number]}"/>'
        yield f'<text x="{x + _BAR / 2}" y="{y - 4}" text-anchor="middle" font-size="10">{100 * share:.1f}</text>'
    yield f'<text x="{round(left + whole / 2, 1)}" y="{_HEIGHT - 26}" text-anchor="middle">{escape(week)}</text>'
