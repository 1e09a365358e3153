"""Searches for claims, by HMACs of facts that are stored encrypted."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class LookUps:
    """HMACs of the NINO, of surname with date of birth, and of the postcode; None where the fact is not known."""

    nino: bytes | None = None
    person: bytes | None = None
    postcode: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Search:
    """Criteria for a list, newest first; None does not narrow it. `after` is the place where the last page ended."""

    look_ups: LookUps
    state: str | None
    office: str | None
    after: tuple[datetime, str] | None
    limit: int
