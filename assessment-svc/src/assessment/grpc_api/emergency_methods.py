"""The methods of delays: interim payments, and crisis loans beside delay."""

from datetime import datetime

from assessment.domain.emergencies import Emergencies, Week
from assessment.domain.interim import Delay, InterimOutcome, InterimPayment, Place
from assessment.grpc_api.messages import scheme_numbers
from assessment.service import emergencies, work
from chassis import call, clock
from chassis.contract import allowed_roles
from chassis.conversions import day_of, timestamp
from chassis.enums import name_of, number_of
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.assessment.v1 import assessment_pb2, emergencies_pb2
from cms.common.v1 import common_pb2

_PAGE_SIZE = 50
_LARGEST_PAGE = 200
_METHODS = assessment_pb2.DESCRIPTOR.services_by_name["AssessmentService"].methods_by_name
_MAY_LIST = allowed_roles(_METHODS["ListInterimPayments"])


class EmergencyMethods:
    """Lists interim payments to consider, and measures emergencies."""

    def ListInterimPayments(
        self, request: emergencies_pb2.ListInterimPaymentsRequest
    ) -> emergencies_pb2.ListInterimPaymentsResponse:
        """Claims for which an interim payment should be considered."""
        office = _office(request.office_code)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, str)
        after = Place(since_time=place[0], claim_ref=place[1]) if place else None
        with call.current().database.transaction() as conn:
            found = emergencies.list_interim_payments(conn, office=office, after=after, limit=limit + 1)
        response = emergencies_pb2.ListInterimPaymentsResponse(
            interim_payments=[_payment(one) for one in found[:limit]]
        )
        if len(found) > limit:
            last = found[limit - 1]
            response.next_page_token = token_of(request, last.since_time, last.claim_ref)
        return response

    def RecordInterimPayment(
        self, request: emergencies_pb2.RecordInterimPaymentRequest
    ) -> emergencies_pb2.RecordInterimPaymentResponse:
        """Records what became of a recommendation."""
        outcome = InterimOutcome(name_of(emergencies_pb2.InterimOutcome, request.outcome, field="outcome"))
        return run_once(
            request,
            lambda conn: emergencies.record_interim_payment(
                conn, request.claim_ref, outcome=outcome, reason=request.reason, version=request.version
            ),
            lambda payment: emergencies_pb2.RecordInterimPaymentResponse(interim_payment=_payment(payment)),
        )

    def GetEmergencies(self, request: emergencies_pb2.GetEmergenciesRequest) -> emergencies_pb2.GetEmergenciesResponse:
        """Crisis loans by office beside delay."""
        until = day_of(request.until, field="until") if request.HasField("until") else clock.today()
        with call.current().database.transaction() as conn:
            found = emergencies.measured(conn, request.office_codes, until=until)
        return emergencies_pb2.GetEmergenciesResponse(
            together=_emergencies(found.together), offices=[_emergencies(one) for one in found.offices]
        )


def _office(wanted: str) -> str | None:
    """The office to list. Raises OfficeRequired and OtherOffice for an assessor, as ListWork does."""
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    if call.current().identity.roles & _MAY_LIST == {"ASSESSOR"}:
        return work.office_to_list(wanted)
    return wanted or None


def _payment(payment: InterimPayment) -> emergencies_pb2.InterimPayment:
    message = emergencies_pb2.InterimPayment(
        claim_ref=payment.claim_ref,
        schemes=scheme_numbers(payment.schemes),
        delays=[_delay(delay) for delay in payment.delays],
        since_time=timestamp(payment.since_time),
        office_code=payment.office_code or "",
        version=payment.version,
    )
    if payment.outcome is not None:
        message.outcome = number_of(emergencies_pb2.InterimOutcome, payment.outcome)
    return message


def _delay(delay: Delay) -> emergencies_pb2.Delay:
    message = emergencies_pb2.Delay(
        cause=number_of(emergencies_pb2.DelayCause, delay.cause), since_time=timestamp(delay.since_time)
    )
    if delay.system is not None:
        message.system = number_of(common_pb2.System, delay.system)
    return message


def _emergencies(found: Emergencies) -> emergencies_pb2.Emergencies:
    return emergencies_pb2.Emergencies(
        office_code=found.office_code,
        week=_week(found.week),
        usual=_week(found.usual) if found.usual else None,
        risen=found.risen,
        later_interviews=found.later_interviews,
        more_stalled=found.more_stalled,
    )


def _week(week: Week) -> emergencies_pb2.EmergencyWeek:
    return emergencies_pb2.EmergencyWeek(
        crisis_loans=week.crisis_loans,
        refused=week.refused,
        stalled_transfers=week.stalled_transfers,
        interviews=week.interviews,
        lead_time_seconds=week.lead_seconds,
    )
