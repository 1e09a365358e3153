"""The papers of a message: its letter, and the list of documents to print that goes with an e-mail."""

from datetime import date
from uuid import uuid4

from chassis import clock
from chassis.bank_holidays import Nation
from la_notifier.domain.letters import Letter, QueuedLetter, Recipient, Section, next_working_day
from la_notifier.messages.domain.contact import Contact, Format
from la_notifier.messages.domain.message import Message
from la_notifier.messages.domain.wording import Written
from la_notifier.messages.service.content import Content
from la_notifier.paper import print_letter

_TITLES = {"EN": "Documents to bring or send", "CY": "Dogfennau i ddod â nhw neu eu hanfon"}
_PRINTED = frozenset({Format.NONE, Format.LARGE_PRINT, Format.TEXTPHONE})
"""Forms that a printer makes. The others are named beside the reference, for whoever prints and has them made."""


def arrives_on(day: date) -> date:
    """When a letter that is made on a day reaches the claimant: printed on the next working day, delivered on the one after."""
    return next_working_day(next_working_day(day, Nation.ENGLAND), Nation.ENGLAND)


def list_as_file(claim_ref: str, content: Content) -> bytes:
    """The list of documents as a PDF: the same bytes on every attempt of a day."""
    letter = Letter(
        language=content.language,
        to=(),
        reference=claim_ref,
        day=clock.today(),
        heading=_TITLES[content.language],
        sections=[Section(paragraphs=[f"\u2022 {document}" for document in content.evidence])],
        large_print=content.large_print,
    )
    return print_letter(letter)


def letter_of(message: Message, contact: Contact, written: Written) -> tuple[QueuedLetter, bytes]:
    """The letter of a message for the print queue, to be printed by the next working day, and its PDF.

    Each has an id of its own: of a message that is written anew, an earlier letter is cancelled. Raises ValueError without an
    address.
    """
    if contact.address is None:
        raise ValueError("a letter needs an address")
    today = clock.today()
    queued = QueuedLetter(
        letter_id=uuid4(),
        recipient=Recipient.CLAIMANT,
        claim_ref=message.claim_ref,
        about=message.kind,
        language=written.language,
        due_on=next_working_day(today, Nation.ENGLAND),
        created=clock.now(),
    )
    by_hand = "" if contact.letter_format in _PRINTED else f" / {contact.letter_format}"
    letter = Letter(
        language=written.language,
        to=[contact.name, *contact.address.lines, contact.address.postcode],
        reference=message.claim_ref + by_hand,
        day=today,
        heading=written.subject,
        sections=[
            Section(paragraphs=[line.replace("* ", "\u2022 ", 1) for line in paragraph.split("\n")])
            for paragraph in written.body.split("\n\n")
        ],
        large_print=contact.letter_format is Format.LARGE_PRINT,
    )
    return queued, print_letter(letter)
