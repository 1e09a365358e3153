"""Slots that are offered and held, and the waiting list."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from uuid import UUID

from chassis import call
from chassis.conversions import timestamp
from chassis.errors import Violation
from chassis.idempotency import first_answer, run_once
from chassis.postcodes import Postcodes
from cms.scheduling.v1 import offers_pb2
from scheduling.clients import Intake
from scheduling.data import load_offer_words
from scheduling.domain.directory import Directory
from scheduling.domain.offers import channels_for
from scheduling.domain.slots import SlotId
from scheduling.domain.waiting import LONGEST_NOTICE, USUAL_NOTICE, Place
from scheduling.grpc_api.faults import (
    language_faults,
    needs_faults,
    refuse,
    time_faults,
    unless_one_of,
    unless_slot_ids,
    unless_uuid,
    visit_faults,
)
from scheduling.grpc_api.messages import refuse_other_office, slot_message, time_in, wanted_channel, wish_of
from scheduling.grpc_api.own_calls import expect_own_call
from scheduling.service import bookings, changes, offers, search, waiting

_HOUR = timedelta(hours=1)


class OfferMethods:
    """Offers slots and holds them; keeps the waiting list."""

    def __init__(self, directory: Directory, postcodes: Postcodes, intake: Intake, target: timedelta) -> None:
        self._directory = directory
        self._postcodes = postcodes
        self._intake = intake
        self._target = target

    def OfferSlots(self, request: offers_pb2.OfferSlotsRequest) -> offers_pb2.OfferSlotsResponse:
        """Offers the first good slot and alternatives, and holds them for the claim."""
        refuse(chain(_offer_faults(request), language_faults(request.language, self._directory)))
        near = search.offices_asked(
            self._directory, self._postcodes, postcode=request.postcode, office_code=request.office_code
        )
        wish = wish_of(near, request)
        asked = offers.Asked(
            wish=wish,
            channels=channels_for(wanted_channel(request), wish.needs),
            since=time_in(request, "from"),
            until=time_in(request, "until"),
            declined=frozenset(map(SlotId.read, request.declined_slot_ids)),
        )
        with call.current().database.transaction() as conn:
            first = first_answer(conn, request)
        if first is not None:
            return offers_pb2.OfferSlotsResponse.FromString(first)
        claim = bookings.claim_to_book(self._intake, request.claim_ref)
        self._intake.purpose(request.claim_ref)
        offer = partial(offers.offer, claim=claim, asked=asked, directory=self._directory, target=self._target)
        return run_once(request, offer, _offers)

    def ReleaseSlots(self, request: offers_pb2.ReleaseSlotsRequest) -> offers_pb2.ReleaseSlotsResponse:
        """Gives up slots that are held for a claim."""
        refuse(unless_slot_ids("slot_ids", request.slot_ids))
        expect_own_call(self._intake, request)
        slots = frozenset(map(SlotId.read, request.slot_ids)) if request.slot_ids else None
        release = partial(offers.release, claim_ref=request.claim_ref, slots=slots)
        return run_once(request, release, lambda released: offers_pb2.ReleaseSlotsResponse(released=released))

    def JoinWaitingList(self, request: offers_pb2.JoinWaitingListRequest) -> offers_pb2.JoinWaitingListResponse:
        """Puts an appointment on the waiting list for an earlier slot."""
        refuse(_joining_faults(request))
        expect_own_call(self._intake, request)
        notice = request.notice_hours * _HOUR if request.HasField("notice_hours") else USUAL_NOTICE
        joining = waiting.Joining(offices=request.office_codes, by_telephone=request.by_telephone, notice=notice)
        join = partial(waiting.join, change=_change(request), joining=joining, directory=self._directory)
        return run_once(request, join, lambda place: offers_pb2.JoinWaitingListResponse(place=_place(place)))

    def LeaveWaitingList(self, request: offers_pb2.LeaveWaitingListRequest) -> offers_pb2.LeaveWaitingListResponse:
        """Takes an appointment off the waiting list."""
        refuse(unless_uuid(appointment_id=request.appointment_id))
        expect_own_call(self._intake, request)
        leave = partial(waiting.leave, change=_change(request))
        return run_once(request, leave, lambda _: offers_pb2.LeaveWaitingListResponse())


def _offers(held: Sequence[offers.Held]) -> offers_pb2.OfferSlotsResponse:
    return offers_pb2.OfferSlotsResponse(
        offers=[_offer(one) for one in held],
        target_time=timestamp(held[0].offer.free.due),
    )


def _offer(one: offers.Held) -> offers_pb2.Offer:
    words = load_offer_words()[one.offer.reason]
    return offers_pb2.Offer(
        slot=slot_message(one.offer),
        held_until=timestamp(one.held_until),
        words=offers_pb2.OfferWords(en=words.en, cy=words.cy),
    )


def _place(place: Place) -> offers_pb2.WaitingPlace:
    return offers_pb2.WaitingPlace(
        appointment_id=str(place.appointment.appointment_id),
        claim_ref=place.appointment.claim_ref,
        office_codes=sorted(place.offices),
        by_telephone=place.by_telephone,
        notice_hours=place.notice // _HOUR,
        joined_time=timestamp(place.joined_time),
    )


def _change(request: offers_pb2.JoinWaitingListRequest | offers_pb2.LeaveWaitingListRequest) -> changes.Change:
    return changes.Change(appointment_id=UUID(request.appointment_id), version=0, permit=refuse_other_office)


def _offer_faults(request: offers_pb2.OfferSlotsRequest) -> Iterator[Violation]:
    yield from unless_one_of(postcode=request.postcode, office_code=request.office_code)
    yield from visit_faults(request)
    yield from needs_faults(request.needs)
    yield from unless_slot_ids("declined_slot_ids", request.declined_slot_ids)
    yield from time_faults(request)


def _joining_faults(request: offers_pb2.JoinWaitingListRequest) -> Iterator[Violation]:
    yield from unless_uuid(appointment_id=request.appointment_id)
    if not 0 <= request.notice_hours <= LONGEST_NOTICE // _HOUR:
        yield Violation(field="notice_hours", description="is not from 0 to 336")
