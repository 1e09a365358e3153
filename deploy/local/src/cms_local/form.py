"""`cms form`: claim forms on paper, printed from the catalogue. No platform need run."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chassis import clock
from chassis.errors import InvalidArgument
from intake.catalogue import load_catalogues
from intake.catalogue.form_words import on_paper
from intake.domain.catalogue import Catalogue
from intake.domain.forms.layout import CODES, Form, FormIdentity, form_of

app = typer.Typer(no_args_is_help=True, help="Claim forms on paper.")
_errors = Console(stderr=True)
LANGUAGES = ("en", "cy")


@app.callback()
def _group() -> None:
    """Claim forms on paper."""


@app.command(name="print")
def print_command(
    schemes: Annotated[
        str, typer.Option(help=f"One or several, with commas: {', '.join(CODES.values())}, or their names.")
    ],
    language: Annotated[str, typer.Option(help="en or cy.")] = "en",
    on: Annotated[
        str, typer.Option(help="Date of claim, YYYY-MM-DD: a scheme must be open on it. Today, when left out.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="File to write; named after the form, when left out.")] = None,
) -> None:
    """Print the claim form of one scheme or several as a PDF, to be filled in with a pen or on a screen."""
    from cms_local.paper.document import print_form  # the printing libraries are needed nowhere else

    if language not in LANGUAGES:
        raise _fail("--language must be en or cy")
    catalogue, names = load_catalogues().newest, _schemes(schemes)
    try:
        catalogue.refuse_closed(names, _day(on))
    except InvalidArgument as error:
        said = [violation.in_welsh() if language == "cy" else violation for violation in error.violations]
        raise _fail("; ".join(violation.description for violation in said)) from None
    form = catalogue_form(catalogue, names)
    identity = FormIdentity(catalogue=catalogue.number, schemes=names, language=language.upper())
    file = out or Path(f"{identity}.pdf")
    try:
        file.write_bytes(print_form(form, language=language.upper()))
    except OSError as error:
        raise _fail(f"{file} cannot be written: {error.strerror}") from None
    print(file)


def catalogue_form(catalogue: Catalogue, schemes: tuple[str, ...]) -> Form:
    """The form of schemes, in the words of paper."""
    return form_of(on_paper(catalogue.script_for(schemes), bank=catalogue.bank))


def _fail(text: str) -> typer.Exit:
    _errors.print(f"cms: {text}", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)


def _schemes(given: str) -> tuple[str, ...]:
    """Schemes by their names or their codes, in the order of the codes."""
    by_code = {code: scheme for scheme, code in CODES.items()}
    words = [word.strip().upper().replace("-", "_") for word in given.split(",") if word.strip()]
    names = {by_code.get(word, word) for word in words}
    unknown = sorted(names - set(CODES))
    if unknown or not names:
        raise _fail(f"there is no scheme {', '.join(unknown)}; choose of {', '.join(CODES.values())}")
    return tuple(scheme for scheme in CODES if scheme in names)


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given) if given else clock.today()
    except ValueError:
        raise _fail("--on must be a date such as 2005-07-11") from None
