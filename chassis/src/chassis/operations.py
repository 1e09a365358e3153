"""cms.operations.v1.OperationsService: what is overdue and what is in dead letters, served by the chassis for every service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import call, deadlines, pages
from chassis.conversions import timestamp, uuid_of
from chassis.database import Connection, Row
from chassis.deadlines import OF_EVERY_SERVICE, Count, Deadline, Overdue, Place
from chassis.enums import number_of
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from chassis.idempotency import run_once
from cms.common.v1 import common_pb2
from cms.operations.v1 import operations_pb2 as pb

CONTRACT = pb.DESCRIPTOR.services_by_name["OperationsService"]
_PAGE_SIZE, _LARGEST_PAGE = 100, 500

_LIST_DEAD_LETTERS = """
    SELECT event_id, type, source, claim_ref, died_time, reason, replay_wanted FROM dead_letters
    WHERE replayed_time IS NULL AND (died_time, event_id) > (%(died_time)s, %(event_id)s)
    ORDER BY died_time, event_id LIMIT %(limit)s
"""

_ASK_FOR_REPLAY = """
    UPDATE dead_letters SET replay_wanted = true WHERE event_id = %s AND replayed_time IS NULL
    RETURNING event_id, type, source, claim_ref, died_time, reason, replay_wanted
"""


class OperationsApi:
    """The methods of the contract, by the deadlines that a service hands over."""

    def __init__(self, of_the_service: Sequence[Deadline]) -> None:
        self._deadlines = (*OF_EVERY_SERVICE, *of_the_service)

    def ListOverdue(self, request: pb.ListOverdueRequest) -> pb.ListOverdueResponse:  # noqa: N802 - the contract's name
        """A page of what is overdue, and the counts of all of it."""
        asked = self._asked(request.state)
        limit = pages.page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        after = _place_of(request)
        with call.current().database.transaction() as conn:
            found = deadlines.list_page(conn, asked, after=after, limit=limit + 1)
            counts = deadlines.counts(conn, asked)
        page = found[:limit]
        return pb.ListOverdueResponse(
            overdue=[_overdue(late) for late in page],
            counts=[_count(state, count) for state, count in counts.items()],
            next_page_token=_token_of(request, Place.behind(page, after=after)) if len(found) > limit else "",
        )

    def ListDeadLetters(self, request: pb.ListDeadLettersRequest) -> pb.ListDeadLettersResponse:  # noqa: N802
        """A page of the events that wait for a person."""
        limit = pages.page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        with call.current().database.transaction() as conn:
            found = _dead_letters(conn, pages.place_of(request, datetime, UUID), limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return pb.ListDeadLettersResponse(
            dead_letters=[_dead_letter(row) for row in found[:limit]],
            next_page_token=pages.token_of(request, last["died_time"], last["event_id"]) if last else "",
        )

    def ReplayDeadLetter(self, request: pb.ReplayDeadLetterRequest) -> pb.ReplayDeadLetterResponse:  # noqa: N802
        """Asks the service's own worker for a replay."""
        event_id = uuid_of(request.event_id, field="event_id")
        return run_once(
            request,
            lambda conn: _ask_for_replay(conn, event_id),
            lambda row: pb.ReplayDeadLetterResponse(dead_letter=_dead_letter(row)),
        )

    def _asked(self, state: str) -> Sequence[Deadline]:
        asked = [deadline for deadline in self._deadlines if state in ("", deadline.state)]
        if not asked:
            raise InvalidArgument.of(Violation(field="state", description="is no state with a deadline here"))
        return asked


def _place_of(request: pb.ListOverdueRequest) -> Place | None:
    place = pages.place_of(request, int, datetime, str, int)
    if place is None:
        return None
    number, since, reference, alike = place
    if number < 0 or alike < 0:
        raise pages.not_given()
    return Place(number=number, since=since, reference=reference, alike=alike)


def _token_of(request: pb.ListOverdueRequest, place: Place) -> str:
    return pages.token_of(request, place.number, place.since, place.reference, place.alike)


def _dead_letters(conn: Connection, place: Sequence[Any] | None, *, limit: int) -> list[Row]:
    died_time, event_id = place or ("-infinity", UUID(int=0))
    values = {"died_time": died_time, "event_id": event_id, "limit": limit}
    return conn.execute(_LIST_DEAD_LETTERS, values).fetchall()


def _ask_for_replay(conn: Connection, event_id: UUID) -> Row:
    row = conn.execute(_ASK_FOR_REPLAY, [event_id]).fetchone()
    if row is not None:
        return row
    if conn.execute("SELECT 1 FROM dead_letters WHERE event_id = %s", [event_id]).fetchone():
        raise FailedPrecondition("REPLAYED", "this event was replayed already")
    raise NotFound("DEAD_LETTER_UNKNOWN", "this service has no dead letter of this event")


def _overdue(late: Overdue) -> pb.Overdue:
    return pb.Overdue(
        state=late.state,
        claim_ref=late.reference,
        since_time=timestamp(late.since),
        deadline_time=timestamp(late.deadline),
        owner=number_of(common_pb2.Role, late.owner),
    )


def _count(state: str, count: Count) -> pb.OverdueCount:
    return pb.OverdueCount(state=state, count=count.number, oldest_time=timestamp(count.oldest))


def _dead_letter(row: Row) -> pb.DeadLetter:
    return pb.DeadLetter(
        event_id=str(row["event_id"]),
        type=row["type"],
        source=row["source"],
        claim_ref=row["claim_ref"],
        failed_time=timestamp(row["died_time"]),
        reason=row["reason"],
        replay_wanted=row["replay_wanted"],
    )
