"""Reviews of a claim, which decide whether an authority needs a notice, and referrals to a processing officer."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class HeardEvent:
    """An event of a claim, and the claim's version to which it belongs."""

    event_id: UUID
    version: int
    occurred_time: datetime


class RedirectReason(StrEnum):
    """The reason of an officer for sending a notice to another authority."""

    AUTHORITY_REFUSED = "AUTHORITY_REFUSED"
    AUTHORITY_SAID = "AUTHORITY_SAID"
    CLAIMANT_SAID = "CLAIMANT_SAID"
    OTHER = "OTHER"


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """The authority to which an officer sent a claim, for the address that the claim had at `claim_version`."""

    authority_code: str
    claim_version: int


@dataclass(frozen=True, kw_only=True)
class Review:
    """A claim under review. `intention_on` is the day that an earlier review found, None where none did.

    `is_decided`: a decision on it was heard of, which the gateway can be asked for. `ended` are the schemes that ended without
    one, each with the day.
    """

    claim_ref: str
    lease: UUID
    attempts: int
    heard: tuple[HeardEvent, ...]
    intention_on: date | None
    is_decided: bool = False
    redirect: Redirect | None = None
    ended: tuple[tuple[str, date], ...] = ()


class ReferralReason(StrEnum):
    """The reason why a processing officer has to see that the right authority knows of a claim."""

    NORTHERN_IRELAND = "NORTHERN_IRELAND"
    POSTCODE_UNKNOWN = "POSTCODE_UNKNOWN"
    AUTHORITY_UNKNOWN = "AUTHORITY_UNKNOWN"
    MOVED_AWAY = "MOVED_AWAY"
    NO_LONGER_SOUGHT = "NO_LONGER_SOUGHT"
    FACTS_MISSING = "FACTS_MISSING"


@dataclass(frozen=True, kw_only=True)
class Referral:
    """A matter for a processing officer. `authority_code` is empty where no authority was found."""

    authority_code: str
    reason: ReferralReason
    since: datetime
