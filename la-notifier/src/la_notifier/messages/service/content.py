"""The content that goes out of a message, sealed with the claim's key and bound to the message."""

from typing import Any
from uuid import UUID

import msgspec

from chassis.vault import ClaimCipher


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A written text or e-mail. `to` is a number or an e-mail address. A letter is in the print queue."""

    to: str
    subject: str
    body: str
    language: str
    evidence: tuple[str, ...] = ()
    large_print: bool = False


_ENCODE = msgspec.json.encode
_DECODER = msgspec.json.Decoder(Content)


def seal(cipher: ClaimCipher, message_id: UUID, content: Content) -> bytes:
    """The sealed content of a message."""
    return cipher.seal_bytes(_ENCODE(content), field=_field(message_id), version=1)


def open_sealed(cipher: ClaimCipher, sealed: Any, message_id: UUID) -> Content:
    """The content of a message. Raises cryptography.exceptions.InvalidTag."""
    return _DECODER.decode(cipher.open_bytes(sealed, field=_field(message_id), version=1))


def _field(message_id: UUID) -> str:
    return f"message {message_id}"
