"""What the gateway asks of a system that takes records one by one, whatever carries them."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from legacy_gateway.domain import HeldRecord, SystemAnswer


class Asked(Protocol):
    """A system that says what it holds, whether it takes records or files."""

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks what became of a record."""

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        """The records that the system lists under a day, page by page in its order; one that it holds twice is there twice.

        A page is asked for when it is read, so a day of any size takes the memory of one page. Raises Unavailable where the
        list cannot be had now, and ListingChanged where the pages read so far do not belong together: begin again.
        """


class RecordSystem(Asked, Protocol):
    """A system that holds records. `send`, `ask` and `withdraw` do not raise where the connection or the system fails."""

    def send(self, phase: int, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        """Sends a record once, and no byte after `send_by` (monotonic). NO_REPLY: it may be held; the connection is closed."""

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """Withdraws a first phase that is to be given up. HELD: the system did so, now or before. It may be repeated.

        NotImplementedError where the system's rules say that it cannot.
        """

    def reset(self) -> None:
        """Ends the calls under way and closes every connection. A later call opens one again."""

    def close(self) -> None:
        """Waits for the calls under way and closes every connection, for good."""
