"""The objects that the workers of a process share."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.backoff import any_jitter
from chassis.database import Database
from chassis.postcodes import Postcodes
from chassis.vault import Vault
from chassis.workers import Turns
from legacy_gateway.clients import Assessment, Intake
from legacy_gateway.domain import System, Waits
from legacy_gateway.service.connections import Connections
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.systems import FileSystem, PayingSystem, RecordSystem

SEND_WITHIN_SECONDS = 4.0
"""The first byte leaves within this time of the lease, or never."""
_LEASE_BEYOND_REPLY_SECONDS = SEND_WITHIN_SECONDS + 2.0


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The objects that a step uses. `turns` lets one sender of a system at a time look for work.

    `systems` take records one by one, `files` take them by files; an exchange of files lasts `file_seconds` at most.
    """

    database: Database
    vault: Vault
    intake: Intake
    assessment: Assessment
    systems: Mapping[System, RecordSystem]
    files: Mapping[System, FileSystem]
    file_seconds: float
    postcodes: Postcodes
    reply_seconds: float
    time_scale: float
    turns: Mapping[System, Turns]
    presence: Presence
    connections: Connections
    watch: Watch
    clock: DatabaseClock

    @property
    def lease_seconds(self) -> float:
        """How long a lease lasts: longer than a send can take."""
        return self.reply_seconds + _LEASE_BEYOND_REPLY_SECONDS

    @property
    def adapters(self) -> Mapping[System, PayingSystem]:
        """Every system, however it takes records."""
        return {**self.systems, **self.files}

    @property
    def turn_seconds(self) -> float:
        """How long a process keeps the turn at a system's files: longer than the exchanges of a step can take."""
        return 3 * self.file_seconds

    @property
    def waits(self) -> Waits:
        """The waits of this moment, with a jitter of a quarter either way."""
        return Waits(scale=self.time_scale, spread=any_jitter())
