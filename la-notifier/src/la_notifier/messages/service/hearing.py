"""Makes messages of what events tell. A handler only writes rows: what a message is about is asked when it is written."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from chassis import clock
from chassis.database import Connection
from chassis.enums import name_of
from chassis.inbox import Event
from cms.common.v1 import common_pb2
from la_notifier.messages.domain.message import MessageKind, NewMessage
from la_notifier.messages.service.subjects import INTERVIEW
from la_notifier.messages.store import messages

CONTACT_FACTS = frozenset(
    {
        *("address", "post_address", "contact_unsafe", "contact_format", "messages_by", "messages_discreet"),
        *("telephone", "email", "language", "forenames", "surname"),
    }
)
"""The facts that decide who is written to, how, and what is not said."""

REMINDED_AT = time(10)
"""The London time at which claimants are reminded of tomorrow's appointment."""

DAY_BEGINS, DAY_ENDS = time(8), time(20)
"""Between these London times nobody is woken by a message that no person's act has brought."""

LIST_AFTER = timedelta(minutes=5)
"""How long after the booking the list of what to bring is written: by then the call has ended, and the claim is submitted."""


def hear_booking(conn: Connection, event: Event) -> None:
    """An appointment was made: it is told at once, then what to bring, and the claimant is reminded on the day before."""
    _tell_appointment(conn, event, MessageKind.APPOINTMENT_MADE)


def hear_move(conn: Connection, event: Event) -> None:
    """An appointment has another time: it is told at once, and the claimant is reminded on the day before.

    Of another assessor at the same time and place nothing is told.
    """
    if _told(event).arranged_version in {0, event.version}:  # the last release says nothing of it
        _tell_appointment(conn, event, MessageKind.APPOINTMENT_MOVED)


def hear_amendment(conn: Connection, event: Event) -> None:
    """Answers were amended. Where one decides how the claimant is reached, nothing goes that was written before."""
    if not CONTACT_FACTS.isdisjoint(_told(event).changed_fields):
        messages.write_anew(conn, event.claim_ref)


def hear_withdrawal(conn: Connection, event: Event) -> None:
    """The claim was withdrawn: what the claimant has not had yet is dropped when it comes to be written."""
    messages.write_anew(conn, event.claim_ref)


def hear_cancellation(conn: Connection, event: Event) -> None:
    """An appointment was cancelled. Nothing is told where it would have begun already, or the claim is withdrawn."""
    subject = f"{_told(event).appointment_id} {event.version}"
    _add(conn, event, MessageKind.APPOINTMENT_CANCELLED, subject, expires=_start(event))


def hear_request(conn: Connection, event: Event) -> None:
    """Evidence was asked for: the claimant gets the list of it."""
    _add(conn, event, MessageKind.WHAT_TO_BRING, str(event.version))


def hear_reminder(conn: Connection, event: Event) -> None:
    """Evidence has not come: the claimant is reminded.

    What is asked for later may be due on the same day, and its reminders count from 1 again: the version tells them apart.
    """
    due = _told(event).due_on
    subject = f"{due.year:04}-{due.month:02}-{due.day:02} {_told(event).number} {event.version}"
    _add(conn, event, MessageKind.EVIDENCE_DUE, subject, due_time=by_day(clock.now()))


def hear_decision(conn: Connection, event: Event) -> None:
    """A scheme was decided, or the decision was corrected. The paying systems' files come at night."""
    scheme = name_of(common_pb2.Scheme, _told(event).scheme, field="scheme")
    subject = f"{scheme} {_told(event).decision_version}"
    _add(conn, event, MessageKind.DECISION, subject, due_time=by_day(clock.now()))


def _tell_appointment(conn: Connection, event: Event, kind: MessageKind) -> None:
    start = _start(event)
    _add(conn, event, kind, f"{_told(event).appointment_id} {event.version}", expires=start)
    listed = f"{INTERVIEW} {_told(event).appointment_id}"
    _add(conn, event, MessageKind.WHAT_TO_BRING, listed, due_time=clock.now() + LIST_AFTER, expires=start)
    reminded = reminder_time(start)
    if reminded > clock.now():
        subject = f"{_told(event).appointment_id} {start.isoformat()}"
        _add(conn, event, MessageKind.APPOINTMENT_TOMORROW, subject, due_time=reminded, expires=beginning_of_day(start))


def _add(
    conn: Connection,
    event: Event,
    kind: MessageKind,
    subject: str,
    *,
    due_time: datetime | None = None,
    expires: datetime | None = None,
) -> None:
    now = clock.now()
    new = NewMessage(claim_ref=event.claim_ref, kind=kind, subject=subject, due_time=due_time or now, expires=expires)
    messages.add(conn, new, now=now)


def reminder_time(start: datetime) -> datetime:
    """When the claimant is reminded of an appointment: in the morning of the London day before it."""
    day = start.astimezone(clock.LONDON).date() - timedelta(days=1)
    return datetime.combine(day, REMINDED_AT, clock.LONDON).astimezone(UTC)


def beginning_of_day(moment: datetime) -> datetime:
    """The beginning of a moment's London day, from which on it is not tomorrow any more."""
    return datetime.combine(moment.astimezone(clock.LONDON).date(), time(), clock.LONDON).astimezone(UTC)


def by_day(moment: datetime) -> datetime:
    """The moment, or the next at which a message does not wake anybody. Reminders become due at midnight."""
    local = moment.astimezone(clock.LONDON)
    if DAY_BEGINS <= local.time() < DAY_ENDS:
        return moment
    day = local.date() + timedelta(days=int(local.time() >= DAY_ENDS))
    return datetime.combine(day, DAY_BEGINS, clock.LONDON).astimezone(UTC)


def _told(event: Event) -> Any:
    """The event's own fields."""
    return event.message


def _start(event: Event) -> datetime:
    start: datetime = _told(event).start_time.ToDatetime(UTC)
    return start
