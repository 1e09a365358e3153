"""The local authorities that pay housing benefit, by GSS code and date: one that merged is followed to its successor.

The rows are `data/authorities.csv`. Codes and names are those of the Office for National Statistics; the channels are
synthetic: the larger authorities have the API, most others SFTP, the smallest are written to by post.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Self

from chassis.elsewhere import NORTHERN_IRELAND, Elsewhere
from chassis.errors import NotFound, Violation

COLUMNS = ["code", "name", "channel", "valid_from", "valid_until", "successor"]
_CODE = re.compile(r"(E06|E07|E08|E09|W06|S12)[0-9]{6}")
_NORTHERN_IRELAND = "N09"


class NoticeChannel(StrEnum):
    """The way in which notices reach an authority."""

    API = "api"
    SFTP = "sftp"
    POST = "post"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """An authority on a date: its GSS code, its name and its channel."""

    code: str
    name: str
    channel: NoticeChannel


class OutsideGreatBritain(NotFound):
    """The place is outside this service. The message says who to ask; there is nothing to send and nothing to retry."""

    def __init__(self, place: Elsewhere) -> None:
        violation = Violation.of("postcode", place.told)
        super().__init__(place.reason, f"the postcode {place.told.en}", violations=[violation])


class AuthorityUnknown(NotFound):
    """The code is of no authority in the table."""

    def __init__(self, code: str) -> None:
        super().__init__("AUTHORITY_UNKNOWN", f"no local authority has the code {code}", metadata={"authority": code})


@dataclass(frozen=True, kw_only=True)
class AuthorityRow:
    """A line of the table. `valid_until` is the last day. No `valid_from`: since before April 2012."""

    authority: Authority
    valid_from: date | None
    valid_until: date | None
    successor: str | None


class AuthorityTable:
    """The dated table. Raises ValueError, naming the code, where its rows do not hold together."""

    def __init__(self, rows: list[AuthorityRow]) -> None:
        self._rows = {row.authority.code: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError("authorities: a code stands twice")
        for row in rows:
            self._check(row)

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls) -> Self:
        """The table that is part of the chassis."""
        return cls.parse(resources.files("chassis").joinpath("data", "authorities.csv").read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The table from CSV with the header line COLUMNS. Raises ValueError."""
        lines = csv.DictReader(io.StringIO(text), strict=True)
        if lines.fieldnames != COLUMNS:
            raise ValueError(f"authorities: the columns must be {', '.join(COLUMNS)}")
        return cls([_row(line) for line in lines])

    def find(self, code: str, on: date) -> Authority:
        """The authority that holds this district on a day: itself, or what it became.

        A code that began only after that day is answered with itself, because the postcode directory knows today's
        districts alone and using their codes is the project's choice (docs/interfaces/local-authority.md).
        Raises OutsideGreatBritain, AuthorityUnknown.
        """
        if code.startswith(_NORTHERN_IRELAND):
            raise OutsideGreatBritain(NORTHERN_IRELAND)
        row = self._rows.get(code)
        if row is None:
            raise AuthorityUnknown(code)
        while row.valid_until is not None and row.valid_until < on and row.successor is not None:
            row = self._rows[row.successor]
        return row.authority

    def codes(self, on: date) -> frozenset[str]:
        """The codes that are in force on a day."""
        return frozenset(
            code
            for code, row in self._rows.items()
            if (row.valid_from or date.min) <= on <= (row.valid_until or date.max)
        )

    def ended(self, on: date) -> frozenset[str]:
        """The codes that were in force before a day and are not on it."""
        return frozenset(
            code for code, row in self._rows.items() if row.valid_until is not None and row.valid_until < on
        )

    def held_by(self, code: str, on: date) -> frozenset[str]:
        """The code itself and those of the authorities that have merged into it by a day. Raises AuthorityUnknown."""
        if code not in self._rows:
            raise AuthorityUnknown(code)
        return frozenset(other for other in self._rows if other == code or self.find(other, on).code == code)

    def _check(self, row: AuthorityRow) -> None:
        code = row.authority.code
        if (row.valid_until is None) != (row.successor is None):
            raise ValueError(f"authorities: {code} must have both an end and a successor, or neither")
        if row.successor is None or row.valid_until is None:
            return
        successor = self._rows.get(row.successor)
        # A successor that begins the day after the end also keeps the chain from running in a ring.
        if successor is None or successor.valid_from is None or (successor.valid_from - row.valid_until).days != 1:
            raise ValueError(f"authorities: the successor of {code} must begin on the day after its end")


def _row(line: dict[str, str]) -> AuthorityRow:
    code = line["code"]
    if not _CODE.fullmatch(code) or not line["name"]:
        raise ValueError(f"authorities: {code!r} is not a code of Great Britain with a name")
    return AuthorityRow(
        authority=Authority(code=code, name=line["name"], channel=NoticeChannel(line["channel"])),
        valid_from=_day(line["valid_from"]),
        valid_until=_day(line["valid_until"]),
        successor=line["successor"] or None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
