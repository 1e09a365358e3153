"""A record that a mainframe holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

HELD, WITHDRAWN, LOST = "held", "withdrawn", "lost"
"""The states of a record that was held."""
_NAMES = ("dialogue", "transfer_id", "claim_ref", "action", "legacy_ref", "nino_hmac", "payload_sha256")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A record that was held. `first_reference` is a second phase's word for its first; `until_night`: then lost."""

    dialogue: str
    transfer_id: str
    claim_ref: str
    action: str
    legacy_ref: str
    received: datetime
    nino_hmac: str
    payload_sha256: str
    first_reference: str
    until_night: bool
    visible_at: float
    """When the enquiry knows of it, on the monotonic clock."""

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], *, visible_at: float) -> Self:
        """Made of a line of the ledger."""
        return cls(
            **{name: entry[name] for name in _NAMES},
            received=datetime.fromisoformat(entry["received"]),
            first_reference=entry["first_reference"],
            until_night=entry["until_night"],
            visible_at=visible_at,
        )
