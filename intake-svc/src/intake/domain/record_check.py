"""A check of the records that a claim would send: what would keep them from being sent."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from chassis.errors import Text


@dataclass(frozen=True, kw_only=True)
class RecordFinding:
    """Something that would keep a record from being sent, with what to ask the claimant. `code` is the edit rule's."""

    system: str
    code: str
    field: str
    question_id: str
    ask: Text
    needs_person: bool


@dataclass(frozen=True, kw_only=True)
class RecordCheck:
    """The findings; `made` is False where the check could not be made just now."""

    made: bool
    findings: tuple[RecordFinding, ...] = ()

    def of_answered(self, questions: Collection[str]) -> "RecordCheck":
        """The check without questions that were not asked yet, which the interview shows as open by itself."""
        return replace(self, findings=tuple(one for one in self.findings if one.question_id in questions))
