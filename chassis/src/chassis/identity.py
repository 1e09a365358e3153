"""Who calls: a signed token (JWT, EdDSA), verified against the issuer's public keys."""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import jwt

from chassis.errors import Unauthenticated

AUDIENCE = "cms3"
ALGORITHM = "EdDSA"
_STAFF_SUBJECT = re.compile(r"[A-Z0-9]{1,8}")
_REMEMBERED = 4096


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The caller. `subject` is a staff id of at most eight of A-Z0-9, or the name of a service."""

    subject: str
    roles: frozenset[str]
    office: str | None = None
    authority: str | None = None
    grade: str | None = None
    token: str = ""

    def has(self, role: str) -> bool:
        """Whether the token names the role."""
        return role in self.roles


class Verifier:
    """Checks tokens against the public keys in a JWKS file; a good token is remembered until it expires."""

    def __init__(self, jwks_file: Path, *, issuer: str) -> None:
        self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(json.loads(jwks_file.read_text())).keys}
        self._issuer = issuer
        self._good: OrderedDict[str, tuple[float, Identity]] = OrderedDict()
        self._lock = Lock()

    def identify(self, authorization: str | None) -> Identity:
        """The identity of an `Authorization` header's bearer token. Raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("NO_TOKEN", "no bearer token was given")
        remembered = self._remembered(token)
        if remembered is not None:
            return remembered
        claims = self._claims(token.strip())
        identity = _identity(claims, token)
        with self._lock:
            self._good[token] = (float(str(claims["exp"])), identity)
            if len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)
        return identity

    def _remembered(self, token: str) -> Identity | None:
        with self._lock:
            found = self._good.get(token)
            if found is not None and found[0] <= time.time():
                del self._good[token]
                found = None
        return found[1] if found else None

    def _claims(self, token: str) -> Mapping[str, object]:
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid")]
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as cause:
            raise Unauthenticated(
                "BAD_TOKEN", "the token is not good: expired, or not signed for this platform"
            ) from cause
        return claims


def _identity(claims: Mapping[str, object], token: str) -> Identity:
    roles, subject = claims.get("roles"), claims["sub"]
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated("BAD_TOKEN", "the token names no roles")
    if not isinstance(subject, str) or ("SERVICE" not in roles and not _STAFF_SUBJECT.fullmatch(subject)):
        raise Unauthenticated("BAD_TOKEN", "the token's subject is not a staff id")
    return Identity(
        subject=subject,
        roles=frozenset(roles),
        office=_text(claims, "office"),
        authority=_text(claims, "authority"),
        grade=_text(claims, "grade"),
        token=token,
    )


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


class ServiceToken:
    """A service's own token, in a file that the platform renews: read again whenever it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = -1
        self._token = ""

    def read(self) -> str:
        """The token as it is in the file now."""
        stamp = self._path.stat().st_mtime_ns
        if stamp != self._stamp:
            self._token, self._stamp = self._path.read_text().strip(), stamp
        return self._token
