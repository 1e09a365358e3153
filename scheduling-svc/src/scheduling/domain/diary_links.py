"""The links by which calendar programs read an assessor's diary, and what of the diary they show."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self
from uuid import UUID

from chassis.errors import FailedPrecondition, NotFound, PermissionDenied, ResourceExhausted
from scheduling.domain.appointments import Appointment
from scheduling.domain.offices import Channel, Office
from scheduling.domain.travel import NO_TRAVEL

MOST_LINKS = 5
"""Links of an assessor: one for each of their programs."""
LINK_LASTS = timedelta(days=365)
MOST_READS = 60
"""The readings of a link that are allowed in READS_COUNTED: programs ask every five minutes at the most."""
READS_COUNTED = timedelta(hours=1)
SHOWN_BACK = timedelta(days=28)
"""The time for which an interview stays in the calendar after its day."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkUnknown(NotFound):
    """No link has the id or the token: there never was one, or it is revoked or has expired."""

    def __init__(self) -> None:
        super().__init__("LINK_UNKNOWN", "there is no such link")


class NoDiary(NotFound):
    """The caller is not in the list of assessors."""

    def __init__(self) -> None:
        super().__init__("NO_DIARY", "the token's subject is not in the list of assessors")


class TooManyLinks(FailedPrecondition):
    """The assessor has as many links as there may be."""

    def __init__(self) -> None:
        super().__init__(
            "TOO_MANY_LINKS", f"there are {MOST_LINKS} links already: revoke one that is not used any more"
        )


class OtherAssessor(PermissionDenied):
    """The diary is another assessor's."""

    def __init__(self) -> None:
        super().__init__("OTHER_ASSESSOR", "assessors have links to their own diary only")


class AskedTooOften(ResourceExhausted):
    """The link is read more often than any calendar program needs to."""

    def __init__(self) -> None:
        super().__init__("ASKED_TOO_OFTEN", f"the link was read more than {MOST_READS} times within the hour")


@dataclass(frozen=True, kw_only=True)
class DiaryLink:
    """A link to an assessor's diary. Times are real time; `read_time` is None until a program reads it."""

    link_id: UUID
    assessor_id: str
    create_time: datetime
    expire_time: datetime
    read_time: datetime | None = None


def token_of(secret: bytes) -> str:
    """The token that stands in a link, from 32 bytes that nobody can guess."""
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def path_of(token: str) -> str:
    """The path at the HTTP door that a token opens."""
    return f"/diary/{token}.ics"


def digest_of(token: str) -> bytes:
    """The hash by which a token is found; the token itself is not stored. Raises LinkUnknown for what is no token."""
    if not _TOKEN.fullmatch(token):
        raise LinkUnknown
    return sha256(token.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """An interview as a calendar shows it. It says nothing of the claimant but the claim's reference.

    `travel` is the time of the way to a home visit, and of the way back.
    """

    appointment_id: UUID
    version: int
    claim_ref: str
    start_time: datetime
    end_time: datetime
    channel: Channel
    place: str
    travel: timedelta = NO_TRAVEL

    @classmethod
    def of(cls, appointment: Appointment, office: Office) -> Self:
        """The entry of an interview at this office. The place of a home visit is the claimant's, and not shown."""
        return cls(
            appointment_id=appointment.appointment_id,
            version=appointment.version,
            claim_ref=appointment.claim_ref,
            start_time=appointment.start_time,
            end_time=appointment.end_time,
            channel=appointment.channel,
            travel=appointment.travel,
            place=f"{office.name}, {office.postcode}" if appointment.channel is Channel.OFFICE else "",
        )


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """An assessor's interviews, as calendar programs are given them at a moment."""

    assessor_id: str
    entries: Sequence[CalendarEntry]
    made_time: datetime
