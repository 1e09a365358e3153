"""What a message is about, as the owner of it says now."""

from collections.abc import Callable, Mapping

from la_notifier.messages.clients import Claimant, Sources
from la_notifier.messages.domain.message import Message, MessageKind
from la_notifier.messages.domain.wording import Subject


def subject_of(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """The subject of a message; None where there is nothing to tell any more. Raises CmsError."""
    return _SUBJECTS[message.kind](message, claimant, sources)


def _appointment(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """The appointment as it stands. One that was moved or cancelled since is told by the message of that event."""
    appointment_id, _, told = message.subject.partition(" ")
    found = sources.appointments.appointment(appointment_id)
    is_cancellation = message.kind is MessageKind.APPOINTMENT_CANCELLED
    as_told = found.starts.isoformat() if message.kind is MessageKind.APPOINTMENT_TOMORROW else str(found.version)
    if found.is_cancelled is not is_cancellation or told != as_told:
        return None
    return Subject(schemes=claimant.schemes, starts=found.starts, channel=found.channel, office=found.office)


def _evidence(message: Message, claimant: Claimant, sources: Sources) -> Subject | None:
    """What is still awaited: none is, where it has come meanwhile."""
    found = sources.evidence.outstanding(message.claim_ref, claimant.contact.language)
    if not found.documents:
        return None
    return Subject(schemes=claimant.schemes, evidence=found.documents, due_on=found.due_on)


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
