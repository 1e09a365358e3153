"""An event is a hint: a record is made only of what the owners of a claim vouch for, asked at that moment. Pure.

ADR 51 gives the reasons.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from legacy_gateway.domain.claims import Facts
from legacy_gateway.domain.transfers import RefusalMessage, Transfer

_SUBMITTED, _WITHDRAWN = "SUBMITTED", "WITHDRAWN"


@dataclass(frozen=True, kw_only=True)
class SchemeConfirmation:
    """assessment-svc's own record of a scheme's confirmation, at a version of the claim."""

    scheme: str
    claim_version: int
    office_code: str
    assessor_id: str
    loan_amount: str = ""
    """The crisis loan that was offered, in pounds; empty for other schemes."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """The basis of a record: the facts of a version, and the office and the person who stand for them."""

    facts: Facts
    office_code: str
    assessor_id: str
    loan_amount: str = ""


class Doubt(StrEnum):
    """The reason for not making a record."""

    NOT_CONFIRMED = "GW0006"
    """assessment-svc knows no confirmation of the system's scheme at this version or before it."""
    NOT_SUBMITTED = "GW0007"
    """For intake the claim is not submitted, or is closed already."""


_WORDS = {
    Doubt.NOT_CONFIRMED: "the assessment knows no confirmation of this scheme at this version of the claim",
    Doubt.NOT_SUBMITTED: "the claim is not submitted, or is closed",
}


class Unvouched(Exception):
    """The owners of the claim do not stand for a record that an event asked for. A person finds out why."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__(doubt.name)
        self.doubt = doubt

    @property
    def reason(self) -> str:
        """The reason, fit for a log and the label of a metric."""
        return self.doubt.name

    @property
    def messages(self) -> tuple[RefusalMessage, ...]:
        """The messages that staff are shown."""
        return (RefusalMessage(code=self.doubt, field="", text=_WORDS[self.doubt], question_id=""),)


class Withdrawn(Exception):
    """For intake the claim is withdrawn: its event is on its way, and cancels the transfer."""

    reason = "CLAIM_WITHDRAWN"


def confirmation_for(transfer: Transfer, confirmations: Iterable[SchemeConfirmation]) -> SchemeConfirmation:
    """The confirmation on which a transfer rests. Raises Unvouched.

    It is that of the system's scheme, at the transfer's version or an earlier one: what came between are amendments, and
    intake keeps who made each of them.
    """
    for confirmation in confirmations:
        if confirmation.scheme in transfer.rules.schemes and confirmation.claim_version <= transfer.claim_version:
            return confirmation
    raise Unvouched(Doubt.NOT_CONFIRMED)


def check_submitted(claim_state: str) -> None:
    """Raises Unvouched or Withdrawn unless intake says that the claim is submitted. `claim_state` is its name for the state."""
    if claim_state == _WITHDRAWN:
        raise Withdrawn
    if claim_state != _SUBMITTED:
        raise Unvouched(Doubt.NOT_SUBMITTED)
