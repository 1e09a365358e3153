"""The form of an entry in the list of systems."""

from collections.abc import Callable
from dataclasses import dataclass

from legacy_gateway.config import Settings
from legacy_gateway.domain import Rules
from legacy_gateway.systems.protocol import FileSystem, RecordSystem


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A system that this release feeds. `senders` is the size of its own crew; `connect` makes its adapter."""

    rules: Rules
    senders: Callable[[Settings], int]
    connect: Callable[[Settings], RecordSystem]


@dataclass(frozen=True, kw_only=True)
class DeployedFiles:
    """A system that this release feeds by files. Its crew of `senders` makes the records; one worker exchanges the files."""

    rules: Rules
    senders: Callable[[Settings], int]
    connect: Callable[[Settings], FileSystem]
