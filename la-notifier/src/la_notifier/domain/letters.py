"""Letters: what one says, and its way through the print queue.

A letter WAITS until a person marks it PRINTED. One whose matter has ended before that is CANCELLED.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.bank_holidays import Nation, is_bank_holiday

_SATURDAY = 5
KEPT_AFTER_PRINTING = timedelta(days=28)
"""How long a printed letter can be printed once more."""


class Recipient(StrEnum):
    """The kind of recipient of a letter."""

    COUNCIL = "COUNCIL"
    CLAIMANT = "CLAIMANT"


class LetterState(StrEnum):
    """The state of a letter in the print queue."""

    WAITING = "WAITING"
    PRINTED = "PRINTED"
    CANCELLED = "CANCELLED"


class PrintOutcome(StrEnum):
    """The outcome of marking a letter as printed."""

    PRINTED = "PRINTED"
    PRINTED_BEFORE = "PRINTED_BEFORE"
    CANCELLED = "CANCELLED"
    """Its matter has ended: take it out of the post."""
    NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a letter: rows of a name and what stands for it, and paragraphs below them."""

    heading: str = ""
    rows: Sequence[tuple[str, str]] = ()
    paragraphs: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The text of a letter in its language, EN or CY. `to` are the lines of the address, `reference` is for an answer to quote.

    `large_print` is for people who asked for it.
    """

    language: str
    to: Sequence[str]
    reference: str
    day: date
    heading: str
    sections: Sequence[Section]
    large_print: bool = False


@dataclass(frozen=True, kw_only=True)
class QueuedLetter:
    """A letter in the print queue.

    `about` is the kind of its notice or message. The fields of a notice are None for a claimant's letter.
    """

    letter_id: UUID
    recipient: Recipient
    claim_ref: str
    about: str
    language: str
    due_on: date
    created: datetime
    state: LetterState = LetterState.WAITING
    authority_code: str | None = None
    notice_id: UUID | None = None
    version: int | None = None
    printed: datetime | None = None


def next_working_day(day: date, nation: Nation) -> date:
    """The working day after a day: no weekend and no bank holiday of the nation."""
    after = day + timedelta(days=1)
    while after.weekday() >= _SATURDAY or is_bank_holiday(after, nation):
        after += timedelta(days=1)
    return after
