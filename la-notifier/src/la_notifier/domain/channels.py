"""The differences between channels, as data (docs/interfaces/local-authority.md, "How it is told")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Channel(StrEnum):
    """A way in which notices reach an authority."""

    API = "API"
    SFTP = "SFTP"
    POST = "POST"


@dataclass(frozen=True, kw_only=True)
class Within:
    """How long something may take: so long by the clock, or so many working days of the authority's nation."""

    length: timedelta = timedelta()
    working_days: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a version of a notice counts as late.

    `to_send` is counted from the moment that the version was made; `to_receive`, until the authority gave a receipt, and
    `to_load`, until it said LOADED, from the moment that the version was sent.
    """

    to_send: Within
    to_receive: Within
    to_load: Within


LIMITS: Mapping[Channel, Limits] = {
    Channel.API: Limits(
        to_send=Within(length=timedelta(seconds=60)),
        to_receive=Within(length=timedelta(hours=4)),
        to_load=Within(length=timedelta(days=1)),
    ),
    # With the next cycle, which comes every 30 minutes and takes some; the acknowledgement is the receipt and says LOADED.
    Channel.SFTP: Limits(
        to_send=Within(length=timedelta(minutes=35)),
        to_receive=Within(working_days=1),
        to_load=Within(working_days=1),
    ),
    # Printed the next working day; a person records the receipt.
    Channel.POST: Limits(
        to_send=Within(working_days=1),
        to_receive=Within(working_days=5),
        to_load=Within(working_days=5),
    ),
}
