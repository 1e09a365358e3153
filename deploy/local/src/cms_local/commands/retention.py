"""The commands of `cms retention`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import uuid4

import httpx
import typer
from rich.table import Table

from cms_local import retention
from cms_local.commands.terminal import Json, console, fail, running_platform
from cms_local.doors import Refused

app = typer.Typer(no_args_is_help=True, help="How long claims are kept: 24 months after their last live day.")
Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's reference.")]


@app.command()
def run(
    *,
    erase: Annotated[bool, typer.Option("--erase", help="Erase; without it only count.")] = False,
    as_json: Json = False,
) -> None:
    """Count the claims whose time is over, and with --erase destroy their keys in every service, batch by batch.

    It can be ended at any time: the next run goes on. Exit status 2 when intake could not be asked.
    """
    layout = running_platform().layout
    total = 0
    with _asking():
        counts = retention.count(layout)
        for counts in retention.erase(layout) if erase else ():
            total += counts["erased"]
    result = {"erased": total, "due": counts["due"], "held": counts["held"]}
    if as_json:
        print(json.dumps(result))
        return
    console.print(f"{total} erased, {counts['due']} due, {counts['held']} held", highlight=False)


@app.command()
def hold(claim: Claim, reason: Annotated[str, typer.Option(help="The reason, in a line.")]) -> None:
    """Keep a claim beyond its time."""
    with _asking():
        retention.ask(
            running_platform().layout, "PlaceLegalHold", claimRef=claim, reason=reason, requestId=str(uuid4())
        )
    print(f"{claim} is held")


@app.command()
def lift(claim: Claim) -> None:
    """End the hold of a claim."""
    with _asking():
        retention.ask(running_platform().layout, "LiftLegalHold", claimRef=claim, requestId=str(uuid4()))
    print(f"{claim} is not held any more")


@app.command()
def holds(*, as_json: Json = False) -> None:
    """List the claims that are held, with the reasons."""
    with _asking():
        found = retention.holds(running_platform().layout)
    if as_json:
        print(json.dumps(found))
        return
    table = Table("claim", "placed", "by", "reason")
    for one in found:
        table.add_row(one["claimRef"], one["placeTime"], one["placedBy"], one["reason"])
    console.print(table)


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise fail(str(error)) from error
    except httpx.TransportError as error:
        raise fail(f"intake cannot be asked: {error}", status=2) from error
