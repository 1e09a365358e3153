"""Events that this service hears."""

from collections.abc import Mapping
from typing import cast

from chassis.conversions import time_of
from chassis.database import Connection
from chassis.enums import name_of
from chassis.inbox import Event, Handler
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2 as intake_events
from legacy_gateway.domain import Confirmation
from legacy_gateway.service import confirmations, withdrawals
from legacy_gateway.service.erasures import erase_claim


def assessment_confirmed(conn: Connection, event: Event) -> None:
    """Starts the transfers. A scheme that no system carries yet waits."""
    confirmed = cast(assessment_events.AssessmentConfirmed, event.message)
    confirmation = Confirmation(
        claim_ref=event.claim_ref,
        claim_version=confirmed.claim_version,
        confirmed_time=event.occurred_time,
        office_code=confirmed.office_code,
        assessor_id=confirmed.assessor_id,
    )
    schemes = [name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in confirmed.schemes]
    confirmations.confirm(conn, confirmation, schemes)


def claim_amended(conn: Connection, event: Event) -> None:
    """Makes a change, or a correction, at each system whose records the changed facts feed."""
    changed = cast(intake_events.ClaimAmended, event.message)
    confirmations.amend(conn, event.claim_ref, version=event.version, facts=changed.changed_fields)


def claim_withdrawn(conn: Connection, event: Event) -> None:
    """Gives up what is not sent, and keeps that nothing is sent from now on."""
    withdrawn = cast(intake_events.ClaimWithdrawn, event.message)
    withdrawals.end_claim(conn, event.claim_ref, withdraw_time=time_of(withdrawn.withdraw_time, field="withdraw_time"))


def crisis_loan_requested(conn: Connection, event: Event) -> None:
    """Keeps that a crisis loan was asked for: the claim may not be submitted yet."""
    confirmations.keep_crisis_loan(conn, event.claim_ref, version=event.version, request_time=event.occurred_time)


def claim_erased(conn: Connection, event: Event) -> None:
    """Destroys the claim's key, and forgets what the systems said of its records. That a system holds them stays known."""
    erase_claim(conn, event.claim_ref)


HANDLERS: Mapping[str, Handler] = {
    "AssessmentConfirmed": assessment_confirmed,
    "ClaimAmended": claim_amended,
    "ClaimWithdrawn": claim_withdrawn,
    "ClaimErased": claim_erased,
    "CrisisLoanRequested": crisis_loan_requested,
}
