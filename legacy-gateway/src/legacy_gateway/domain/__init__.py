"""Pure: transfers and what becomes of them, claims, the processes that send, and the database's clock."""

from legacy_gateway.domain.claims import (
    Confirmation,
    Facts,
    Leased,
    NewestTransfer,
    ShownTransfer,
    UncarriedScheme,
    sorted_by_carrier,
    standing,
    worst,
)
from legacy_gateway.domain.clock import ClockWatch
from legacy_gateway.domain.senders import MissingSender, NotPresent, ProcessName
from legacy_gateway.domain.systems import Exchange, HeldRecord, Rules, System
from legacy_gateway.domain.transfers import (
    MOST_DEFECTS,
    Action,
    AlreadyLeased,
    LeaseLost,
    RefusalMessage,
    Result,
    State,
    Step,
    SystemAnswer,
    Transfer,
    Waits,
    new_transfer_id,
)
from legacy_gateway.domain.withdrawals import HalfClaim, TransferOfWithdrawn, WithdrawnRecord, held_of_withdrawn

__all__ = [
    "MOST_DEFECTS",
    "Action",
    "AlreadyLeased",
    "ClockWatch",
    "Confirmation",
    "Exchange",
    "Facts",
    "HalfClaim",
    "HeldRecord",
    "LeaseLost",
    "Leased",
    "MissingSender",
    "NewestTransfer",
    "NotPresent",
    "ProcessName",
    "RefusalMessage",
    "Result",
    "Rules",
    "ShownTransfer",
    "State",
    "Step",
    "System",
    "SystemAnswer",
    "Transfer",
    "TransferOfWithdrawn",
    "UncarriedScheme",
    "Waits",
    "WithdrawnRecord",
    "held_of_withdrawn",
    "new_transfer_id",
    "sorted_by_carrier",
    "standing",
    "worst",
]
