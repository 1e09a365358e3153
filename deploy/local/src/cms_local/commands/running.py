"""The commands that start, show and stop the platform."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from chassis import clock
from chassis.embedded import ServerFailed
from cms_local import platform
from cms_local.commands.terminal import Json, console, fail, running_platform, say, this_layout
from cms_local.layout import SERVICES, STAND_INS, Layout
from cms_local.platform import DayPassed, NoSuchProcess, NotStarted, Platform

On = Annotated[
    datetime | None,
    typer.Option(
        "--on", formats=["%Y-%m-%d"], help="The day on which the platform's clock begins, such as 2005-07-11."
    ),
]


def up(
    time_scale: Annotated[float, typer.Option(min=0.001, help="Shortens the waits of the interface documents.")] = 1.0,
    on: On = None,
) -> None:
    """Start everything, wait until it is ready, and stop it on Ctrl-C."""
    layout = this_layout()
    found = Platform.read(layout)
    if found is not None and found.anything_alive():
        raise fail("a platform runs here already: see `cms status`, or stop it with `cms stop`")
    begin_on(layout, on)
    try:
        with platform.interruptible():
            _show(platform.start(layout, say, time_scale=time_scale))
            console.print("Ready. Ctrl-C stops everything.", highlight=False)
            platform.wait_until_stopped(layout)
    except KeyboardInterrupt:
        say("stopping")
    except (NotStarted, ServerFailed) as error:
        raise fail(f"{error}\nIf another program has the port, CMS_PORT_BASE chooses others: see README.md.") from error
    finally:
        platform.stop_present(layout)


def begin_on(layout: Layout, on: datetime | None) -> None:
    """Sets the clock of a platform that is about to start. One that runs already must be on that day."""
    if on is None:
        return
    found = Platform.read(layout)
    clock.configure(layout.clock_file)
    if found is None or not found.anything_alive():
        try:
            platform.begin_on(layout, on.date())
        except DayPassed as error:
            raise fail(str(error)) from error
    elif clock.today() != on.date():
        raise fail(f"the platform that runs here is at {clock.today()}: stop it with `cms stop`")


def _show(found: Platform) -> None:
    # Narrow enough for a terminal of 80 columns: an address that is cut off is of no use.
    table = Table("name", "state", "pid", "address (gRPC)", "HTTP", "operations", box=None, padding=(0, 1, 0, 0))
    for row in _rows(found):
        addresses = (row[name].removeprefix("http://") for name in ("serves", "http", "operations"))
        table.add_row(row["name"], row["state"], str(row["pid"]), *addresses)
    console.print(table)
    console.print(f"Logs are in {found.layout.folder / 'logs'}", highlight=False, soft_wrap=True)
    clock.configure(found.layout.clock_file)
    if clock.offset():
        console.print(f"The platform's clock is at {clock.now():%Y-%m-%d %H:%M} UTC.", highlight=False)
    if found.time_scale != 1:
        console.print(f"Waits of the interface documents are scaled by {found.time_scale:g}.", highlight=False)


def _rows(found: Platform) -> list[dict[str, Any]]:
    """The processes of platform.json, with their state, their main, HTTP and operations addresses."""
    rows: list[dict[str, Any]] = json.loads(found.layout.platform_file.read_text())["processes"]
    for row in rows:
        row["state"] = "runs" if found.is_alive(row["name"]) else "stopped"
        row["serves"] = row.get("grpc") or row.get("address", "")
        row["http"] = row.get("http") or row.get("control", "")
        row.setdefault("operations", "")
    return rows


def status(*, as_json: Json = False) -> None:
    """Show every process, its state and its addresses. Exit status 1 unless all of them run."""
    found = running_platform()
    if as_json:
        print(json.dumps({"time_scale": found.time_scale, "processes": _rows(found)}))
    else:
        _show(found)
    if not all(found.is_alive(name) for name in found.running):
        raise typer.Exit(1)


def stop(name: Annotated[str, typer.Argument(help="One process; without it, all.")] = "") -> None:
    """Stop one process, or everything."""
    found = running_platform()
    try:
        if name:
            found.stop(name)
        else:
            found.stop_all()
    except NoSuchProcess as error:
        raise fail(str(error)) from error


def purge() -> None:
    """Stop every platform of this project's folder and remove its data."""
    for layout in Layout.all_present():
        platform.stop_present(layout)
        platform.remove(layout)


def start(name: str) -> None:
    """Start one process that was stopped, and wait until it is ready."""
    found = running_platform()
    try:
        found.start(name)
        if name in SERVICES or name in STAND_INS:
            found.wait_until_ready(names=(name,))
    except (NoSuchProcess, NotStarted, ServerFailed) as error:
        raise fail(str(error)) from error
