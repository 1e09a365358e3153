"""The bytes that go to an authority: JSON, sealed with the claim's key and bound to notice and version."""

import json
from uuid import UUID

from chassis.vault import ClaimCipher
from la_notifier.domain.content import NewVersion
from la_notifier.domain.disclosure import Content

_HEAD = ("notice_id", "version", "supersedes", "kind")


def seal(cipher: ClaimCipher, notice_id: UUID, new: NewVersion) -> bytes:
    """The sealed body of a version."""
    before = {"supersedes": new.version - 1} if new.version > 1 else {}
    head = {"notice_id": str(notice_id), "version": new.version, **before, "kind": new.kind}
    body = json.dumps(head | new.content, ensure_ascii=False).encode()
    return cipher.seal_bytes(body, field=_field(notice_id), version=new.version)


def open_bytes(cipher: ClaimCipher, sealed: bytes, notice_id: UUID, *, version: int) -> bytes:
    """The body as it goes out. Raises cryptography.exceptions.InvalidTag."""
    return cipher.open_bytes(sealed, field=_field(notice_id), version=version)


def mended(cipher: ClaimCipher, body: bytes, notice_id: UUID, *, version: int) -> tuple[bytes, bytes] | None:
    """The body without a `supersedes` of null, and the same sealed; None where it has no such.

    The release before the clarifications of 29 November 2026 said null in version 1, which authorities now refuse. It can be
    changed as long as none can have had it: later the same bytes must go under the same key.
    """
    told = json.loads(body)
    if "supersedes" not in told or told["supersedes"] is not None:
        return None
    del told["supersedes"]
    right = json.dumps(told, ensure_ascii=False).encode()
    return right, cipher.seal_bytes(right, field=_field(notice_id), version=version)


def open_content(cipher: ClaimCipher, sealed: bytes, notice_id: UUID, *, version: int) -> Content:
    """The content of a version, without the head. Raises cryptography.exceptions.InvalidTag."""
    body = cipher.open(sealed, field=_field(notice_id), version=version)
    return {name: value for name, value in body.items() if name not in _HEAD}


def _field(notice_id: UUID) -> str:
    return f"notice {notice_id}"
