"""Writes the documents of docs/api that follow from the contract and the code (`make docs`), or checks them (`--check`)."""

import argparse
import json
import sys
from pathlib import Path

from docs.api.generator import errors, limits, openapi, reference

FOLDER = Path(__file__).resolve().parents[1]


def documents() -> dict[str, str]:
    """Makes every document; by the file's name."""
    described = openapi.document()
    return {
        "openapi.json": json.dumps(described, indent=1, ensure_ascii=False) + "\n",
        "reference.html": reference.page(described) + "\n",
        "errors.md": errors.page(),
        "limits.md": limits.page(),
    }


def stale() -> list[str]:
    """Names of files that are not what would be written now."""
    return [name for name, text in documents().items() if not _is(FOLDER / name, text)]


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def main() -> int:
    """Writes, or with --check compares; exits 1 where a file is not fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is not fresh")
    if parser.parse_args().check:
        found = stale()
        sys.stdout.writelines(f"docs/api is not fresh, run `make docs`: {name}\n" for name in found)
        return 1 if found else 0
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
