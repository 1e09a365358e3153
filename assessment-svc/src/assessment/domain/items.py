"""Items: the facts of a claim that an assessor checks.

An item is a fact at the version of the claim at which it was answered. A check is valid only for that answer: once the
fact is answered anew, it is unchecked again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self


class ItemStatus(StrEnum):
    """The state of an item."""

    UNCHECKED = "UNCHECKED"
    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"
    DISPUTED = "DISPUTED"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The relevant, answered questions of a claim at `version`: for each fact the version at which it was answered.

    `proposed` are the facts with a proposal: a form that the paying systems can hold and that nobody has agreed to yet.
    `groups` name the group of each fact. `schemes` are those of the claim that need the fact; where none are named, all of
    them do.
    """

    version: int
    answered: Mapping[str, int]
    proposed: frozenset[str] = frozenset()
    groups: Mapping[str, str] = field(default_factory=dict)
    schemes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The proof that was seen, and the day."""

    kind: str
    seen_on: date


@dataclass(frozen=True, kw_only=True)
class Check:
    """An assessor's finding on one fact. Of a disputed one, `other` is what is held against the answer, and `reason` why."""

    fact: str
    status: ItemStatus
    evidence: Evidence | None = None
    other: Any = None
    reason: str = ""

    @property
    def says_more(self) -> bool:
        """Whether it says why the fact is in dispute."""
        return self.other is not None or bool(self.reason)


@dataclass(frozen=True, kw_only=True)
class GroupCheck:
    """The finding that every fact of a group is right which nobody has checked yet."""

    group: str
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The assessor who checked, and the time."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Item:
    """A fact to check, as it was answered at `answered_version` of the claim.

    `schemes` are those of the claim that need it; where none are named, all of them do.
    """

    fact: str
    answered_version: int
    schemes: tuple[str, ...] = ()
    status: ItemStatus = ItemStatus.UNCHECKED
    evidence: Evidence | None = None
    checked: Checked | None = None

    @property
    def settled(self) -> bool:
        """Whether the item no longer prevents the confirmation."""
        return self.status in {ItemStatus.CONFIRMED, ItemStatus.CORRECTED}

    def found(self, check: Check, *, checked: Checked) -> Self:
        """The item after this check of its answer. A check that names no document leaves the proof that was seen."""
        return replace(self, status=check.status, evidence=check.evidence or self.evidence, checked=checked)

    def needed_by(self, schemes: Iterable[str]) -> tuple[str, ...]:
        """Those of the schemes that need the fact."""
        return tuple(scheme for scheme in schemes if not self.schemes or scheme in self.schemes)
