"""How the claimant may be reached: what they chose in the call, and what is safe."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from la_notifier.messages.domain.message import Medium, Reason

# Ofcom's National Telephone Numbering Plan: mobile services are 071 to 075 and 077 to 079, and 07624 on the Isle of Man.
# 070 and 076 are personal numbers and pagers, which take no texts.
_MOBILE = ("+4471", "+4472", "+4473", "+4474", "+4475", "+4477", "+4478", "+4479", "+447624")


class Format(StrEnum):
    """The form in which the claimant can read a letter."""

    NONE = "NONE"
    LARGE_PRINT = "LARGE_PRINT"
    BRAILLE = "BRAILLE"
    AUDIO = "AUDIO"
    TEXTPHONE = "TEXTPHONE"
    OTHER = "OTHER"


@dataclass(frozen=True, kw_only=True)
class Address:
    """The claimant's address for post."""

    lines: tuple[str, ...]
    postcode: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How a claimant is written to. A value that is empty or None was not given.

    `discreet`: nothing of a message says what is claimed.
    """

    claim_ref: str
    withdrawn: bool
    language: str
    name: str
    letter_format: Format
    chosen: Medium
    telephone: str
    email: str
    address: Address | None
    discreet: bool


@dataclass(frozen=True, kw_only=True)
class Way:
    """The way by which a message goes and where to; `reason` where it is not the one that was chosen."""

    medium: Medium
    to: str
    reason: Reason | None = None


def contact_of(claim_ref: str, answers: Mapping[str, Any], *, withdrawn: bool, language: str) -> Contact:
    """The contact from the facts that may be read to write to the claimant.

    Without an answer there is no consent, so letters alone go: earlier claims were not asked. Where contact is unsafe,
    letters go to the address that the claimant called safe and to no other, and nothing says what is claimed.
    """
    is_unsafe = answers.get("contact_unsafe") is True
    chosen = Medium.LETTER if is_unsafe else Medium(answers.get("messages_by", Medium.LETTER))
    return Contact(
        claim_ref=claim_ref,
        withdrawn=withdrawn,
        language=str(answers.get("language", language)),
        name=" ".join(str(answers[part]) for part in ("forenames", "surname") if part in answers),
        letter_format=Format(answers.get("contact_format", Format.NONE)),
        chosen=chosen,
        telephone=str(answers.get("telephone", "")),
        email=str(answers.get("email", "")),
        address=_address(answers.get("post_address" if is_unsafe else "address")),
        discreet=is_unsafe or answers.get("messages_discreet") is True,
    )


def _address(value: Any) -> Address | None:
    return Address(lines=tuple(value["lines"]), postcode=value["postcode"]) if value else None


def way_to(contact: Contact) -> Way | None:
    """The way that the claimant chose; a letter where it leads nowhere; None where post reaches them neither."""
    if contact.chosen is Medium.TEXT and contact.telephone.startswith(_MOBILE):
        return Way(medium=Medium.TEXT, to=contact.telephone)
    if contact.chosen is Medium.EMAIL and contact.email:
        return Way(medium=Medium.EMAIL, to=contact.email)
    reason = {Medium.TEXT: Reason.NO_MOBILE_NUMBER, Medium.EMAIL: Reason.NO_EMAIL_ADDRESS}.get(contact.chosen)
    return Way(medium=Medium.LETTER, to="", reason=reason) if contact.address else None
