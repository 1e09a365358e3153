"""The command `cms accesslog verify`."""

import typer

from chassis.key_files import KeysUnusable
from cms_local import accesslog
from cms_local.commands.terminal import Json, fail, refuse_if_away, show_list, this_layout

app = typer.Typer(no_args_is_help=True, help="The log of who was shown what.")
app.callback()(lambda: None)  # with one command alone typer would leave out its name


@app.command()
def verify(*, as_json: Json = False) -> None:
    """Find rows of the access logs that were altered, removed, dated back or inserted since they were sealed.

    Exit status 1 when there are any, 2 when a log could not be read.
    """
    try:
        found = accesslog.verify(this_layout())
    except (OSError, KeysUnusable) as error:
        raise fail(f"the services' public keys cannot be read: {error}", status=2) from error
    show_list(found, ("service", "row", "kind", "detail"), as_json=as_json)
    refuse_if_away(found)
    if found.items:
        raise typer.Exit(1)
