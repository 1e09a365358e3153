"""Callers' identities: signed tokens (JWT, EdDSA) for one service, verified against the issuer's public keys."""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import cast

import jwt

from chassis import logs
from chassis.errors import Unauthenticated
from chassis.key_files import ALGORITHM, read_public_keys, stamp
from chassis.revocations import Revocations

LEEWAY_SECONDS = 30
"""How far the issuer's clock may be from ours: so much earlier a token counts already, and so much later still."""
LONGEST_SECONDS = 12 * 3600.0
"""The longest life of a person's token, a working day, unless a setting says otherwise."""
LONGEST_SERVICE_SECONDS = 15 * 60.0
"""The longest life of a service's token, unless a setting says otherwise."""
SERVICE = "SERVICE"
"""The role of services and of systems that call by themselves: the only role of its token."""
_TYPES = ("at+jwt", "application/at+jwt")
"""Media types of an access token (RFC 9068): an ID token, or a token of another purpose, has another one."""
_STAFF_SUBJECT = re.compile(r"[A-Z0-9]{1,8}")
_SERVICE_SUBJECT = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,7}")
_PLACE = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""An office, an authority or a grade."""
_LONGEST_SUBJECT = 64
_COMPACT = re.compile(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
"""A token's form, which libraries read with more patience: they pass over characters that have no place in it."""
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

    @property
    def is_service(self) -> bool:
        """Whether a service or a system calls by itself, and not a person."""
        return SERVICE in self.roles

    def has(self, role: str) -> bool:
        """Whether the token names the role."""
        return role in self.roles


class _Trust:
    """One set of the issuer's keys and revocations, with the tokens that were verified by them, until these expire.

    They change together: a call that began under the old keys cannot add its token to the new set.
    """

    def __init__(self, keys: Mapping[str | None, jwt.PyJWK], revocations: Revocations) -> None:
        self.keys = keys
        self.revocations = revocations
        self._good: OrderedDict[tuple[str, str], tuple[float, Identity]] = OrderedDict()
        self._lock = Lock()

    def remember(self, identity: Identity, audience: str, *, until: float) -> None:
        """`until` is in seconds since the epoch."""
        with self._lock:
            self._good[identity.token, audience] = (until, identity)
            if len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)

    def remembered(self, token: str, audience: str) -> Identity | None:
        """The owner of a token that was good at this audience, and is not expired."""
        with self._lock:
            found = self._good.get((token, audience))
            if found is not None and found[0] <= time.time():
                del self._good[token, audience]
                found = None
        return found[1] if found else None


class Verifier:
    """Verifies tokens against the public keys in a JWKS file, and remembers a valid token until it expires.

    `audience` is the service for which a token must have been issued, alone or among others. `longest_seconds` and
    `longest_service_seconds` bound the life of a token, from its issue to its expiry: of a person's, and of a service's.
    `revoked_file` lists subjects and tokens that no longer count. Raises OSError or KeysUnusable if a file cannot be read at
    the start.
    """

    def __init__(
        self,
        jwks_file: Path,
        *,
        issuer: str,
        audience: str,
        longest_seconds: float = LONGEST_SECONDS,
        longest_service_seconds: float = LONGEST_SERVICE_SECONDS,
        revoked_file: Path | None = None,
    ) -> None:
        self._jwks_file = jwks_file
        self._issuer = issuer
        self._audience = audience
        self._longest_seconds = longest_seconds
        self._longest_service_seconds = longest_service_seconds
        self._revoked_file = revoked_file
        self._stamps = self._stamps_now()
        self._trust = self._read()

    def read_again(self) -> bool:
        """Reads keys and revocations again if a file has changed, and forgets every token, since it may count no longer.

        A step for a worker, so that no call waits for a file; returns False. Raises OSError or KeysUnusable if a file
        cannot be read; both then stay as they are.
        """
        found = self._stamps_now()
        if found != self._stamps:
            self._trust = self._read()
            self._stamps = found
            logs.get().info("keys and revocations read again", count=len(self._trust.keys))
        return False

    def _stamps_now(self) -> list[tuple[int, int, int]]:
        return [stamp(path) for path in (self._jwks_file, self._revoked_file) if path is not None]

    def _read(self) -> _Trust:
        return _Trust(read_public_keys(self._jwks_file), Revocations.read(self._revoked_file))

    def identify(self, authorization: str | None) -> Identity:
        """Returns the identity in an `Authorization` header's bearer token. Raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("NO_TOKEN", "no bearer token was given")
        return self._identify(token, self._audience)

    def person_behind(self, service: Identity, token: str) -> Identity:
        """Returns the person for whom a service calls, whose token must be for that service. Raises Unauthenticated."""
        person = self._identify(token, service.subject)
        if person.is_service:
            raise Unauthenticated("BAD_TOKEN", "a service calls for a person, and for no other service")
        return person

    def _identify(self, token: str, audience: str) -> Identity:
        if not _COMPACT.fullmatch(token):  # what stands in a second header, for one, which comes behind a comma
            raise Unauthenticated("BAD_TOKEN", "the authorization is not one bearer token")
        trust = self._trust
        remembered = trust.remembered(token, audience)
        if remembered is not None:
            return remembered
        claims = self._claims(token, audience, trust.keys)
        identity = _identity(claims, token)
        self._expect_short_life(claims, identity)
        if trust.revocations.name(claims, issued=_seconds(claims, "iat")):
            raise Unauthenticated("REVOKED", "the token was revoked: sign in again")
        trust.remember(identity, audience, until=_seconds(claims, "exp") + LEEWAY_SECONDS)
        return identity

    def _expect_short_life(self, claims: Mapping[str, object], identity: Identity) -> None:
        longest = self._longest_service_seconds if identity.is_service else self._longest_seconds
        if _seconds(claims, "exp") - _seconds(claims, "iat") > longest:
            raise Unauthenticated("BAD_TOKEN", "the token lives longer than this platform allows")

    def _claims(self, token: str, audience: str, keys: Mapping[str | None, jwt.PyJWK]) -> Mapping[str, object]:
        try:
            header = jwt.get_unverified_header(token)
            if str(header.get("typ")).lower() not in _TYPES:
                raise jwt.InvalidTokenError("typ")
            key = keys[header.get("kid")]
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as cause:
            raise Unauthenticated(
                "BAD_TOKEN", "the token is invalid: expired, or not issued for this service"
            ) from cause
        return claims


def _identity(claims: Mapping[str, object], token: str) -> Identity:
    roles, subject = claims.get("roles"), claims["sub"]
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated("BAD_TOKEN", "the token names no roles")
    if SERVICE in roles and len(roles) > 1:
        raise Unauthenticated("BAD_TOKEN", "the token has roles of a service and of a person")
    expected = _SERVICE_SUBJECT if SERVICE in roles else _STAFF_SUBJECT
    if not isinstance(subject, str) or len(subject) > _LONGEST_SUBJECT or not expected.fullmatch(subject):
        raise Unauthenticated("BAD_TOKEN", "the token's subject is neither a staff id nor the name of a service")
    return Identity(
        subject=subject,
        roles=frozenset(roles),
        office=_text(claims, "office"),
        authority=_text(claims, "authority"),
        grade=_text(claims, "grade"),
        token=token,
    )


def _seconds(claims: Mapping[str, object], name: str) -> int:
    return int(cast(float, claims[name]))  # as the library read it


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _PLACE.fullmatch(value):
        raise Unauthenticated("BAD_TOKEN", f"the token's {name} is malformed")
    return value


class ServiceTokens:
    """A service's own tokens: one for each service that it calls, since a token is good at one service alone.

    They are in a file of JSON, by the name of the service that is called. The platform renews them: the file is read again
    whenever it changes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: Mapping[str, str] = {}

    def to(self, service: str) -> str:
        """Returns the token for a service that is in the file now. KeyError where the file has none for it."""
        found = stamp(self._path)
        if found != self._stamp:
            self._tokens, self._stamp = json.loads(self._path.read_bytes()), found
        return self._tokens[service]
