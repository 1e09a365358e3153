"""Free slots."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from chassis import call
from chassis.errors import Violation
from chassis.pages import page_size, place_of, token_of
from chassis.postcodes import Postcodes
from cms.scheduling.v1 import scheduling_pb2
from scheduling.clients import Intake
from scheduling.domain.directory import Directory
from scheduling.domain.search import Page, Place
from scheduling.grpc_api.faults import language_faults, needs_faults, refuse, time_faults, unless_one_of, visit_faults
from scheduling.grpc_api.messages import slot_message, time_in, wish_of
from scheduling.service import bookings, search

USUAL_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100


class SlotMethods:
    """Finds slots."""

    def __init__(self, directory: Directory, postcodes: Postcodes, intake: Intake, target: timedelta) -> None:
        self._directory = directory
        self._postcodes = postcodes
        self._intake = intake
        self._target = target

    def FindSlots(self, request: scheduling_pb2.FindSlotsRequest) -> scheduling_pb2.FindSlotsResponse:
        """Free slots near a postcode or at an office."""
        refuse(chain(_search_faults(request), language_faults(request.language, self._directory)))
        page = _page(request)
        near = search.offices_asked(
            self._directory, self._postcodes, postcode=request.postcode, office_code=request.office_code
        )
        wish = wish_of(near, request)
        claim = bookings.claim_to_book(self._intake, request.claim_ref) if request.claim_ref else None
        with call.current().database.transaction() as conn:
            found = search.find_slots(
                conn, wish, page=page, target=self._target, directory=self._directory, claim=claim
            )
        response = scheduling_pb2.FindSlotsResponse(slots=[slot_message(one) for one in found.slots])
        if found.more:
            last = found.slots[-1].free.slot
            response.next_page_token = token_of(request, last.office_code, last.start_time, last.assessor_id)
        if found.earliest_within_target:
            response.earliest_within_target.CopyFrom(slot_message(found.earliest_within_target))
        return response


def _search_faults(request: scheduling_pb2.FindSlotsRequest) -> Iterator[Violation]:
    yield from unless_one_of(postcode=request.postcode, office_code=request.office_code)
    yield from visit_faults(request)
    yield from needs_faults(request.needs)
    yield from time_faults(request)


def _page(request: scheduling_pb2.FindSlotsRequest) -> Page:
    place = place_of(request, str, datetime, str)
    return Page(
        since=time_in(request, "from"),
        until=time_in(request, "until"),
        size=page_size(request, usual=USUAL_PAGE_SIZE, largest=LARGEST_PAGE_SIZE),
        after=Place(office_code=place[0], start_time=place[1], assessor_id=place[2]) if place else None,
    )
