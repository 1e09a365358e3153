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
from cms_local.schedule import load

app = typer.Typer(no_args_is_help=True, help="The offices' diaries.")
_MOST_DAYS = 28


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


def _draw(weeks: list[load.OfficeWeek], file: Path, history: int) -> None:
    try:
        from cms_local.schedule.picture import draw
    except ModuleNotFoundError as error:
        raise fail("a picture needs the extra `replay` of cms-local (matplotlib)") from error
    draw(weeks, file, weeks_of_history=history)
