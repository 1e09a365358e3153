"""The events that the notifier hears: each makes its claim due for review, or a message to the claimant, or both."""

from collections.abc import Mapping

from chassis.database import Connection
from chassis.inbox import Event, Handler
from la_notifier.messages.service import hearing
from la_notifier.service.erasures import erase_claim
from la_notifier.service.reviews import hear, hear_closing, hear_decision


def _hear_decision(conn: Connection, event: Event) -> None:
    """The council is told of a decision, and so is the claimant."""
    hear_decision(conn, event)
    hearing.hear_decision(conn, event)


def _hear_amendment(conn: Connection, event: Event) -> None:
    hear(conn, event)
    hearing.hear_amendment(conn, event)


def _hear_withdrawal(conn: Connection, event: Event) -> None:
    hear(conn, event)
    hearing.hear_withdrawal(conn, event)


def _hear_erasure(conn: Connection, event: Event) -> None:
    """Destroys the claim's key, and forgets what was written to the claimant and by councils. What was sent stays known."""
    erase_claim(conn, event.claim_ref)


HANDLERS: Mapping[str, Handler] = {
    "FirstContactRecorded": hear,
    "ClaimSubmitted": hear,
    "ClaimAmended": _hear_amendment,
    "ClaimWithdrawn": _hear_withdrawal,
    "ClaimErased": _hear_erasure,
    "DecisionRecorded": _hear_decision,
    "AssessmentClosed": hear_closing,
    "EvidenceRequested": hearing.hear_request,
    "EvidenceReminderDue": hearing.hear_reminder,
    "AppointmentBooked": hearing.hear_booking,
    "AppointmentMoved": hearing.hear_move,
    "AppointmentCancelled": hearing.hear_cancellation,
}
