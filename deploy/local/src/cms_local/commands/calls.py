"""The commands of `cms calls`."""

import json
from datetime import datetime
from typing import Annotated

import httpx
import typer
from rich.table import Table

from chassis import clock
from cms_local import staffing
from cms_local.commands.terminal import Json, console, fail, running_platform
from cms_local.doors import Refused

app = typer.Typer(no_args_is_help=True, help="The call centre.")


@app.command(name="staffing")
def calls_staffing(
    day: Annotated[str, typer.Option(help="A day of London, such as 2005-07-11; today without it.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show the calls of a day by the quarter of an hour, and the operators that they need.

    At the present handling time, and at that of the fixed script. Exit status 2 when intake could not be asked.
    """
    layout = running_platform().layout
    clock.configure(layout.clock_file)
    try:
        of_day = datetime.fromisoformat(day).replace(tzinfo=clock.LONDON) if day else clock.now()
    except ValueError as error:
        raise fail("--day must be a day such as 2005-07-11") from error
    since, until = staffing.day_of(of_day)
    try:
        found = staffing.ask(layout, since=since, until=until)
    except (Refused, httpx.TransportError) as error:
        raise fail(f"intake cannot be asked: {error}", status=2) from error
    if as_json:
        print(json.dumps(found.lines))
        return
    table = Table(*staffing.COLUMNS, box=None, padding=(0, 1, 0, 0))
    for row in found.rows():
        table.add_row(*row)
    console.print(table)
    console.print(found.summary(), highlight=False, soft_wrap=True)
