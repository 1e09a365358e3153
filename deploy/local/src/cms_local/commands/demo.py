"""The command `cms demo`."""

import json
from datetime import datetime

import typer

from chassis.embedded import ServerFailed
from cms_local import platform
from cms_local.audit import LedgerAway
from cms_local.commands.running import On, begin_on
from cms_local.commands.terminal import Json, console, fail, say, this_layout
from cms_local.demo import Outcome, run_demo
from cms_local.platform import NotStarted

DEMO_TIME_SCALE = 0.1
DEMO_DAY = datetime(2005, 7, 11)  # noqa: DTZ001 - a day, as the options give one
"""A Monday of the month in which most of CMS2's transfers failed. Every scheme could be claimed."""


def demo(*, as_json: Json = False, on: On = None) -> None:
    """Carry more than thirty claims of every scheme, with an assessor off sick, and audit what came of them.

    On a platform without data the clock begins on 11 July 2005, unless --on names another day.
    """
    layout = this_layout()
    begin_on(layout, on or (None if platform.has_data(layout) else DEMO_DAY))
    try:
        with platform.present(layout, say, time_scale=DEMO_TIME_SCALE) as found:
            outcome = run_demo(layout, say)
            time_scale = found.time_scale
    except (NotStarted, ServerFailed, LedgerAway) as error:
        raise fail(str(error)) from error
    if not as_json:
        _show_timelines(outcome)
    for title, why in outcome.failures.items():
        say(f"FAILED {title}: {why}")
    absence = {"moved": outcome.absence.moved, "not_moved": outcome.absence.not_moved}
    about = {
        "systems": outcome.findings.systems,
        "absence": absence,
        "seconds": round(outcome.seconds, 1),
        "time_scale": time_scale,
    }
    print(json.dumps(outcome.findings.counts() | about))
    if not outcome.good:
        raise typer.Exit(1)


def _show_timelines(outcome: Outcome) -> None:
    for journey in outcome.journeys:
        console.print(f"[bold]{journey.claim_ref}[/bold]  {journey.case.title}", highlight=False)
        console.print(
            "   ".join(f"{seconds:.1f}s {what}" for seconds, what in journey.timeline), highlight=False, soft_wrap=True
        )
