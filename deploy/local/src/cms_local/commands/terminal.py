"""The parts that commands share: the consoles, the platform of this folder, lists, and failures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cms_local.layout import BadBase, Layout
from cms_local.operations import Found
from cms_local.platform import Platform

console = Console()
errors = Console(stderr=True)
_WIDE = 500
"""Columns of a list, whatever the terminal has: an id that is cut off is of no use."""

Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of a table.")]


def say(text: str) -> None:
    """Prints a line on standard error."""
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def fail(text: str, *, status: int = 1) -> typer.Exit:
    """Says why a command failed. Raise what it returns."""
    say(f"cms: {text}")
    return typer.Exit(status)


def this_layout() -> Layout:
    """The layout of the platform of this folder. Exits with 1 where the base of its ports is bad."""
    try:
        return Layout.from_environment()
    except BadBase as error:
        raise fail(str(error)) from error


def running_platform(*, status: int = 1) -> Platform:
    """Reads the platform that was started here. Exits with this status where there is none."""
    found = Platform.read(this_layout())
    if found is None:
        raise fail("no platform runs here: start it with `cms up`", status=status)
    return found


def show_list(found: Found[Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Prints the items as a table with these columns, or as one line of JSON."""
    rows = [asdict(item) for item in found.items]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns))
    Console(width=_WIDE).print(table)


def refuse_if_away(found: Found[Any]) -> None:
    """Exits with 2 where a service could not be asked."""
    for line in found.away:
        say(f"cms: {line}")
    if found.away:
        raise typer.Exit(2)
