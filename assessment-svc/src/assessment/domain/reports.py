"""Other services' reports of a claim. The latest report of each kind counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The claim was submitted; it is work from now on. The claimant's first contact starts the first of its clocks."""

    schemes: Sequence[str]
    submit_time: datetime
    first_contact_time: datetime


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """The interview of a claim, as scheduling reported it at `booked_time`."""

    appointment_id: str
    office_code: str
    assessor_id: str
    start_time: datetime
    channel: str
    booked_time: datetime


class Attended(StrEnum):
    """The outcome of an interview."""

    ATTENDED = "ATTENDED"
    MISSED = "MISSED"


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """Whether the claimant came to an interview, or was reached for it. `heard_time`: when scheduling recorded it."""

    appointment_id: str
    outcome: Attended
    start_time: datetime
    heard_time: datetime


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A scheme of the claim was decided; corrections of a decision do not count."""

    scheme: str
    decided_time: datetime


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """When the two clocks of a claim began; None where one has not, or the claim is not known yet."""

    first_contact_time: datetime | None = None
    evidence_complete_time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A paying system holds the claim."""

    system: str
    accepted_time: datetime


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A paying system refused the claim's record; these questions must be corrected until it accepts."""

    system: str
    rejected_time: datetime
    transfer_id: str
    question_ids: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """The claim was withdrawn, whether or not its submission was heard of: nothing may follow from it any more."""

    withdraw_time: datetime
