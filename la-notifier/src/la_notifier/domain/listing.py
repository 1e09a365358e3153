"""The lists for officers: notices, and the clocks that run out."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from la_notifier.domain.notices import NoticeState, NoticeSummary


class Clock(StrEnum):
    """One of the two clocks of one month (docs/interfaces/local-authority.md, "Why it matters").

    INTENTION: the authority must have the intention within one month of the claim for the benefit. CLAIM: it must have the
    claim itself within one month of that intention.
    """

    INTENTION = "INTENTION"
    CLAIM = "CLAIM"


@dataclass(frozen=True, kw_only=True)
class NoticeFilter:
    """Which versions are asked for. `authority_codes` None: of every authority. Without a state: all that are not ended."""

    authority_codes: tuple[str, ...] | None = None
    state: NoticeState | None = None
    is_late: bool = False
    claim_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class NoticePlace:
    """The end of a page of versions."""

    created: datetime
    notice_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class DueWithin:
    """The days, both included, on which a clock runs out."""

    authority_codes: tuple[str, ...] | None
    from_on: date
    until_on: date


@dataclass(frozen=True, kw_only=True)
class DuePlace:
    """The end of a page of due notices."""

    due_on: date
    notice_id: UUID
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class NoticeDue:
    """A clock that runs, and the newest version of its notice."""

    clock: Clock
    due_on: date
    notice: NoticeSummary
