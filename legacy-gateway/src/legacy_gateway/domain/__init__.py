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
    LeaseLost,
    RefusalMessage,
    Result,
    State,
    Step,
    System,
    SystemAnswer,
    Transfer,
    Waits,
    new_transfer_id,
)

__all__ = [
    "LAST_PHASE",
    "MOST_DEFECTS",
    "Action",
    "AlreadyLeased",
    "ClockWatch",
    "Confirmation",
    "Facts",
    "LeaseLost",
    "Leased",
    "MissingSender",
    "NewestTransfer",
    "NotPresent",
    "ProcessName",
    "RefusalMessage",
    "Result",
    "ShownTransfer",
    "State",
    "Step",
    "System",
    "SystemAnswer",
    "Transfer",
    "Waits",
    "new_transfer_id",
    "standing",
    "systems_of",
    "worst",
]
