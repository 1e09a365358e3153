"""For tests: the councils on free ports, and files of notices."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulators.councils.batch import BatchFiles
from simulators.councils.notice_fields import load_notice_fields
from simulators.settings import CouncilsSettings, read_settings
from simulators.sftp.testing import make_keys

NEVER = 86_400.0


def councils_settings(folder: Path, secrets: Path, **given: Any) -> CouncilsSettings:
    """Free ports, notices loaded at once, and files taken when `POST /cycle` at the control door says so.

    In `folder`: `councils/` with the ledger, and the keys of `make_keys`, with which a client comes in.
    """
    keys = make_keys(folder)
    usual = {
        "port": 0,
        "sftp_port": 0,
        "control_port": 0,
        "data": folder / "councils",
        "secrets": secrets,
        "load_seconds": 0.05,
        "host_key": keys["host_key"],
        "authorized_keys": keys["authorized_keys"],
        "cycle_seconds": NEVER,
    }
    return read_settings(CouncilsSettings, **usual | given)


def notice_file(notices: Iterable[Mapping[str, Any]], *, count: int | None = None, sha256: str | None = None) -> bytes:
    """A file of these notices; `count` and `sha256` put wrong ones in the place of the right ones."""
    columns = BatchFiles(load_notice_fields()).columns
    rows = [[_cell(notice, path) for path in columns.values()] for notice in notices]
    lines = _lines([list(columns), *rows])
    right = hashlib.sha256(lines).hexdigest()
    return lines + _lines([["TRAILER", str(len(rows) if count is None else count), sha256 or right]])


def _cell(notice: Mapping[str, Any], path: str) -> str:
    value: Any = notice
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _lines(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
