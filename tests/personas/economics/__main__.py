"""Writes docs/question-economics.md and its plot from the personas (`make economics`), or checks them (`--check`)."""

import argparse
import sys
from pathlib import Path
from statistics import median

from tests.personas.economics.figures import Persons, Question, persons, questions
from tests.personas.economics.plot import svg

FOLDER = Path(__file__).resolve().parents[3] / "docs"
_WORST = 25


def documents() -> dict[str, str]:
    """Makes both documents; by the file's name."""
    found = persons()
    return {"question-economics.svg": svg(found), "question-economics.md": page(found, questions())}


def page(found: list[Persons], asked: list[Question]) -> str:
    """The page, in Markdown."""
    text = (Path(__file__).with_name("page.md")).read_text()
    return text.format(
        personas="\n".join(_persona_row(row) for row in found),
        median="| median | | {:.0f} | {:.1f} | {:.0f} | {:.1f} |".format(
            *(median(of) for of in zip(*(_numbers(row) for row in found), strict=True))
        ),
        questions="\n".join(_question_row(row) for row in asked[:_WORST]),
        worst=_WORST,
        always=sum(1 for row in asked if row.changed == row.asked),
        asked=len(asked),
        count=len(found),
    )


def _numbers(row: Persons) -> tuple[float, ...]:
    return (row.asked, row.minutes, row.fixed_asked, row.fixed_minutes)


def _persona_row(row: Persons) -> str:
    return (
        f"| {row.name} | {', '.join(row.schemes)} | {row.asked} | {row.minutes:.1f} | {row.fixed_asked}"
        f" | {row.fixed_minutes:.1f} |"
    )


def _question_row(row: Question) -> str:
    return f"| `{row.id}` | {row.seconds} | {row.asked} | {row.changed} | {row.idle_seconds} |"


def stale() -> list[str]:
    """Names of files that are not what would be written now."""
    return [
        name
        for name, text in documents().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]


def main() -> int:
    """Writes, or with --check compares; exits 1 where a file is not fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is not fresh")
    if parser.parse_args().check:
        found = stale()
        sys.stdout.writelines(f"docs is not fresh, run `make economics`: {name}\n" for name in found)
        return 1 if found else 0
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
