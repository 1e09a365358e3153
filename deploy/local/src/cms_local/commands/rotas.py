"""The commands of `cms rotas`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.table import Table

from cms_local import rotas
from cms_local.commands.terminal import Json, console, fail, running_platform
from cms_local.doors import Refused
from cms_local.rotas import BadRota, Published

app = typer.Typer(no_args_is_help=True, help="The rotas of assessors.")


@app.callback()
def _many() -> None:
    """Lets `cms rotas` have its command by name, though it has one alone."""


@app.command(name="publish")
def publish(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: " + ",".join(rotas.COLUMNS))],
    *,
    sub: Annotated[str, typer.Option(help="The service manager who publishes.")] = "CMS00001",
    as_json: Json = False,
) -> None:
    """Publish rotas from a file with a line for each shift, in the time of London.

    Every week that a line is in is replaced as a whole, assessor by assessor. Exit status 1 when the file is not a rota or one
    is refused, with those before it published; 2 when scheduling could not be asked.
    """
    layout = running_platform(status=2).layout
    if file.stat().st_size > rotas.LARGEST_BYTES:
        raise fail(f"{file} is larger than {rotas.LARGEST_BYTES // 1024 // 1024} MiB: publish it in parts")
    published: list[Published] = []
    try:
        for one in rotas.publish(layout, rotas.read(file.read_text(encoding="utf-8")), subject=sub):
            published.append(one)
    except (BadRota, UnicodeDecodeError) as error:
        raise fail(f"{file}: {error}") from error
    except httpx.TransportError as error:
        raise fail(f"scheduling cannot be asked: {error}", status=2) from error
    except Refused as error:
        raise fail(f"after {len(published)} rotas: {error}") from error
    finally:
        _show(published, as_json=as_json)


def _show(published: list[Published], *, as_json: bool) -> None:
    rows = [asdict(one) for one in published]
    if as_json:
        print(json.dumps(rows))
    elif rows:
        table = Table(*rows[0], box=None, padding=(0, 1, 0, 0))
        for row in rows:
            table.add_row(*map(str, row.values()))
        console.print(table)
