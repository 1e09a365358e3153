"""Tokens that no longer count although they have not expired: a file of subjects and of single tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chassis.key_files import KeysUnusable


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A subject, whose tokens issued at `not_before` or earlier do not count, or one token by its `jti`."""

    sub: str = ""
    not_before: Annotated[int, Meta(ge=0)] = 0
    """Seconds since the epoch. A token that is issued later counts: whoever signs in again may go on."""
    jti: str = ""


class RevocationList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contents of the file."""

    revoked: Sequence[Revocation]


@dataclass(frozen=True, kw_only=True)
class Revocations:
    """The revocations of a file, ready to be looked up."""

    subjects: Mapping[str, int] = field(default_factory=dict)
    tokens: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: Path | None) -> "Revocations":
        """Reads the file; without one nothing is revoked. Raises OSError, and KeysUnusable where it is no such list."""
        if path is None:
            return cls()
        try:
            found = msgspec.json.decode(path.read_bytes(), type=RevocationList).revoked
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
            raise KeysUnusable(path) from cause
        subjects: dict[str, int] = {}
        for one in found:
            if one.sub:
                subjects[one.sub] = max(one.not_before, subjects.get(one.sub, 0))
        return cls(subjects=subjects, tokens=frozenset(one.jti for one in found if one.jti))

    def name(self, claims: Mapping[str, object], *, issued: int) -> bool:
        """Whether a token with these claims is revoked. `issued` is in seconds since the epoch."""
        return str(claims.get("jti", "")) in self.tokens or issued <= self.subjects.get(str(claims["sub"]), -1)
