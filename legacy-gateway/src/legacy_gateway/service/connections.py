"""Sharing out a system's connections among all processes: each opens only those that it has claimed.

A claim belongs to the process's lock (`presence`), so that what a process had is free once it is known to be gone. Who comes
first has its fill; a process without any sends to that system nothing.
"""

import threading
from collections.abc import Mapping
from typing import Protocol

from chassis import logs
from chassis.database import Database
from legacy_gateway.domain import Rules, System
from legacy_gateway.service.presence import Presence
from legacy_gateway.store import slots


class Limited(Protocol):
    """An adapter whose system takes only so many connections."""

    @property
    def rules(self) -> Rules:
        """Its system's rules."""

    @property
    def connections(self) -> int:
        """How many it would open."""

    def allow(self, count: int) -> None:
        """Lets it open so many. 0 ends the calls under way, and closes all."""


class Connections:
    """The connections that this process has claimed."""

    def __init__(self, adapters: Mapping[System, Limited]) -> None:
        self._adapters = adapters
        self._lock = threading.Lock()
        self._claimed: dict[System, int] = {}
        self._owner: int | None = None

    def may_call(self, system: System) -> bool:
        """Whether a call to the system has a connection; always where its system counts none."""
        return system not in self._adapters or self._claimed.get(system, 0) > 0

    def keep(self, database: Database, presence: Presence) -> bool:
        """Claims what the process does not have yet of what it wants. Call it again and again: others give theirs up."""
        sender_id = presence.sender_id
        with self._lock:
            if sender_id != self._owner:
                self._end()
            if sender_id is None:
                return False
            self._owner = sender_id
            for system, adapter in self._adapters.items():
                self._claim(database, system, adapter, sender_id)
        return False

    def give_up(self) -> None:
        """Ends every call under way: the process loses its lock, and others may take its connections."""
        with self._lock:
            self._end()

    def _claim(self, database: Database, system: System, adapter: Limited, sender_id: int) -> None:
        had = self._claimed.get(system, 0)
        wanted = adapter.connections - had
        if not wanted:
            return
        with database.transaction() as conn:
            most = adapter.rules.most_connections
            got = slots.claim(conn, system, sender_id=sender_id, wanted=wanted, most=most)
        if got:
            adapter.allow(had + got)
            self._claimed[system] = had + got
            logs.get().info("connections claimed", system=system, count=had + got)

    def _end(self) -> None:
        self._owner = None
        self._claimed.clear()
        for adapter in self._adapters.values():
            adapter.allow(0)
