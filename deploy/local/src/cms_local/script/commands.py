"""The commands of `cms script`."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chassis import outside
from cms_local.script.diff import differences
from cms_local.script.sheet import sheet
from cms_local.script.show import shown
from intake.catalogue import CATALOGUES, load_catalogue
from intake.catalogue.announced import not_covered
from intake.catalogue.lint import Reach, Report, report, search_of, sets_of
from intake.catalogue.lint.paths import described, reaches
from intake.domain.catalogue import Catalogue
from intake.domain.script import Script, ScriptError

app = typer.Typer(no_args_is_help=True, help="The catalogues of questions, read as files: no platform need run.")
console = Console(highlight=False, markup=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Number = Annotated[int | None, typer.Option("--catalogue", help="The catalogue's number; the newest unless given.")]
Schemes = Annotated[str, typer.Option(help="Schemes, separated by commas; all unless given.")]
On = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date of claim.")]
Language = Annotated[str, typer.Option("--lang", help="EN or CY.")]
Folder = Annotated[Path, typer.Option(help="The folder of catalogues.")]
LANGUAGES = ("EN", "CY")


def _catalogue(folder: Path, number: int | None) -> Catalogue:
    numbers = sorted(int(part.name) for part in folder.iterdir() if part.name.isdecimal())
    try:
        return load_catalogue(folder / str(numbers[-1] if number is None else number))
    except ScriptError as fault:
        errors.print(f"cms: {fault}")
        raise typer.Exit(1) from fault


def _script(catalogue: Catalogue, schemes: str) -> Script:
    wanted = [name.strip().upper() for name in schemes.split(",") if name.strip()]
    try:
        return catalogue.script_for(wanted or catalogue.schemes)
    except ScriptError as fault:
        errors.print(f"cms: {fault}")
        raise typer.Exit(1) from fault


def _language(language: str) -> str:
    if language.upper() not in LANGUAGES:
        raise typer.BadParameter("EN or CY")
    return language.upper()


@app.command()
def lint(
    *,
    number: Number = None,
    folder: Folder = CATALOGUES,
    sets: Annotated[
        bool, typer.Option("--sets", help="Search the paths of every set of schemes, not of each alone.")
    ] = False,
    examples: Annotated[bool, typer.Option("--examples", help="Show answers that lead to each question.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Check the newest catalogue; exit status 1 and the file, question and problem of each finding where any is there."""
    started = time.perf_counter()
    catalogue = _catalogue(folder, number)
    loaded = time.perf_counter()
    found = report(catalogue, sets_of(catalogue) if sets else None)
    result = Result(report=found, load_seconds=loaded - started, lint_seconds=time.perf_counter() - loaded)
    if examples:
        _show_examples(found.reaches)
    if as_json:
        print(json.dumps(result.row(catalogue)))
    else:
        _show(catalogue, result)
    if found.findings:
        raise typer.Exit(1)


@dataclass(frozen=True, kw_only=True)
class Result:
    """A report, and what it took."""

    report: Report
    load_seconds: float
    lint_seconds: float

    def row(self, catalogue: Catalogue) -> dict[str, object]:
        """The figures, for one line of JSON."""
        whole = [proof for proof in self.report.proofs if proof.outcome.whole]
        return {
            "catalogue": catalogue.number,
            "questions": len(catalogue.bank),
            "schemes": len(catalogue.schemes),
            "findings": [str(finding) for finding in self.report.findings],
            "fields_proved": len(whole),
            "searches_cut_short": len(self.report.proofs) - len(whole),
            "questions_reached": sum(1 for reach in self.report.reaches if reach.outcome.path),
            "edit_rule_trials": self.report.tried,
            "load_seconds": round(self.load_seconds, 3),
            "lint_seconds": round(self.lint_seconds, 3),
        }


def _show(catalogue: Catalogue, result: Result) -> None:
    for finding in result.report.findings:
        errors.print(str(finding))
    row = result.row(catalogue)
    console.print(
        f"catalogue {catalogue.number}: {row['questions']} questions for {row['schemes']} schemes, "
        f"{len(result.report.findings)} findings; {row['questions_reached']} questions reached, "
        f"{row['fields_proved']} mandatory fields filled on every path searched, "
        f"{row['searches_cut_short']} searches cut short, {row['edit_rule_trials']} answers tried against the edit rules; "
        f"{result.load_seconds + result.lint_seconds:.2f} s"
    )
    for change in not_covered(catalogue, outside.announced_changes()):
        console.print(f"announced and not covered, from {change.first_day}: {change.what}")


def _show_examples(found: Iterable[Reach]) -> None:
    for reach in found:
        path = reach.outcome.path
        told = "is always asked" if path and not path.given else described(path.given) if path else "was not reached"
        console.print(f"{' + '.join(reach.schemes)}: {reach.question}: {told}")


@app.command()
def show(
    *,
    schemes: Schemes = "",
    on: On = None,
    language: Language = "EN",
    number: Number = None,
    folder: Folder = CATALOGUES,
    examples: Annotated[bool, typer.Option("--examples", help="Show answers that lead to each question.")] = False,
) -> None:
    """Show what is asked for a set of schemes, in the order of asking."""
    catalogue = _catalogue(folder, number)
    script = _script(catalogue, schemes)
    day: date = on.date() if on else catalogue.released_on
    reached = {reach.question: reach for reach in reaches(script, search_of(catalogue, script))} if examples else None
    for line in shown(catalogue, script, on=day, language=_language(language), examples=reached):
        console.print(line)


@app.command()
def diff(
    old: Annotated[int, typer.Argument(help="The number of one catalogue.")],
    new: Annotated[int, typer.Argument(help="The number of another.")],
    *,
    folder: Folder = CATALOGUES,
) -> None:
    """Say what one catalogue changes of another, and for whom."""
    for line in differences(_catalogue(folder, old), _catalogue(folder, new)):
        console.print(line)


@app.command(name="sheet")
def write_sheet(
    *,
    out: Annotated[Path, typer.Option(help="The file to write, in HTML.")] = Path("sheet.html"),
    schemes: Schemes = "",
    number: Number = None,
    folder: Folder = CATALOGUES,
) -> None:
    """Write every text in English and Welsh side by side, for a native reader: a page to print."""
    catalogue = _catalogue(folder, number)
    out.write_text(sheet(catalogue, _script(catalogue, schemes)), encoding="utf-8")
    console.print(f"{out}: open it in a browser, or print it")
