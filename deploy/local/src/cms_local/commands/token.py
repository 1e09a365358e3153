"""The commands `cms token` and `cms token revoke`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from cms.common.v1 import common_pb2
from cms_local import keys
from cms_local.commands.terminal import fail, this_layout
from cms_local.layout import SERVICES

ROLES = tuple(name.removeprefix("ROLE_") for name in common_pb2.Role.keys() if name != "ROLE_UNSPECIFIED")  # noqa: SIM118


_READ_WITHIN_SECONDS = 2
"""Services look at the file every second."""

app = typer.Typer(invoke_without_command=True)
Keys = Annotated[
    Path | None, typer.Option("--keys", envvar="CMS_KEYS_FOLDER", help="Folder of keys of a platform elsewhere.")
]


@app.callback()
def token(  # noqa: PLR0917 - the options of a command
    context: typer.Context,
    role: Annotated[str, typer.Option(help=f"Required: {', '.join(ROLES)}")] = "",
    office: Annotated[str | None, typer.Option(help="Six digits, for an assessor.")] = None,
    authority: Annotated[str | None, typer.Option(help="GSS code, for a council officer.")] = None,
    sub: Annotated[str, typer.Option(help="Staff id: at most eight of A-Z0-9.")] = "STAFF001",
    grade: Annotated[str | None, typer.Option(help="AA, AO or EO, for an operator.")] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(help="A service at which the token is good; may be repeated. All, if none is named."),
    ] = None,
    *,
    folder: Keys = None,
) -> None:
    """Print a token for development, and nothing else. `cms token revoke SUBJECT` ends those of a subject."""
    if context.invoked_subcommand is not None:
        return
    folder = _folder(folder)
    if role.upper() not in ROLES:
        raise fail(f"there is no role {role}; choose one of {', '.join(ROLES)}")
    if role.upper() != "SERVICE" and not re.fullmatch("[A-Z0-9]{1,8}", sub):
        raise fail("--sub must be at most eight of A-Z and 0-9")
    if unknown := set(audience or ()) - SERVICES.keys():
        raise fail(f"there is no service {', '.join(sorted(unknown))}; choose of {', '.join(SERVICES)}")
    named = audience or list(SERVICES)
    print(
        keys.issue(folder, role.upper(), subject=sub, audience=named, office=office, authority=authority, grade=grade)
    )


@app.command()
def revoke(
    subject: Annotated[str, typer.Argument(help="A staff id, or the name of a service.")], folder: Keys = None
) -> None:
    """Revoke all tokens that a subject has now: services refuse them within seconds. It may sign in again."""
    keys.revoke(_folder(folder), subject)
    print(f"revoked: tokens of {subject} issued until now; services know it within {_READ_WITHIN_SECONDS} seconds")


def _folder(given: Path | None) -> Path:
    folder = given or this_layout().keys("")
    if not (folder / "issuer.pem").exists():
        raise fail("there is no key yet: start a platform once with `cms up`")
    return folder
