"""The interface through which the gateway asks the systems that pay, whatever carries the records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from legacy_gateway.domain import HeldRecord, SystemAnswer
from legacy_gateway.domain.batches import DayList, Response, Version


class Asked(Protocol):
    """A system that says what it holds, whether it takes records or files."""

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks what became of a record."""

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        """The records that the system lists under a day, page by page in its order; one that it holds twice is there twice.

        A page is asked for when it is read, so a day of any size takes the memory of one page. Raises Unavailable where the
        list cannot be had now, and ListingChanged where the pages read so far do not belong together: begin again.
        """


class PayingSystem(Asked, Protocol):
    """A system that holds records. `ask` does not raise where the connection or the system fails."""

    def reset(self) -> None:
        """Ends the calls under way and closes every connection. A later call opens one again."""

    def close(self) -> None:
        """Waits for the calls under way and closes every connection, for good."""


class RecordSystem(PayingSystem, Protocol):
    """A system that takes records one by one. `send` and `withdraw` do not raise where the connection or the system fails."""

    def send(self, phase: int, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        """Sends a record once, and no byte after `send_by` (monotonic). NO_REPLY: it may be held; the connection is closed."""

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """Withdraws a first phase that is to be given up. HELD: the system did so, now or before. It may be repeated.

        NotImplementedError where the system's rules say that it cannot.
        """


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file as the system shows it. `answer` is its response with the version that was read.

    `fetched`: the file is gone from where it was put. `duplicate`: the system says that it has taken this sequence.
    """

    answer: tuple[Version, bytes] | None
    fetched: bool
    duplicate: bool


class FileSystem(PayingSystem, Protocol):
    """A system that takes files of records and answers with files. What goes over the network raises Unavailable."""

    def write(self, sequence: int, created: datetime, details: Sequence[tuple[str, bytes]]) -> bytes:
        """The bytes of a file of these transfers with their records. Raises RecordError."""

    def must_fit(self, record: bytes) -> None:
        """Raises RecordError unless the record can go in a file."""

    def put(self, sequence: int, content: bytes) -> None:
        """Puts a whole file where the system fetches it. It may be repeated with the same bytes."""

    def look(self, sequence: int) -> Found:
        """The file as the system shows it."""

    def read(self, answer: bytes) -> Response:
        """A response. Raises NotBelieved."""

    def day_list(self, day: date) -> DayList | None:
        """The list of what is held for a day; None where there is none. Raises NotBelieved."""
