"""What scheduling must know of a claim before it books: that it is open, and when the claimant first made contact."""

from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FailedPrecondition


class ClaimNotOpen(FailedPrecondition):
    """The claim was withdrawn or is closed: there is no interview to hold."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__("CLAIM_NOT_OPEN", "the claim was withdrawn or is closed", metadata={"claim_ref": claim_ref})


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim as intake has it now. `is_open`: it is being taken, or was submitted."""

    claim_ref: str
    is_open: bool
    first_contact_time: datetime
