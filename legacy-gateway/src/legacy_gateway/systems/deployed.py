"""The form of an entry in the list of systems."""

from collections.abc import Callable
from dataclasses import dataclass

from legacy_gateway.config import Settings
from legacy_gateway.domain import Rules
from legacy_gateway.systems.protocol import RecordSystem


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A system that this release feeds. `senders` is the size of its own crew; `connect` makes its adapter."""

    rules: Rules
    senders: Callable[[Settings], int]
    connect: Callable[[Settings], RecordSystem]
