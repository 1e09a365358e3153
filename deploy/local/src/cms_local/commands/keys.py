"""The commands `cms keys rotate` and `cms keys withdraw`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cms_local import keys
from cms_local.commands.terminal import fail, this_layout
from cms_local.layout import SERVICES

_READ_WITHIN_SECONDS = 3.0
"""Services look at their files of keys every second."""

app = typer.Typer(no_args_is_help=True, help="Change the keys by which services sign on the bus.")
Named = Annotated[str, typer.Argument(metavar="SERVICE", help=", ".join(SERVICES))]


@app.command()
def rotate(service: Named) -> None:
    """Give a service a new key to sign with, while it runs. What the old one signed stays good until it is withdrawn."""
    folder = _folder_with_key_of(service)
    made = keys.change_signing_key(folder, service, until_published=lambda: time.sleep(_READ_WITHIN_SECONDS))
    print(f"{service} signs by {made}")


@app.command()
def withdraw(service: Named) -> None:
    """Withdraw the keys by which a service signed before. What of theirs is still on the bus comes again, signed anew."""
    old = keys.withdraw_signing_keys(_folder_with_key_of(service), service)
    print(f"withdrawn: {', '.join(old) or 'none'}")


def _folder_with_key_of(service: str) -> Path:
    if service not in SERVICES:
        raise fail(f"there is no service {service}; choose one of {', '.join(SERVICES)}")
    folder = this_layout().keys("")
    if not keys.signing_key_file(folder, service).exists():
        raise fail("there is no key yet: start a platform once with `cms up`")
    return folder
