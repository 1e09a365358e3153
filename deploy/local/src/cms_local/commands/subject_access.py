"""The commands `cms subject-access` and `cms verify-subject-access`."""

from pathlib import Path
from typing import Annotated

import httpx
import typer

from chassis import check_digit, clock
from cms_local import subject_access
from cms_local.commands.terminal import fail, running_platform, this_layout
from cms_local.doors import Refused


def subject_access_command(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's reference.")],
    *,
    out: Annotated[Path, typer.Option(help="The file to write; it must not be there.")],
) -> None:
    """Write the claimant's own copy: one signed file with what all services hold for a claim. The access logs name it.

    Exit status 1 when it was refused or the file is there already, 2 when a service could not be asked.
    """
    layout = running_platform().layout
    clock.configure(layout.clock_file)
    claim_ref = check_digit.canonical(claim)
    if claim_ref is None or not check_digit.is_claim_reference(claim_ref):
        raise fail("that is no claim's reference")
    try:
        held = subject_access.collect(layout, claim_ref)
        subject_access.write(layout, claim_ref, held, made=clock.now(), path=out)
    except Refused as error:
        raise fail(str(error)) from error
    except httpx.TransportError as error:
        raise fail(f"a service cannot be asked: {error}", status=2) from error
    except OSError as error:
        raise fail(f"the file cannot be written: {error.strerror}") from error
    print(f"{claim_ref}: written to {out}")


def verify_command(path: Annotated[Path, typer.Argument(metavar="FILE", help="A copy.")]) -> None:
    """Print a claimant's copy as text if it is as it was signed. Exit status 1 when it is not."""
    try:
        statement = subject_access.verify(this_layout(), path)
    except subject_access.Unsound as error:
        raise fail(str(error)) from error
    except OSError as error:
        raise fail(f"the file cannot be read: {error.strerror}") from error
    print(f"{statement['claim_ref']}, made {statement['made']}")
    print("\n".join(statement["text"]))
