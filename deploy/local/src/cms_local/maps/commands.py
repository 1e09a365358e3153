"""The commands of `cms maps`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from intake.catalogue import CATALOGUES, load_catalogue
from intake.domain.script import ScriptError

app = typer.Typer(no_args_is_help=True, help="The maps from answers to outside records, read as files.")
console = Console(highlight=False, markup=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


@app.callback()
def _group() -> None:
    """Keeps `lint` a command of its own although it is the only one."""


@app.command()
def lint(folder: Annotated[Path, typer.Option(help="The folder of catalogues.")] = CATALOGUES) -> None:
    """Check every map against the outside records, the edit rules and the newest catalogue; exit status 1 with a finding."""
    newest = max((part for part in folder.iterdir() if part.name.isdecimal()), key=lambda part: int(part.name))
    try:
        from cms_local.maps.lint import report  # the image that prepares a platform has no gateway

        found = report(load_catalogue(newest))
    except ScriptError as fault:
        errors.print(f"cms: {fault}")
        raise typer.Exit(1) from fault
    for finding in found.findings:
        errors.print(finding)
    console.print(
        f"maps: {found.fields} fields of {found.records} records ({found.from_answers} from answers, "
        f"{found.by_the_platform} by the platform, {found.constant} constant), {found.conversions} answers converted, "
        f"{found.rules} edit rules run; {len(found.findings)} findings"
    )
    if found.findings:
        raise typer.Exit(1)
