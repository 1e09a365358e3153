"""Work items over notices: questions that a council asks back, lists, and how they end."""

from datetime import datetime
from uuid import UUID

from chassis import call
from chassis.conversions import timestamp, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from chassis.vault import Vault
from cms.notifier.v1 import officers_pb2 as pb
from la_notifier.domain.questions import questions_of
from la_notifier.domain.work_items import (
    WorkItem,
    WorkItemFilter,
    WorkItemKind,
    WorkItemOutcome,
    WorkItemPlace,
    WorkItemState,
)
from la_notifier.service import work_items
from la_notifier.service.own_authority import is_council_officer, visible_codes

_PAGE_SIZE, _LARGEST_PAGE = 50, 200
_NOT_EMPTY = Text(en="must not be empty", cy="ni chaiff fod yn wag")


class WorkItemMethods:
    """The methods by which officers see work items and act on them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def AskQuestion(self, request: pb.AskQuestionRequest) -> pb.AskQuestionResponse:
        """Keeps a council officer's question."""
        notice_id = uuid_of(request.notice_id, field="notice_id")
        if not request.question.strip():
            raise InvalidArgument.of(Violation.of("question", _NOT_EMPTY))
        return run_once(
            request,
            lambda conn: work_items.ask(conn, self._vault, notice_id=notice_id, question=request.question),
            lambda item: pb.AskQuestionResponse(work_item=_work_item(item)),
            show_again=lambda conn: work_items.show_again(conn, notice_id),
        )

    def ListWorkItems(self, request: pb.ListWorkItemsRequest) -> pb.ListWorkItemsResponse:
        """Work items in order."""
        wanted = _filter(request)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, UUID)
        after = WorkItemPlace(at=place[0], work_item_id=place[1]) if place else None
        with call.current().database.transaction() as conn:
            found = work_items.list_items(conn, self._vault, wanted, after=after, limit=limit)
        end = found[-1].place if len(found) == limit else None
        return pb.ListWorkItemsResponse(
            work_items=map(_work_item, found),
            next_page_token=token_of(request, end.at, end.work_item_id) if end else "",
        )

    def ResolveWorkItem(self, request: pb.ResolveWorkItemRequest) -> pb.ResolveWorkItemResponse:
        """Ends a work item."""
        work_item_id = uuid_of(request.work_item_id, field="work_item_id")
        outcome = WorkItemOutcome(name_of(pb.WorkItemOutcome, request.outcome, field="outcome"))

        def resolve(conn: Connection) -> WorkItem:
            return work_items.resolve(conn, self._vault, work_item_id, outcome=outcome, answer=request.answer.strip())

        return run_once(
            request,
            resolve,
            lambda item: pb.ResolveWorkItemResponse(work_item=_work_item(item)),
            show_again=lambda conn: work_items.show_item(conn, self._vault, work_item_id),
        )


def _filter(request: pb.ListWorkItemsRequest) -> WorkItemFilter:
    kind = WorkItemKind(name_of(pb.WorkItemKind, request.kind, field="kind")) if request.kind else None
    state = WorkItemState(name_of(pb.WorkItemState, request.state, field="state")) if request.state else None
    return WorkItemFilter(
        state=state or WorkItemState.OPEN,
        authority_codes=visible_codes(request.authority_code),
        kind=WorkItemKind.QUESTION if is_council_officer() else kind,
        claim_ref=request.claim_ref,
    )


def _work_item(item: WorkItem) -> pb.WorkItem:
    return pb.WorkItem(
        work_item_id=str(item.work_item_id),
        kind=number_of(pb.WorkItemKind, item.kind),
        reason=item.reason,
        claim_ref=item.claim_ref,
        notice_id=str(item.notice_id or ""),
        notice_version=item.notice_version or 0,
        authority_code=item.authority_code,
        fields=[pb.RefusedField(field=name, question_ids=questions_of(name)) for name in item.fields],
        words=item.words,
        state=number_of(pb.WorkItemState, item.state),
        owner=item.owner,
        opened=timestamp(item.opened),
        deadline_time=timestamp(item.deadline),
        done=timestamp(item.done),
        done_by=item.done_by,
        outcome=number_of(pb.WorkItemOutcome, item.outcome) if item.outcome else pb.WORK_ITEM_OUTCOME_UNSPECIFIED,
        answer=item.answer,
    )
