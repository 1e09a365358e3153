"""Facts in dispute: the claimant's version stays in intake's record, and the other version is kept beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from assessment.domain.assessments import Assessment
from assessment.domain.items import Check, Checked, ItemStatus


class Outcome(StrEnum):
    """How a dispute ended. DROPPED: the fact was answered anew, is gone, or is to be checked or disputed anew."""

    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"
    DROPPED = "DROPPED"


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute about the answer of `answered_version`. `number`: the assessment's version with which it was raised.

    `other` is what is held against the answer, as JSON, and `reason` why; both are the claimant's data.
    """

    fact: str
    number: int
    answered_version: int
    other: Any = None
    reason: str = ""
    raised: Checked
    outcome: Outcome | None = None
    settled_by: str | None = None
    settled_time: datetime | None = None


def raised(before: Assessment, after: Assessment, checks: Iterable[Check], *, by: Checked) -> list[Dispute]:
    """The disputes that these checks raise. A check that doubts a disputed fact again, and says nothing new, raises none."""
    return [
        Dispute(
            fact=check.fact,
            number=after.version,
            answered_version=after.items[check.fact].answered_version,
            other=check.other,
            reason=check.reason,
            raised=by,
        )
        for check in checks
        if _is_disputed(after, check.fact) and after.items[check.fact].checked == by
        if not _is_disputed(before, check.fact) or check.says_more
    ]


def settled(before: Assessment, after: Assessment, new: Sequence[Dispute]) -> dict[str, Outcome]:
    """How the disputes end that are over, by fact."""
    again = {dispute.fact for dispute in new}
    return {
        fact: _outcome(after, fact)
        for fact in before.items
        if _is_disputed(before, fact) and (fact in again or not _is_disputed(after, fact))
    }


def _is_disputed(assessment: Assessment, fact: str) -> bool:
    return fact in assessment.items and assessment.items[fact].status is ItemStatus.DISPUTED


def _outcome(after: Assessment, fact: str) -> Outcome:
    if fact not in after.items:
        return Outcome.DROPPED
    ends = {ItemStatus.CONFIRMED: Outcome.CONFIRMED, ItemStatus.CORRECTED: Outcome.CORRECTED}
    return ends.get(after.items[fact].status, Outcome.DROPPED)
