"""The picture of a week: attempts and backlog over its days."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from cms_local.replay.week import Week

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HELD, _FAILED = "#1d70b8", "#d4351c"
_BACKLOG = {"ISCS": "#00703c", "JSAPS": "#1d70b8", "PSCS": "#f47738"}


def draw(week: Week, file: Path) -> None:
    """Writes the picture as a PNG file."""
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(9, 5.5), dpi=110, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    days = [sample.seconds / week.scale.day_seconds for sample in week.samples]
    held = [sample.counts.attempts - sample.counts.failed for sample in week.samples]
    failed = [sample.counts.failed for sample in week.samples]
    above.stackplot(days, held, failed, labels=("held", "failed"), colors=(_HELD, _FAILED), alpha=0.85)
    above.set_ylabel("attempts so far")
    above.legend(loc="upper left", frameon=False)
    above.set_title(
        f"{week.outcome.claims:,} claims: {week.attempts:,} attempts, {week.failed / max(1, week.attempts):.1%} failed"
    )
    seen = [(day, sample.backlog) for day, sample in zip(days, week.samples, strict=True) if sample.backlog is not None]
    for system, colour in _BACKLOG.items():
        below.plot([day for day, _ in seen], [found.get(system, 0) for _, found in seen], label=system, color=colour)
    for trouble in week.troubles.came:
        below.axvline(trouble.at / 24, color="0.75", linewidth=0.6, zorder=0)
    below.set_ylabel("records open at the gateway")
    below.legend(loc="upper right", frameon=False)
    # The week begins at ten to nine on Monday, so its midnights are some 15 hours later.
    last = int(days[-1]) + 1
    below.set_xticks(
        [0, *(15 / 24 + number for number in range(last))], [_DAYS[number % 7] for number in range(last + 1)]
    )
    below.set_xlabel("simulated days; grey: a process was killed or stopped, the bus emptied, a system down or silent")
    figure.savefig(file)
