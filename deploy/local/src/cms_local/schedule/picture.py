"""The picture of a week: the load of each office and day, and beside it the breaches to expect."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from cms_local.schedule.load import OfficeWeek, day_of

MOST_OFFICES = 40
"""Rows that can be read; the title says how many offices are left out."""
_LOAD = LinearSegmentedColormap.from_list("load", ["#f3f6f9", "#1d70b8", "#0b2c4a"])
_BREACHES = LinearSegmentedColormap.from_list("breaches", ["#f3f6f9", "#f47738", "#942514"])
_NO_SLOTS = "#b1b4b6"
_DARK = 0.45
"""From this part of the scale on a figure is white."""


def draw(weeks: Sequence[OfficeWeek], file: Path, *, weeks_of_history: int) -> None:
    """Writes the picture as a PNG file; the first offices are shown."""
    mpl.rcParams.update({"font.size": 8})
    shown = weeks[:MOST_OFFICES]
    days = sorted({day_of(day) for week in shown for day in week.days})
    figure = Figure(figsize=(4 + 1.1 * len(days), 1.6 + 0.24 * len(shown)), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _heat(left, shown, days, value=_load, text=load_text, colours=_LOAD, most=1.0)
    most = max([1.0, *(float(day["expectedBreaches"]) for week in shown for day in week.days)])
    _heat(right, shown, days, value=_breaches, text=_breaches_text, colours=_BREACHES, most=most)
    left.set_yticks(range(len(shown)), [week.name for week in shown])
    left.set_title("slots taken", loc="left")
    right.set_title("claimants not seen in time, expected", loc="left")
    figure.suptitle(_title(weeks, shown, weeks_of_history), fontsize=9)
    figure.savefig(file)


def _heat(
    axes: Axes,
    weeks: Sequence[OfficeWeek],
    days: Sequence[date],
    *,
    value: Callable[[dict[str, Any]], float],
    text: Callable[[dict[str, Any]], str],
    colours: Colormap,
    most: float,
) -> None:
    found = [{day_of(day): day for day in week.days} for week in weeks]
    cells = [[value(of_office[day]) if day in of_office else float("nan") for day in days] for of_office in found]
    colours = colours.copy()
    colours.set_bad(_NO_SLOTS)
    axes.imshow(cells, cmap=colours, vmin=0, vmax=most, aspect="auto")
    for row, of_office in enumerate(found):
        for column, day in enumerate(days):
            if day in of_office:
                shade = "white" if value(of_office[day]) > _DARK * most else "black"
                axes.text(column, row, text(of_office[day]), ha="center", va="center", color=shade, fontsize=7)
    axes.set_xticks(range(len(days)), [f"{day:%a}\n{day.day} {day:%b}" for day in days])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def load_text(day: dict[str, Any]) -> str:
    """The share of the day's slots that are taken; on a day without slots it says so."""
    return f"{_load(day):.0%}" if day["capacity"] else "no slots"


def _load(day: dict[str, Any]) -> float:
    return float(day["booked"] / day["capacity"]) if day["capacity"] else float("nan")


def _breaches(day: dict[str, Any]) -> float:
    return float(day["expectedBreaches"])


def _breaches_text(day: dict[str, Any]) -> str:
    """The number, in full where a breach is likely; nothing where it is next to none."""
    found = _breaches(day)
    if found < 0.05:
        return ""
    return f"{found:.1f}" + (" !" if day["breachExpected"] else "")


def _title(weeks: Sequence[OfficeWeek], shown: Sequence[OfficeWeek], weeks_of_history: int) -> str:
    likely = sum(any(day["breachExpected"] for day in week.days) for week in weeks)
    short = len(weeks) - len(shown)
    return (
        f"offices: {len(weeks)}, with a breach that is likely (!): {likely}"
        + (f"; {short} more are not shown" if short else "")
        + f"\nweeks of bookings behind the forecast: {weeks_of_history}; the worst first"
    )
