"""The methods of officers for notices: lists, what is due, receipts, and sending again."""

from datetime import date, datetime, timedelta
from uuid import UUID

from chassis import call, clock
from chassis.cleaning import line
from chassis.conversions import date_message, day_of, time_of, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from chassis.pages import not_given, page_size, place_of, token_of
from chassis.vault import Vault
from cms.notifier.v1 import notifier_pb2 as pb
from la_notifier.domain.fields import is_field
from la_notifier.domain.listing import Clock, DuePlace, DueWithin, NoticeDue, NoticeFilter, NoticePlace
from la_notifier.domain.notices import NoticeState
from la_notifier.grpc_api.notice_methods import notice_message
from la_notifier.service import desk
from la_notifier.service.own_authority import codes_of, visible_codes

_PAGE_SIZE, _LARGEST_PAGE = 50, 200
_A_WEEK = timedelta(days=6)
_ENDED = (NoticeState.LOADED, NoticeState.SUPERSEDED)

_ONE_OF_BOTH = Text(en="say loaded or refused, and not both", cy="dywedwch loaded neu refused, nid y ddau")
_REASON = Text(en="is required with refused", cy="mae'n ofynnol gyda refused")
_NO_REASON = Text(en="goes with refused alone", cy="mae'n mynd gyda refused yn unig")
_NOTICE_OR_FILTER = Text(en="name a notice or a filter, and not both", cy="enwch hysbysiad neu hidlydd, nid y ddau")
_NOT_BEFORE = Text(en="must not be before from_on", cy="ni chaiff fod cyn from_on")
_FROM_ONE = Text(en="must be from 1", cy="rhaid iddo fod o 1 i fyny")
_REQUIRED = Text(en="is required", cy="mae'n ofynnol")
_NOT_A_LINE = Text(en="must be a line of text", cy="rhaid iddo fod yn llinell o destun")
_NO_FIELD = Text(
    en="must be a field of a notice, as claimant.nino", cy="rhaid iddo fod yn faes hysbysiad, fel claimant.nino"
)
_OPEN_STATES = Text(
    en="must be WAITING, SENT, RECEIVED or REFUSED", cy="rhaid iddo fod yn WAITING, SENT, RECEIVED neu REFUSED"
)


class DeskMethods:
    """The methods by which officers see many notices and act on them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def ListNotices(self, request: pb.ListNoticesRequest) -> pb.ListNoticesResponse:
        """Versions of notices, the oldest first."""
        wanted = NoticeFilter(
            authority_codes=visible_codes(request.authority_code),
            state=_state(request.state, field="state") if request.state else None,
            is_late=request.late,
            claim_ref=request.claim_ref,
        )
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, UUID, int)
        after = NoticePlace(created=place[0], notice_id=place[1], version=place[2]) if place else None
        with call.current().database.transaction() as conn:
            found = desk.list_notices(conn, wanted, after=after, limit=limit)
        full = len(found) == limit
        return pb.ListNoticesResponse(
            notices=map(notice_message, found),
            next_page_token=token_of(request, found[-1].created, found[-1].notice_id, found[-1].version)
            if full
            else "",
        )

    def ListNoticesDue(self, request: pb.ListNoticesDueRequest) -> pb.ListNoticesDueResponse:
        """The clocks that run out within some days."""
        within = _days(request)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        with call.current().database.transaction() as conn:
            found = desk.list_due(conn, within, after=_due_place(request), limit=limit)
        full = len(found) == limit
        return pb.ListNoticesDueResponse(
            due=map(_due, found), next_page_token=_due_token(request, found[-1]) if full else ""
        )

    def RecordReceipt(self, request: pb.RecordReceiptRequest) -> pb.RecordReceiptResponse:
        """Records that the authority loaded a version, or refused it."""
        receipt = _receipt(request)
        return run_once(
            request,
            lambda conn: desk.record_receipt(conn, self._vault, receipt),
            lambda notice: pb.RecordReceiptResponse(notice=notice_message(notice)),
        )

    def ResendNotice(self, request: pb.ResendNoticeRequest) -> pb.ResendNoticeResponse:
        """Sends the newest version of a notice again, or those of a filter."""
        if bool(request.notice_id) == request.HasField("filter"):
            raise InvalidArgument.of(
                Violation.of("notice_id", _NOTICE_OR_FILTER), Violation.of("filter", _NOTICE_OR_FILTER)
            )
        if not line(request.reason):
            raise InvalidArgument.of(Violation.of("reason", _NOT_A_LINE))
        if request.preview:
            with call.current().database.transaction() as conn:
                return _resent(_preview(conn, request))
        return run_once(request, lambda conn: _resend(conn, request), _resent)


def _resend(conn: Connection, request: pb.ResendNoticeRequest) -> desk.Resent:
    if request.notice_id:
        return desk.resend(conn, uuid_of(request.notice_id, field="notice_id"), reason=request.reason)
    return desk.resend_all(conn, _to_resend(request.filter), reason=request.reason)


def _preview(conn: Connection, request: pb.ResendNoticeRequest) -> desk.Resent:
    if request.notice_id:
        return desk.preview_resend(conn, uuid_of(request.notice_id, field="notice_id"))
    return desk.preview_resend_all(conn, _to_resend(request.filter))


def _to_resend(wanted: pb.ResendFilter) -> desk.ToResend:
    if not wanted.authority_code:
        raise InvalidArgument.of(Violation.of("filter.authority_code", _REQUIRED))
    state = _state(wanted.state, field="filter.state")
    if state in _ENDED:
        raise InvalidArgument.of(Violation.of("filter.state", _OPEN_STATES))
    older_than = time_of(wanted.older_than, field="filter.older_than") if wanted.HasField("older_than") else clock.now()
    return desk.ToResend(authority_codes=codes_of(wanted.authority_code), state=state, older_than=older_than)


def _resent(resent: desk.Resent) -> pb.ResendNoticeResponse:
    return pb.ResendNoticeResponse(notices=map(notice_message, resent.notices), count=resent.count)


def _receipt(request: pb.RecordReceiptRequest) -> desk.Receipt:
    if request.loaded == request.refused:
        raise InvalidArgument.of(Violation.of("loaded", _ONE_OF_BOTH), Violation.of("refused", _ONE_OF_BOTH))
    if request.version < 1:
        raise InvalidArgument.of(Violation.of("version", _FROM_ONE))
    if request.refused and not request.reason.strip():
        raise InvalidArgument.of(Violation.of("reason", _REASON))
    if request.loaded and (request.reason or request.fields):
        raise InvalidArgument.of(Violation.of("reason" if request.reason else "fields", _NO_REASON))
    # Of a name that no field has nobody knows what it is: it could be the claimant's, and the fields go into an event.
    if unknown := [place for place, name in enumerate(request.fields) if not is_field(name)]:
        raise InvalidArgument.of(*(Violation.of(f"fields[{place}]", _NO_FIELD) for place in unknown))
    return desk.Receipt(
        notice_id=uuid_of(request.notice_id, field="notice_id"),
        version=request.version,
        loaded=request.loaded,
        reason=request.reason,
        fields=tuple(request.fields),
    )


def _state(number: int, *, field: str) -> NoticeState:
    return NoticeState(name_of(pb.NoticeState, number, field=field))


def _days(request: pb.ListNoticesDueRequest) -> DueWithin:
    first = day_of(request.from_on, field="from_on") if request.HasField("from_on") else clock.today()
    last = day_of(request.until_on, field="until_on") if request.HasField("until_on") else first + _A_WEEK
    if last < first:
        raise InvalidArgument.of(Violation.of("until_on", _NOT_BEFORE))
    return DueWithin(authority_codes=visible_codes(request.authority_code), from_on=first, until_on=last)


def _due_place(request: pb.ListNoticesDueRequest) -> DuePlace | None:
    place = place_of(request, str, UUID, str)
    if place is None:
        return None
    try:
        return DuePlace(due_on=date.fromisoformat(place[0]), notice_id=place[1], clock=Clock(place[2]))
    except ValueError:
        raise not_given() from None


def _due_token(request: pb.ListNoticesDueRequest, last: NoticeDue) -> str:
    return token_of(request, last.due_on.isoformat(), last.notice.notice_id, str(last.clock))


def _due(due: NoticeDue) -> pb.NoticeDue:
    return pb.NoticeDue(
        clock=number_of(pb.NoticeClock, due.clock), due_on=date_message(due.due_on), notice=notice_message(due.notice)
    )
