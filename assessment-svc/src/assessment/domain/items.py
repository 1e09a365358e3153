"""Items: the facts of a claim that an assessor checks.

An item is a fact at the version of the claim at which it was answered. A check is valid only for that answer: once the
fact is answered anew, it is unchecked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ItemStatus(StrEnum):
    """Where an item stands."""

    UNCHECKED = "UNCHECKED"
    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"
    DISPUTED = "DISPUTED"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The relevant, answered questions of a claim at `version`: for each fact the version at which it was answered.

    `proposed` are those that wait for agreement to the form that the paying systems can hold.
    """

    version: int
    answered: Mapping[str, int]
    proposed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen as proof, and on which day."""

    kind: str
    seen_on: date


@dataclass(frozen=True, kw_only=True)
class Check:
    """What an assessor found of one fact."""

    fact: str
    status: ItemStatus
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Who checked, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Item:
    """A fact to check, as it was answered at `answered_version` of the claim."""

    fact: str
    answered_version: int
    status: ItemStatus = ItemStatus.UNCHECKED
    evidence: Evidence | None = None
    checked: Checked | None = None

    @property
    def settled(self) -> bool:
        """Whether it stands in the way of confirmation no longer."""
        return self.status in {ItemStatus.CONFIRMED, ItemStatus.CORRECTED}
