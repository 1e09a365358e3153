"""The files of the channel SFTP.

A file is BUILT with a sequence of its authority's own, SENT once it lies in in/, and at its end ACKNOWLEDGED.
A file is finished when the authority has answered for each of its rows. One that is not answered is asked about by sending it
again, with the same bytes under the same sequence: the authority then acknowledges as before and loads nothing twice. Where it
answers again without some of the rows, it always will, and those rows are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from chassis import backoff
from chassis.cleaning import line
from la_notifier.domain.notices import Saying, Waits, Word

MOST_ROWS = 1000
"""Rows of a file. What waits beyond them goes with the next cycle, so that a backlog does not flood an authority."""
_UPLOADS = 2
"""A row that is missing in the answers to so many uploads is left out."""
_FIRST_ASK_SECONDS, _LONGEST_ASK_SECONDS = 4 * 3600.0, 24 * 3600.0
_LATER_VERSION = "LATER VERSION HELD"
_MOST_UPLOADS = 3
_LONGEST_WORDS = 1000


class FileState(StrEnum):
    """The state of a file."""

    BUILT = "BUILT"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that is not acknowledged yet. `is_ask_due`: no answer for some of its rows came for long enough."""

    authority_code: str
    sequence: int
    state: FileState
    row_count: int
    uploads: int
    is_ask_due: bool

    @property
    def was_repeated(self) -> bool:
        """Whether it was sent once more, so that an answer without a row is no slip."""
        return self.uploads >= _UPLOADS

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return f"HB.{self.authority_code}.{self.sequence:06d}"

    @property
    def needs_a_person(self) -> bool:
        """Whether the authority was asked by the file twice, and the answer to the second time is overdue."""
        return self.is_ask_due and self.uploads >= _MOST_UPLOADS


@dataclass(frozen=True, kw_only=True)
class AckRow:
    """A row of an acknowledgement: what the authority says of a version. `fields` are those that its reason names."""

    notice_id: UUID
    version: int
    is_loaded: bool
    reason: str
    fields: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The reason as a line of text; it may quote the claimant."""
        return line("".join(one if one.isprintable() else " " for one in self.reason))[:_LONGEST_WORDS]

    @property
    def word(self) -> Word:
        """The meaning of the row for the version."""
        if self.is_loaded:
            return Word(saying=Saying.LOADED)
        if self.reason.strip().upper() == _LATER_VERSION:
            return Word(saying=Saying.LATER_VERSION_HELD)
        return Word(saying=Saying.REFUSED, refused_fields=tuple(self.fields))


def seconds_until_asked(uploads: int, waits: Waits) -> float:
    """Seconds after so many uploads until the file is sent again for want of an answer: four hours, doubled to a day."""
    scale = waits.jitter * waits.scale
    return backoff.seconds(uploads, first=_FIRST_ASK_SECONDS, longest=_LONGEST_ASK_SECONDS, jitter=scale)


def seconds_until_cycle(now: float, cycle_seconds: float) -> float:
    """Seconds until the next cycle. Cycles begin at the multiples of their length, so that all authorities have the same."""
    return cycle_seconds - now % cycle_seconds
