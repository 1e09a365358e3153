"""The commands `cms overdue` and `cms deadletters`."""

from typing import Annotated

import typer

from cms_local import deadletters, overdue
from cms_local.commands.terminal import Json, console, fail, refuse_if_away, running_platform, show_list
from cms_local.doors import Refused

deadletters_app = typer.Typer(no_args_is_help=True, help="Events that a service could not handle.")


def overdue_command(*, as_json: Json = False) -> None:
    """List everything that is past the deadline of its state.

    Exit status 1 when there is any, 2 when a service could not be asked.
    """
    found = overdue.list_overdue(running_platform().layout)
    show_list(found, ("service", "state", "owner", "claim_ref", "since_time", "deadline_time"), as_json=as_json)
    refuse_if_away(found)
    if found.items:
        raise typer.Exit(1)


@deadletters_app.command(name="list")
def deadletters_list(*, as_json: Json = False) -> None:
    """List the dead letters of all services. Exit status 2 when a service could not be asked."""
    found = deadletters.list_dead_letters(running_platform().layout)
    show_list(found, ("service", "event_id", "type", "claim_ref", "reason", "failed_time"), as_json=as_json)
    refuse_if_away(found)


@deadletters_app.command(name="replay")
def deadletters_replay(
    event_ids: Annotated[list[str] | None, typer.Argument(help="All, when none is named.")] = None,
) -> None:
    """Have dead letters handled again.

    Exit status 1 when an event that was named is no dead letter of any service, 2 when a service could not be asked.
    """
    named = event_ids or []
    try:
        found = deadletters.ask_for_replay(running_platform().layout, named)
    except Refused as error:
        raise fail(str(error)) from error
    console.print(f"{len(found.items)} to be replayed; `cms deadletters list` shows what is left", highlight=False)
    refuse_if_away(found)
    unknown = [event_id for event_id in named if event_id not in found.items]
    if unknown:
        raise fail(f"no service has a dead letter of {', '.join(unknown)}")
