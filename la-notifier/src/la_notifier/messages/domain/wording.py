"""The words of a message: what is said, by kind, language and medium, and nothing of what is claimed where that was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from la_notifier.messages.domain.contact import Contact
from la_notifier.messages.domain.message import Medium, MessageKind

_LONDON = ZoneInfo("Europe/London")
_NOON = 12
_LONGEST_TEXT = 612

Said: TypeAlias = Mapping[str, str]
"""A text by language: EN, CY."""


@dataclass(frozen=True, kw_only=True)
class KindWording:
    """The wording of one kind of message."""

    text: Said
    subject: Said
    body: Said
    discreet: Said


@dataclass(frozen=True, kw_only=True)
class Place:
    """How an appointment's place is said; `discreet` where nothing may say what is claimed."""

    plain: Said
    discreet: Said


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words of all messages. `telling` are words that say what a message is about, by language."""

    telephone: str
    benefits: Mapping[str, Said]
    telling: Mapping[str, Sequence[str]]
    outcomes: Mapping[str, Said]
    places: Mapping[str, Place]
    weekdays: Mapping[str, Sequence[str]]
    months: Mapping[str, Sequence[str]]
    frame: Mapping[str, Said]
    kinds: Mapping[MessageKind, KindWording]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The subject of a message, as its owner gives it. A field that does not concern its kind is None or empty."""

    schemes: tuple[str, ...]
    starts: datetime | None = None
    channel: str = ""
    office: str = ""
    evidence: tuple[str, ...] = ()
    """The documents, as the claimant reads them in their language."""
    due_on: date | None = None
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A written message. `subject` is empty for a text; `evidence` is the list that goes with it as a file."""

    kind: MessageKind
    language: str
    medium: Medium
    subject: str
    body: str
    evidence: tuple[str, ...] = field(default=())

    @property
    def is_too_long_for_a_text(self) -> bool:
        """Whether a text would take more fragments than four, of which Notify bills each."""
        return self.medium is Medium.TEXT and len(self.body) > _LONGEST_TEXT


def write(wording: Wording, kind: MessageKind, contact: Contact, subject: Subject, medium: Medium) -> Written:
    """The message in the claimant's language.

    With `contact.discreet` it has no word of what is claimed, by any medium, and only a letter lists documents.
    """
    language = contact.language
    parts = _parts(wording, contact, subject)
    evidence = () if contact.discreet and medium is not Medium.LETTER else subject.evidence
    kinds = wording.kinds[kind]
    said = kinds.discreet if contact.discreet else kinds.text if medium is Medium.TEXT else kinds.body
    body = said[language].format_map(parts)
    if medium is Medium.TEXT:
        return Written(kind=kind, language=language, medium=medium, subject="", body=body)
    head = wording.frame["discreet_subject"] if contact.discreet else kinds.subject
    return Written(
        kind=kind,
        language=language,
        medium=medium,
        subject=head[language].format_map(parts),
        body=_framed(wording, language, body, parts, has_list=bool(evidence)),
        evidence=evidence,
    )


def _framed(wording: Wording, language: str, body: str, parts: Mapping[str, str], *, has_list: bool) -> str:
    frame = {name: said[language] for name, said in wording.frame.items()}
    documents = [frame["evidence"] + "\n\n" + parts["evidence"]] if has_list else []
    paragraphs = [frame["greeting"].format_map(parts), body, *documents, frame["closing"].format_map(parts)]
    return "\n\n".join(paragraphs)


def _parts(wording: Wording, contact: Contact, subject: Subject) -> Mapping[str, str]:
    language = contact.language
    joiner = {"EN": " and ", "CY": " a "}[language]
    return {
        "name": contact.name,
        "reference": contact.claim_ref,
        "telephone": wording.telephone,
        "benefits": joiner.join(wording.benefits[scheme][language] for scheme in subject.schemes),
        "day": day_said(wording, subject.starts.astimezone(_LONDON).date(), language) if subject.starts else "",
        "time": time_said(subject.starts, language) if subject.starts else "",
        "place": _place(wording, subject, language, discreet=contact.discreet),
        "evidence": "\n".join(f"* {document}" for document in subject.evidence),
        "list": "; ".join(subject.evidence),
        "due": day_said(wording, subject.due_on, language) if subject.due_on else "",
        "outcome": wording.outcomes[subject.outcome][language] if subject.outcome else "",
    }


def _place(wording: Wording, subject: Subject, language: str, *, discreet: bool) -> str:
    if not subject.channel:
        return ""
    place = wording.places[subject.channel]
    return (place.discreet if discreet else place.plain)[language].format(office=subject.office)


def day_said(wording: Wording, day: date, language: str) -> str:
    """A day in full: "Monday 4 July 2005", "dydd Llun 4 Gorffennaf 2005"."""
    return f"{wording.weekdays[language][day.weekday()]} {day.day} {wording.months[language][day.month - 1]} {day.year}"


def time_said(moment: datetime, language: str) -> str:
    """A time of the London day: "9:30am", "2pm"; in Welsh "9:30yb", "2yp"."""
    local = moment.astimezone(_LONDON)
    half = {"EN": ("am", "pm"), "CY": ("yb", "yp")}[language][local.hour >= _NOON]
    minutes = f":{local.minute:02}" if local.minute else ""
    return f"{(local.hour - 1) % _NOON + 1}{minutes}{half}"
