"""The turn at a system's files: one process works on them at a time, and stores nothing once it has lost the turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.database import Connection
from legacy_gateway.domain import Gate, System
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import batches, systems
from legacy_gateway.store.batches import OpenBatch


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The gate between the files and their system, and the batch that holds up the next one."""

    gate: Gate
    found: OpenBatch | None


class Turn:
    """A process's turn. It ends by itself when the process is known to be gone, or after a while."""

    def __init__(self, resources: Resources, system: System, sender_id: int) -> None:
        self._resources = resources
        self._system = system
        self._sender_id = sender_id

    def take(self) -> Standing | None:
        """Takes the turn, or keeps it, and shows where the exchange stands; None where another process has the turn."""
        with self._resources.database.transaction() as conn:
            seconds = self._resources.turn_seconds
            if not batches.take_turn(conn, self._system, sender_id=self._sender_id, seconds=seconds):
                return None
            return Standing(gate=systems.gate(conn, self._system), found=batches.find_open(conn, self._system))

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, tuple[int, int]]]:
        """A transaction that keeps the turn, with the last number and sequence that were given. Raises TurnLost."""
        with self._resources.database.transaction() as conn:
            yield conn, batches.must_hold_turn(conn, self._system, sender_id=self._sender_id)
