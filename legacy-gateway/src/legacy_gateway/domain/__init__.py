"""Pure: transfers and what becomes of them, claims, the processes that send, and the database's clock."""

from legacy_gateway.domain.claims import (
    Confirmation,
    Facts,
    Leased,
    NewestTransfer,
    ShownTransfer,
    standing,
    systems_of,
    worst,
)
from legacy_gateway.domain.clock import ClockWatch
from legacy_gateway.domain.senders import MissingSender, NotPresent, ProcessName
from legacy_gateway.domain.transfers import (
    LAST_PHASE,
    MOST_DEFECTS,
    Action,
    AlreadyLeased,
    Answer,
    LeaseLost,
    Message,
    Result,
    State,
    Step,
    System,
    Transfer,
    Waits,
    new_transfer_id,
)

__all__ = [
    "LAST_PHASE",
    "MOST_DEFECTS",
    "Action",
    "AlreadyLeased",
    "Answer",
    "ClockWatch",
    "Confirmation",
    "Facts",
    "LeaseLost",
    "Leased",
    "Message",
    "MissingSender",
    "NewestTransfer",
    "NotPresent",
    "ProcessName",
    "Result",
    "ShownTransfer",
    "State",
    "Step",
    "System",
    "Transfer",
    "Waits",
    "new_transfer_id",
    "standing",
    "systems_of",
    "worst",
]
