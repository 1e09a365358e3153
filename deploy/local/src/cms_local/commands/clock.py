"""The commands of `cms clock`."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from chassis import clock
from cms_local.commands.terminal import console, fail, this_layout

app = typer.Typer(no_args_is_help=True, help="The platform's clock.")


@app.command(name="show")
def clock_show() -> None:
    """Show the platform's time and how far it is ahead."""
    clock.configure(this_layout().clock_file)
    offset = clock.offset()
    apart = f"ahead by {offset}" if offset >= timedelta() else f"behind by {-offset}"
    console.print(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC, {apart}", highlight=False)


_DURATION = re.compile(r"([0-9]+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.command(name="advance")
def clock_advance(by: Annotated[str, typer.Argument(help="Such as 30m, 12h, 3d.")]) -> None:
    """Move the platform's clock forward."""
    match = _DURATION.fullmatch(by)
    if match is None:
        raise fail("give a number and a unit, one of s, m, h, d and w, such as 3d")
    layout = this_layout()
    layout.folder.mkdir(parents=True, exist_ok=True)
    clock.configure(layout.clock_file)
    clock.advance(timedelta(**{_UNITS[match[2]]: int(match[1])}))
    clock_show()


@app.command(name="reset")
def clock_reset() -> None:
    """Set the platform's clock to the real time."""
    this_layout().clock_file.unlink(missing_ok=True)
    clock_show()
