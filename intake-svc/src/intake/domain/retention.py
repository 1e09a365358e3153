"""How long claims are kept. docs/adr/0083-erasure-destroys-the-key.md gives the reasons."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

KEPT_MONTHS = 24
"""So long after its last live day, or after a later call about it, a claim is kept."""
LARGEST_BATCH = 500
"""Claims that one request erases, in one transaction."""


def kept_since(now: datetime) -> datetime:
    """The moment from which on claims that ended are still kept: 24 calendar months ago.

    On a 29 February the day before it, where that year has none.
    """
    year = now.year - KEPT_MONTHS // 12
    try:
        return now.replace(year=year)
    except ValueError:
        return now.replace(year=year, day=28)


@dataclass(frozen=True, kw_only=True)
class LegalHold:
    """An order to keep a claim for longer than its time."""

    hold_id: UUID
    claim_ref: str
    reason: str
    placed_by: str
    placed_time: datetime
    lifted_by: str | None = None
    lifted_time: datetime | None = None

    def lifted(self, *, by: str, at: datetime) -> "LegalHold":
        """The hold as it is lifted."""
        return replace(self, lifted_by=by, lifted_time=at)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The counts of an erasure: claims that it erased, that are still to be erased, and that are held."""

    erased: int
    due: int
    held: int
