"""Work for a person over notices: refusals, questions that a council asks back, and referrals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, NotFound


class WorkItemKind(StrEnum):
    """The source of a work item."""

    REFUSAL = "REFUSAL"
    QUESTION = "QUESTION"
    REFERRAL = "REFERRAL"


class WorkItemReason(StrEnum):
    """The reason why a person has to see to it. Referrals have reasons of their own."""

    FIELDS_REFUSED = "FIELDS_REFUSED"
    """The authority's API or file refused the notice."""
    REFUSAL_RECORDED = "REFUSAL_RECORDED"
    """A person recorded that the authority refused the notice."""
    FILE_NOT_ANSWERED = "FILE_NOT_ANSWERED"
    """Two files were answered without the notice, or one was sent three times and never answered."""
    QUESTION_ASKED = "QUESTION_ASKED"


class WorkItemState(StrEnum):
    """The state of a work item. DONE is final."""

    OPEN = "OPEN"
    DONE = "DONE"


class WorkItemOutcome(StrEnum):
    """How a work item ended."""

    CORRECTED = "CORRECTED"
    """The claim was corrected; a refused notice gets its next version from that."""
    ANSWERED = "ANSWERED"
    """The council's question was answered."""
    SETTLED_WITH_COUNCIL = "SETTLED_WITH_COUNCIL"
    """An officer settled it with the council: nothing has to be corrected."""
    NOT_NEEDED = "NOT_NEEDED"
    """There was nothing to do."""
    FOLLOWED = "FOLLOWED"
    """The platform itself ended it: a later version followed the refused one, or the council has said more of it."""


class WorkItemUnknown(NotFound):
    """There is no such work item."""

    def __init__(self) -> None:
        super().__init__("WORK_ITEM_UNKNOWN", "there is no such work item")


class WorkItemDone(FailedPrecondition):
    """The work item was ended already."""

    def __init__(self, outcome: WorkItemOutcome) -> None:
        super().__init__("WORK_ITEM_DONE", f"the work item is done: {outcome}")


@dataclass(frozen=True, kw_only=True)
class WorkItemPlace:
    """The end of a page of work items. `at` is the deadline of an open one, the end of one that is done."""

    at: datetime
    work_item_id: UUID


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """A work item. `notice_id` and `notice_version` are None where it is about no notice; `fields` are the notice's.

    `words` is what the council wrote, `answer` what the officer wrote; both are empty where nobody wrote anything.
    """

    work_item_id: UUID
    kind: WorkItemKind
    reason: str
    claim_ref: str
    notice_id: UUID | None
    notice_version: int | None
    authority_code: str
    fields: tuple[str, ...]
    words: str
    state: WorkItemState
    owner: str
    opened: datetime
    deadline: datetime
    done: datetime | None
    done_by: str
    outcome: WorkItemOutcome | None
    answer: str

    @property
    def place(self) -> WorkItemPlace:
        """Its place in a list of its state."""
        return WorkItemPlace(at=self.done or self.deadline, work_item_id=self.work_item_id)

    def expect_open(self) -> None:
        """Raises WorkItemDone where it was ended already."""
        if self.outcome is not None:
            raise WorkItemDone(self.outcome)


@dataclass(frozen=True, kw_only=True)
class WorkItemFilter:
    """Which work items are asked for. `authority_codes` None: of every authority."""

    state: WorkItemState = WorkItemState.OPEN
    authority_codes: tuple[str, ...] | None = None
    kind: WorkItemKind | None = None
    claim_ref: str = ""
