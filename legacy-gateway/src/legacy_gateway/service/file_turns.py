"""The turn at a system's files: one process works on them at a time, and stores nothing once it has lost the turn."""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.database import Connection
from legacy_gateway.domain import Gate, System
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import batches, systems
from legacy_gateway.store.batches import OpenBatch


class Turn:
    """A process's turn. It ends by itself when the process is known to be gone, or after a while."""

    def __init__(self, resources: Resources, system: System, sender_id: int) -> None:
        self._resources = resources
        self._system = system
        self._sender_id = sender_id

    def take(self) -> bool:
        """Takes the turn, or keeps it; False where another process has it."""
        with self._resources.database.transaction() as conn:
            return batches.take_turn(
                conn, self._system, sender_id=self._sender_id, seconds=self._resources.turn_seconds
            )

    def open_batch(self) -> OpenBatch | None:
        """The batch that holds up the next one."""
        with self._resources.database.transaction() as conn:
            return batches.find_open(conn, self._system)

    def gate(self) -> Gate:
        """What stands between the files and their system."""
        with self._resources.database.transaction() as conn:
            return systems.gate(conn, self._system)

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, tuple[int, int]]]:
        """A transaction that keeps the turn, with the last number and sequence that were given. Raises TurnLost."""
        with self._resources.database.transaction() as conn:
            yield conn, batches.must_hold_turn(conn, self._system, sender_id=self._sender_id)
