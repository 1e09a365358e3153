"""The subject of a message, as its owner gives it now."""

from collections.abc import Callable, Mapping

from chassis import clock
from chassis.errors import NotFound
from la_notifier.messages.clients import Appointment, Claimant, Sources
from la_notifier.messages.domain.message import Message, MessageKind
from la_notifier.messages.domain.wording import Subject

INTERVIEW = "INTERVIEW"
"""Begins the subject of a list for an interview, before the appointment's id."""


class NotKnownYet(Exception):
    """The subject of a message is not known yet: the claim is not submitted."""


def subject_of(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """The subject of a message; None where there is nothing to tell any more. Raises CmsError, NotKnownYet."""
    return _SUBJECTS[message.kind](message, claimant, sources)


def _appointment(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """The appointment as it stands. One that was moved or cancelled since is told by the message of that event.

    Another assessor at the same time and place is told to nobody, so that what was told before still stands.
    """
    appointment_id, _, told = message.subject.partition(" ")
    found = sources.appointments.appointment(appointment_id)
    is_cancellation = message.kind is MessageKind.APPOINTMENT_CANCELLED
    if found.is_cancelled is not is_cancellation or told != _as_told(message.kind, found):
        return None
    return Subject(schemes=claimant.schemes, starts=found.starts, channel=found.channel, office=found.office)


def _as_told(kind: MessageKind, found: Appointment) -> str:
    if kind is MessageKind.APPOINTMENT_TOMORROW:
        return found.starts.isoformat()
    return str(found.version if kind is MessageKind.APPOINTMENT_CANCELLED else found.arranged_version)


def _evidence(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """The evidence still awaited; None where it has come meanwhile. Raises NotKnownYet."""
    reason, _, appointment_id = message.subject.partition(" ")
    if reason == INTERVIEW:
        return _list_for_the_interview(message, claimant, sources, appointment_id)
    found = sources.evidence.outstanding(message.claim_ref, claimant.contact.language)
    if not found.documents:
        return None
    return Subject(schemes=claimant.schemes, evidence=found.documents, due_on=found.due_on)


def _list_for_the_interview(
    message: Message, claimant: Claimant, sources: Sources, appointment_id: str
) -> Subject | None:
    """All that the claim needs, for the day of the interview. Which, is known from the claim's submission on."""
    appointment = sources.appointments.appointment(appointment_id)
    if appointment.is_cancelled or appointment.starts <= clock.now():
        return None
    try:
        needed = sources.evidence.needed(message.claim_ref, claimant.contact.language)
    except NotFound:
        raise NotKnownYet from None
    if not needed:
        return None
    day = appointment.starts.astimezone(clock.LONDON).date()
    return Subject(schemes=claimant.schemes, evidence=needed, due_on=day)


def _decision(message: Message, _claimant: Claimant, sources: Sources) -> Subject | None:
    """The decision that stands: one that was corrected since is told by the message of the correction."""
    scheme, _, version = message.subject.partition(" ")
    outcome = sources.decisions.outcome(message.claim_ref, scheme, int(version))
    return Subject(schemes=(scheme,), outcome=outcome) if outcome else None


_SUBJECTS: Mapping[MessageKind, Callable[[Message, Claimant, Sources], Subject | None]] = {
    MessageKind.APPOINTMENT_MADE: _appointment,
    MessageKind.APPOINTMENT_MOVED: _appointment,
    MessageKind.APPOINTMENT_CANCELLED: _appointment,
    MessageKind.APPOINTMENT_TOMORROW: _appointment,
    MessageKind.WHAT_TO_BRING: _evidence,
    MessageKind.EVIDENCE_DUE: _evidence,
    MessageKind.DECISION: _decision,
}
