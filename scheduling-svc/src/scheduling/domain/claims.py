"""A claim as far as a booking needs it: whether it is open, and the first contact."""

from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FailedPrecondition


class ClaimNotOpen(FailedPrecondition):
    """The claim was withdrawn or is closed, so it needs no interview."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__("CLAIM_NOT_OPEN", "the claim was withdrawn or is closed", metadata={"claim_ref": claim_ref})


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim as intake has it now. It is open while it is a draft or submitted."""

    claim_ref: str
    is_open: bool
    first_contact_time: datetime
