"""The methods of the repair desk: lists of transfers, causes of rejections, histories, and what persons do with transfers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from chassis import call
from chassis.cleaning import line
from chassis.conversions import time_of, timestamp, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.gateway.v1 import desk_pb2, gateway_pb2
from legacy_gateway.amending import Amending
from legacy_gateway.domain import State, System
from legacy_gateway.domain.desk import Act, ActKind, Filter, Outcome, Place, Result
from legacy_gateway.grpc_api.check_methods import words
from legacy_gateway.grpc_api.transfer_messages import transfer_message
from legacy_gateway.service import acts, corrections, desk
from legacy_gateway.service.acts import Done
from legacy_gateway.service.corrections import Correction
from legacy_gateway.service.desk import Cause

_PAGE_SIZE, _LARGEST_PAGE = 50, 200
_ACTS_PAGE, _LARGEST_ACTS_PAGE = 20, 100
_USUAL_RATE, _FASTEST_RATE = 600, 6000
_LAST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))

_ONE_OF_BOTH = Text(en="name transfers or a filter, and not both", cy="enwch drosglwyddiadau neu hidlydd, nid y ddau")
_TOO_WIDE = Text(
    en="must name a system, a state or a cause of rejections",
    cy="rhaid iddo enwi system, cyflwr neu achos gwrthod",
)
_RATE = Text(en=f"must be from 0 to {_FASTEST_RATE}", cy=f"rhaid iddo fod rhwng 0 a {_FASTEST_RATE}")
_NOT_A_LINE = Text(en="must be a line of text", cy="rhaid iddo fod yn llinell o destun")
_NOT_A_STATE = Text(en="only REJECTED has causes", cy="dim ond REJECTED sydd ag achosion")


class DeskMethods:
    """The methods by which processing officers and support see many transfers and act on them."""

    def __init__(self, vault: Vault, amending: Amending) -> None:
        self._vault = vault
        self._amending = amending

    def ListTransfers(self, request: gateway_pb2.ListTransfersRequest) -> gateway_pb2.ListTransfersResponse:
        """Transfers of many claims, the oldest first."""
        wanted = _filter(request, field="")
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, str)
        after = None if place is None else Place(since=place[0], transfer_id=place[1])
        with call.current().database.transaction() as conn:
            page = desk.list_transfers(conn, self._vault, wanted, after=after, limit=limit)
        return gateway_pb2.ListTransfersResponse(
            transfers=[transfer_message(shown) for shown in page.transfers],
            next_page_token=token_of(request, page.end.since, page.end.transfer_id) if page.end else "",
        )

    def ListRejections(self, request: desk_pb2.ListRejectionsRequest) -> desk_pb2.ListRejectionsResponse:
        """Counts the refused records that wait for a correction, by the cause of the refusal."""
        system = _system(request.system, field="system")
        with call.current().database.transaction() as conn:
            causes = desk.list_rejections(conn, system)
        return desk_pb2.ListRejectionsResponse(groups=[_group(cause) for cause in causes])

    def GetTransferHistory(
        self, request: gateway_pb2.GetTransferHistoryRequest
    ) -> gateway_pb2.GetTransferHistoryResponse:
        """Each state that a transfer came to."""
        with call.current().database.transaction() as conn:
            entries = desk.history_of(conn, self._vault, request.transfer_id)
        return gateway_pb2.GetTransferHistoryResponse(
            events=[
                gateway_pb2.TransferEvent(
                    state=number_of(gateway_pb2.TransferState, entry.state),
                    reason=entry.reason,
                    by=entry.by,
                    words=entry.words,
                    time=timestamp(entry.at),
                )
                for entry in entries
            ]
        )

    def RetryTransfer(self, request: gateway_pb2.RetryTransferRequest) -> gateway_pb2.RetryTransferResponse:
        """Brings transfers on their way again."""

        def respond(done: Done) -> gateway_pb2.RetryTransferResponse:
            return gateway_pb2.RetryTransferResponse(
                results=_results(done.results),
                counts=_counts(done.counts),
                bulk_act=_act(done.act) if done.act else None,
            )

        if request.preview:
            return respond(_previewed(request, ActKind.RETRY))
        return run_once(request, lambda conn: self._do(conn, request, ActKind.RETRY), respond)

    def CancelTransfer(self, request: gateway_pb2.CancelTransferRequest) -> gateway_pb2.CancelTransferResponse:
        """Gives transfers up."""

        def respond(done: Done) -> gateway_pb2.CancelTransferResponse:
            return gateway_pb2.CancelTransferResponse(
                results=_results(done.results),
                counts=_counts(done.counts),
                bulk_act=_act(done.act) if done.act else None,
            )

        if request.preview:
            return respond(_previewed(request, ActKind.CANCEL))
        return run_once(request, lambda conn: self._do(conn, request, ActKind.CANCEL), respond)

    def CorrectTransfers(self, request: desk_pb2.CorrectTransfersRequest) -> desk_pb2.CorrectTransfersResponse:
        """Applies one correction to the claims of refused transfers, as the caller."""
        correction = _correction(request)
        if request.preview:
            results = corrections.preview(self._amending, correction)
        else:
            run_once(request, partial(self._begin, correction), lambda _: desk_pb2.CorrectTransfersResponse())
            results = corrections.go_on(self._amending, correction)
        return desk_pb2.CorrectTransfersResponse(results=_results(results))

    def _begin(self, correction: Correction, conn: Connection) -> None:
        corrections.begin(conn, self._vault, correction)

    def ListBulkActs(self, request: desk_pb2.ListBulkActsRequest) -> desk_pb2.ListBulkActsResponse:
        """Acts with many transfers, the newest first."""
        limit = page_size(request, usual=_ACTS_PAGE, largest=_LARGEST_ACTS_PAGE)
        place = place_of(request, datetime, UUID)
        before = _LAST if place is None else (place[0], place[1])
        with call.current().database.transaction() as conn:
            found = acts.list_acts(conn, self._vault, before=before, limit=limit + 1)
        return desk_pb2.ListBulkActsResponse(
            bulk_acts=[_act(act) for act in found[:limit]],
            next_page_token=token_of(request, found[limit - 1].created, found[limit - 1].act_id)
            if len(found) > limit
            else "",
        )

    def StopBulkAct(self, request: desk_pb2.StopBulkActRequest) -> desk_pb2.StopBulkActResponse:
        """Stops an act where it is."""

        def stop(conn: Connection) -> Act:
            act_id = uuid_of(request.act_id, field="act_id")
            return acts.stop(conn, self._vault, act_id, by=call.current().identity.subject)

        return run_once(request, stop, lambda act: desk_pb2.StopBulkActResponse(bulk_act=_act(act)))

    def _do(
        self,
        conn: Connection,
        request: gateway_pb2.RetryTransferRequest | gateway_pb2.CancelTransferRequest,
        kind: ActKind,
    ) -> Done:
        named, wanted = _chosen(request)
        reason, rate = _words(request.reason), _rate(request.rate)
        by = call.current().identity.subject
        if wanted is None:
            return acts.act_on_named(conn, self._vault, kind, named, reason=reason, by=by)
        return acts.begin(conn, self._vault, kind, wanted, rate=rate, reason=reason, by=by)


def _previewed(request: gateway_pb2.RetryTransferRequest | gateway_pb2.CancelTransferRequest, kind: ActKind) -> Done:
    """Previews an act. Nothing changes, so nothing has to be done once only."""
    named, wanted = _chosen(request)
    _words(request.reason)
    _rate(request.rate)
    with call.current().database.transaction() as conn:
        return acts.preview_named(conn, kind, named) if wanted is None else acts.preview_chosen(conn, kind, wanted)


def _chosen(
    request: gateway_pb2.RetryTransferRequest | gateway_pb2.CancelTransferRequest,
) -> tuple[Sequence[str], Filter | None]:
    """The transfers that are named, each once, or the filter."""
    named = list(dict.fromkeys(request.transfer_ids))
    if bool(named) == request.HasField("filter"):
        raise InvalidArgument.of(Violation.of("transfer_ids", _ONE_OF_BOTH), Violation.of("filter", _ONE_OF_BOTH))
    if named:
        return named, None
    wanted = _filter(request.filter, field="filter.")
    if wanted.system is None and wanted.state is None and not wanted.by_cause:
        raise InvalidArgument.of(Violation.of("filter", _TOO_WIDE))
    return (), wanted


def _filter(message: gateway_pb2.TransferFilter | gateway_pb2.ListTransfersRequest, *, field: str) -> Filter:
    wanted = Filter(
        system=_system(message.system, field=f"{field}system"),
        state=State(name_of(gateway_pb2.TransferState, message.state, field=f"{field}state"))
        if message.state
        else None,
        older_than=time_of(message.older_than, field=f"{field}older_than") if message.HasField("older_than") else None,
        code=message.code,
        field=message.field,
    )
    if wanted.by_cause and wanted.state not in {None, State.REJECTED}:
        raise InvalidArgument.of(Violation.of(f"{field}state", _NOT_A_STATE))
    return wanted


def _system(number: int, *, field: str) -> System | None:
    return System(name_of(common_pb2.System, number, field=field)) if number else None


def _words(given: str) -> str:
    words = line(given)
    if not words or not words.isprintable():
        raise InvalidArgument.of(Violation.of("reason", _NOT_A_LINE))
    return words


def _rate(given: int) -> int:
    if not 0 <= given <= _FASTEST_RATE:
        raise InvalidArgument.of(Violation.of("rate", _RATE))
    return given or _USUAL_RATE


def _correction(request: desk_pb2.CorrectTransfersRequest) -> Correction:
    return Correction(
        transfer_ids=list(dict.fromkeys(request.transfer_ids)),
        answers=[(one.question_id, one.value, one.accept_transliteration) for one in request.corrections],
        reason=_words(request.reason),
        request_id=uuid_of(request.request_id, field="request_id"),
    )


def _group(cause: Cause) -> desk_pb2.RejectionGroup:
    found = cause.rejections
    return desk_pb2.RejectionGroup(
        system=number_of(common_pb2.System, found.system),
        code=found.code,
        field=found.field,
        question_id=cause.question_id,
        text=cause.text,
        count=found.count,
        oldest_time=timestamp(found.oldest),
        newest_time=timestamp(found.newest),
        ask=words(code=found.code, question_id=cause.question_id),
    )


def _results(results: Sequence[Result]) -> list[desk_pb2.TransferResult]:
    return [
        desk_pb2.TransferResult(
            transfer_id=result.transfer_id,
            claim_ref=result.claim_ref,
            outcome=number_of(desk_pb2.TransferOutcome, result.outcome),
            fields=result.fields,
        )
        for result in results
    ]


def _counts(counts: Sequence[tuple[Outcome, int]]) -> list[desk_pb2.OutcomeCount]:
    return [
        desk_pb2.OutcomeCount(outcome=number_of(desk_pb2.TransferOutcome, outcome), count=number)
        for outcome, number in counts
    ]


def _act(act: Act) -> desk_pb2.BulkAct:
    return desk_pb2.BulkAct(
        act_id=str(act.act_id),
        kind=number_of(desk_pb2.BulkActKind, act.kind),
        reason=act.reason,
        by=act.by,
        rate=act.rate,
        total=act.total,
        counts=_counts(act.counts),
        created=timestamp(act.created),
        stopped_time=timestamp(act.stopped_time),
        stopped_by=act.stopped_by,
        finished_time=timestamp(act.finished_time),
    )
