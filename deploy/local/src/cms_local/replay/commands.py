"""The command `cms replay-week`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chassis.embedded import ServerFailed
from cms_local import platform
from cms_local.layout import BadBase, Layout
from cms_local.platform import NotStarted
from cms_local.replay.outside import FAILED_SHARE
from cms_local.replay.population import WEEK
from cms_local.replay.report import summary, table
from cms_local.replay.week import NothingKept, Replay, Scale

_CLAIMS = sum(WEEK.values())


def replay_week(
    *,
    seed: Annotated[int, typer.Option(help="The first seed: it chooses claimants, failures and moments.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds in a row, on the same claims.")] = 1,
    claims: Annotated[int, typer.Option(min=20, help="So many claims, in the week's proportion.")] = _CLAIMS,
    rate: Annotated[
        float, typer.Option(min=0, max=FAILED_SHARE, help="The share of attempts that fail.")
    ] = FAILED_SHARE,
    time_scale: Annotated[float, typer.Option(min=0.001, help="Shortens the waits of the interface documents.")] = 0.05,
    reply_seconds: Annotated[float, typer.Option(min=0.05, help="The time-out of a reply.")] = 0.5,
    day_seconds: Annotated[float, typer.Option(min=1, help="Real seconds of a simulated day.")] = 24.0,
    picture: Annotated[Path | None, typer.Option(help="The picture of the first week, a PNG file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the loaded claims, and the last week's logs.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Begin with the claims that a run with --keep loaded.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The line of JSON alone.")] = False,
) -> None:
    """Let the week of July 2005 pass again, and count what became of every claim.

    On a platform of its own from Monday 11 July 2005; the last line of each seed is JSON. Exit status 1 where a claim was
    lost, doubled, halved or not explained.
    """
    console, errors = Console(), Console(stderr=True)
    try:
        layout = Layout.from_environment()
        replay = Replay(
            layout=layout,
            scale=Scale(time_scale=time_scale, reply_seconds=reply_seconds, day_seconds=day_seconds),
            size=claims,
            rate=rate,
            keep=keep,
            again=again,
            say=lambda text: errors.print(text, markup=False, highlight=False),
        )
        good = True
        with platform.interruptible():
            for week in replay.run(range(seed, seed + seeds)):
                if not as_json:
                    console.print(table(week))
                for line in week.outcome.wrong:
                    errors.print(line, markup=False, highlight=False)
                if picture is not None and week.seed == seed:
                    # Here, so that the other commands do not wait for matplotlib to be read.
                    from cms_local.replay.picture import draw

                    draw(week, picture)
                print(json.dumps(summary(week)), flush=True)
                good = good and week.outcome.good
    except (NotStarted, ServerFailed, BadBase, NothingKept) as error:
        errors.print(f"cms: {error}", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if not good:
        raise typer.Exit(1)
