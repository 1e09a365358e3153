"""Writing a message: whom it goes to and how, and what it says, from the facts as they are now.

A message is taken under a lease, its sources are asked outside of any transaction, and the outcome is saved in one transaction
if the lease is still held.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chassis import clock, crash, logs
from chassis.database import Database
from chassis.errors import NotFound
from chassis.vault import Vault
from la_notifier.messages.clients import Claimant, Sources
from la_notifier.messages.data.wording import wording
from la_notifier.messages.domain.contact import Contact, Format, Way, way_to
from la_notifier.messages.domain.message import (
    Medium,
    Message,
    MessageKind,
    MessageState,
    Reason,
    Step,
    Waits,
)
from la_notifier.messages.domain.wording import Subject, Written, write
from la_notifier.messages.service import papers, subjects
from la_notifier.messages.service.content import Content, seal
from la_notifier.messages.service.hearing import by_day
from la_notifier.messages.store import messages
from la_notifier.service import failures
from la_notifier.service.letters import queue_letter

LEASE_SECONDS = 60.0
"""Longer than the calls to the sources of one message can take."""

POSTPONED_BY = timedelta(minutes=30)
"""After this a message is looked at again of which it was not known yet what it tells."""


class Writer:
    """Writes the messages that are due."""

    def __init__(self, database: Database, vault: Vault, sources: Sources, *, waits: Callable[[], Waits]) -> None:
        self._database = database
        self._vault = vault
        self._sources = sources
        self._waits = waits

    def write_next(self) -> bool:
        """Writes the message that is due for longest; returns whether there was one. One that fails is put off."""
        with self._database.transaction() as conn:
            message = messages.take_to_write(conn, now=clock.now(), seconds=LEASE_SECONDS)
        if message is None:
            return False
        crash.point("message.after_lease")
        try:
            self._write(message)
        except Exception as error:
            self._settle(message, message.failed(self._waits()))
            failures.report("write message", error, claim_ref=message.claim_ref, message_id=str(message.message_id))
        return True

    def _write(self, message: Message) -> None:
        claimant = self._sources.claimants.claimant(message.claim_ref)
        dropped = _dropped(message, claimant.contact)
        try:
            subject = None if dropped else self._subject(message, claimant)
        except subjects.NotKnownYet:
            self._postpone(message, until=clock.now() + POSTPONED_BY)
            return
        if subject is None:
            self._settle(message, message.dropped(dropped or Reason.OVERTAKEN))
            return
        now = clock.now()
        if message.is_belated(now) and (morning := by_day(now)) > now:
            self._postpone(message, until=morning)
            return
        way = _way(message, claimant.contact)
        if isinstance(way, Reason):
            self._settle(message, self._no_way(message, way))
            return
        written = write(wording(), message.kind, claimant.contact, subject, way.medium)
        if written.is_too_long_for_a_text:
            self._settle(message, message.too_long())
            return
        self._save(message, claimant.contact, way, written)

    def _subject(self, message: Message, claimant: Claimant) -> Subject | None:
        try:
            return subjects.subject_of(message, claimant, self._sources)
        except NotFound:
            return None

    def _no_way(self, message: Message, reason: Reason) -> Step:
        is_reminder = message.kind is MessageKind.APPOINTMENT_TOMORROW
        if reason is Reason.TOO_LATE_FOR_A_LETTER and is_reminder and not message.letter_only:
            return message.dropped(reason)  # the claimant wants letters, and had one about the appointment itself
        return message.unreachable(reason, self._waits())

    def _settle(self, message: Message, step: Step) -> None:
        with self._database.transaction() as conn:
            if messages.hold(conn, message):
                messages.settle(conn, message, step, now=clock.now())
        _log("message not written", message, state=step.state, reason=step.reason)

    def _postpone(self, message: Message, *, until: datetime) -> None:
        with self._database.transaction() as conn:
            if messages.hold(conn, message):
                messages.postpone(conn, message, until=until)

    def _save(self, message: Message, contact: Contact, way: Way, written: Written) -> None:
        """Saves what is sent, or puts a letter in the print queue, where it has states of its own."""
        letter = papers.letter_of(message, contact, written) if way.medium is Medium.LETTER else None
        state = MessageState.LETTER if letter else MessageState.WAITING
        with self._database.transaction() as conn:
            if not messages.hold(conn, message):
                return
            cipher = self._vault.cipher(conn, message.claim_ref)
            content = None if letter else seal(cipher, message.message_id, content_of(way, contact, written))
            if letter:
                queue_letter(conn, self._vault, *letter)
            row = messages.WrittenRow(
                state=state,
                medium=way.medium,
                language=written.language,
                discreet=contact.discreet,
                reason=way.reason,
                content=content,
                letter_id=letter[0].letter_id if letter else None,
            )
            messages.save_written(conn, message, row, now=clock.now())
        _log("message written", message, state=state, medium=way.medium)


def _dropped(message: Message, contact: Contact) -> Reason | None:
    """The reason why the message is not wanted any more; None where it is wanted."""
    if contact.withdrawn:
        return Reason.WITHDRAWN
    if message.expires is not None and message.expires <= clock.now():
        return Reason.TOO_LATE
    return None


def _way(message: Message, contact: Contact) -> Way | Reason:
    """The way by which the message goes, or why there is none."""
    if message.letter_only:
        contact = replace(contact, chosen=Medium.LETTER)
    way = way_to(contact)
    if way is None:
        return Reason.NO_ADDRESS
    if way.medium is Medium.LETTER and _is_too_late_by_post(message):
        return Reason.TOO_LATE_FOR_A_LETTER
    return way


def _is_too_late_by_post(message: Message) -> bool:
    """Whether the appointment comes before a letter about it. One that was just made is known from the call."""
    if message.kind is MessageKind.APPOINTMENT_TOMORROW:
        return True
    is_known = message.kind is MessageKind.APPOINTMENT_MADE and not message.letter_only
    if is_known or message.expires is None or not message.kind.is_about_an_appointment:
        return False
    return message.expires.astimezone(clock.LONDON).date() <= papers.arrives_on(clock.today())


def content_of(way: Way, contact: Contact, written: Written) -> Content:
    """The content that goes out of a written message."""
    return Content(
        to=way.to,
        subject=written.subject,
        body=written.body,
        language=written.language,
        evidence=written.evidence,
        large_print=contact.letter_format is Format.LARGE_PRINT,
    )


def _log(event: str, message: Message, **more: object) -> None:
    logs.get().info(event, claim_ref=message.claim_ref, message_id=str(message.message_id), kind=message.kind, **more)
