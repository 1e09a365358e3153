"""`python -m tests.engine`: measures a whole evaluation of an interview, beside SurveyJS with the same bank and answers.

It needs npm. The figures go into docs/performance.md with --write; the last line is JSON.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from cms_local.layout import ROOT
from tests.engine.case import case
from tests.engine.comparison import Comparison, compare

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- engine: begin -->", "<!-- engine: end -->"


def main() -> None:
    """Measures and prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    given = parser.parse_args()
    found = compare(case(), rounds=given.rounds, folder=Path.cwd() / ".run" / "surveyjs")
    if given.write:
        _write(PAGE, found)
    print(found.table(), file=sys.stderr)
    print(json.dumps(found.row()))


def _write(page: Path, found: Comparison) -> None:
    text = page.read_text(encoding="utf-8")
    table = f"{BEGIN}\n{found.table()}\n{END}"
    page.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: table, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
