"""The commands of `cms schedule`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.table import Table

from chassis import clock
from cms_local.commands.terminal import Json, console, fail, running_platform, say
from cms_local.doors import Refused
from cms_local.rotas import LARGEST_BYTES, BadRota
from cms_local.schedule import load

app = typer.Typer(no_args_is_help=True, help="The offices' diaries.")
_MOST_DAYS = 28
_LONGEST_SECONDS = 3600


@app.command(name="picture")
def schedule_picture(
    file: Annotated[Path, typer.Option(help="The PNG file to write.")] = Path("week.png"),
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="Days from today on.")] = 7,
    office: Annotated[str, typer.Option(help="An office, six digits; all without it.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show the load of each office and day ahead and the breaches to expect, as a table and as a heat map.

    Exit status 2 when scheduling could not be asked.
    """
    layout = running_platform().layout
    clock.configure(layout.clock_file)
    today = clock.today()
    try:
        weeks, history = load.ask(layout, first=today, last=today + timedelta(days=days - 1), office=office)
    except (Refused, httpx.TransportError) as error:
        raise fail(f"scheduling cannot be asked: {error}", status=2) from error
    if not weeks:
        raise fail("no office has a slot or a demand on these days")
    _draw(weeks, file, history)
    if as_json:
        found = {"file": str(file), "weeks_of_history": history, "days": [day for week in weeks for day in week.days]}
        print(json.dumps(found))
        return
    table = Table(*load.COLUMNS, box=None, padding=(0, 1, 0, 0))
    for week in weeks:
        for row in week.rows():
            table.add_row(*row)
    console.print(table)
    say(f"drawn: {file}")


@app.command(name="plan")
def schedule_plan(
    region: Annotated[
        str, typer.Argument(help="Offices by code or by postcode area, with commas between: LS,BD,600021.")
    ],
    *,
    rotas: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Next week's rotas, as for `cms rotas publish`.")
    ],
    seconds: Annotated[float, typer.Option(min=1, max=_LONGEST_SECONDS, help="How long moves are searched for.")] = 20,
    opened: Annotated[int, typer.Option("--open", min=0, help="Days more that assessors may be asked to work.")] = 5,
    file: Annotated[Path, typer.Option(help="The CSV file to write, for `cms rotas publish`.")] = Path("plan.csv"),
    as_json: Json = False,
) -> None:
    """Propose moves in next week's rotas of a region, so that fewer claimants are seen late, and write the rotas with them.

    Assessors are lent between offices within reach, put on the telephone or taken off it, or work a day more. Nobody who has
    an interview on a day is moved on it. Nothing is published. Exit status 2 when scheduling could not be asked.
    """
    if rotas.stat().st_size > LARGEST_BYTES:
        raise fail(f"{rotas} is larger than {LARGEST_BYTES // 1024 // 1024} MiB: plan fewer offices at a time")
    try:
        from cms_local.schedule.plan import command
    except ModuleNotFoundError as error:
        raise fail("a plan needs the extra `planner` of cms-local (OR-Tools)") from error
    layout = running_platform(status=2).layout
    clock.configure(layout.clock_file)
    try:
        planned = command.plan(layout, region, rotas.read_text(encoding="utf-8"), seconds=seconds, opened=opened)
    except (command.BadRegion, BadRota, UnicodeDecodeError) as error:
        raise fail(str(error)) from error
    except (Refused, httpx.TransportError) as error:
        raise fail(f"scheduling cannot be asked: {error}", status=2) from error
    if planned.moves:
        file.write_text(planned.text, encoding="utf-8")
    if as_json:
        print(json.dumps(planned.summary | {"file": str(file) if planned.moves else None}))
        return
    if planned.moves:
        table = Table(*planned.moves[0], box=None, padding=(0, 1, 0, 0))
        for move in planned.moves:
            table.add_row(*move.values())
        console.print(table)
    say(planned.told)
    if planned.moves:
        say(f"written: {file}; publish it with `cms rotas publish {file}`")


def _draw(weeks: list[load.OfficeWeek], file: Path, history: int) -> None:
    try:
        from cms_local.schedule.picture import draw
    except ModuleNotFoundError as error:
        raise fail("a picture needs the extra `replay` of cms-local (matplotlib)") from error
    draw(weeks, file, weeks_of_history=history)
