"""Holds a bill of materials (CycloneDX) against uv.lock: it names every package in the version that is locked.

python -m docs.bill_of_materials FILE
"""

import json
import sys
import tomllib
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "uv.lock"


def missing(bill: Path) -> set[str]:
    """The packages of uv.lock, with their versions, that the bill does not name. Raises OSError, ValueError, KeyError."""
    named = {(part["name"], part.get("version")) for part in json.loads(bill.read_text())["components"]}
    locked = {(package["name"], package.get("version")) for package in tomllib.loads(LOCK.read_text())["package"]}
    return {f"{name} {version}" for name, version in locked - named}


def main(bill: Path) -> int:
    """Prints what is missing; exits with 1 where anything is."""
    found = sorted(missing(bill))
    sys.stdout.writelines(f"the bill of materials lacks {package}\n" for package in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
