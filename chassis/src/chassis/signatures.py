"""Signatures on the bus: whoever adds an entry to a stream signs it, and whoever reads it looks who did.

An entry is signed whole (Ed25519): all its fields, whatever they are, and the name of the stream, so that it says nothing
elsewhere. Two fields come with the signature: `signed_by`, the key's id, and `signature`. A key's id is its service's name and
a number (`intake-svc/2`): two keys of a service may be good at once, so that they can be changed.

A service has its private key in a file of its own, a JSON Web Key. The public keys of all services are in one file, a JSON Web
Key Set. docs/adr/0072-entries-of-the-bus-are-signed.md says what follows from it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chassis import logs
from chassis.key_files import ALGORITHM, BROKEN, KeysUnusable, read_public_keys, stamp

Entry = Mapping[str, bytes | str]
"""The fields of an entry that is to be added."""
Fields = Mapping[bytes, bytes]
"""The fields of an entry that was read."""

LARGEST_BYTES = 64 * 1024
"""The largest entry that is looked at. An event of the contract has some hundred bytes."""
_SIGNED_BY, _SIGNATURE = "signed_by", "signature"
_FORM = b"cms3 entry 1"
"""In front of all that is signed: a signature that was made for anything else is none on an entry."""
_STATEMENT = b"cms3 statement 1"
"""In front of what is signed beside the entries of the bus, so that neither passes for the other."""
_LENGTH_BYTES = 4


class Refused(Exception):
    """The entry is not what the service that it must come from has signed, or says what that service may not say.

    `reason` is one of `metrics.REFUSAL_REASONS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signed_bytes(stream: str, fields: Fields) -> bytes:
    """The bytes that are signed: the stream's name, and all fields but the signature by name, each behind its length."""
    told = sorted((name, value) for name, value in fields.items() if name != _SIGNATURE.encode())
    return _joined([_FORM, stream.encode(), *(part for field in told for part in field)])


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)


def as_read(entry: Entry) -> dict[bytes, bytes]:
    """The fields of an entry as they are read from the bus."""
    return {name.encode(): value.encode() if isinstance(value, str) else value for name, value in entry.items()}


def service_of(key_id: str) -> str:
    """The service whose key has this id."""
    return key_id.rpartition("/")[0]


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A service's private key."""

    key_id: str
    private: Ed25519PrivateKey

    @classmethod
    def generate(cls, service: str, *, number: int = 1) -> "SigningKey":
        """Makes a new key. The keys of a service are numbered from 1."""
        return cls(key_id=f"{service}/{number}", private=Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Reads the file of a private key. Raises OSError or KeysUnusable."""
        try:
            found = jwt.PyJWK.from_json(path.read_text())
        except BROKEN as cause:
            raise KeysUnusable(path) from cause
        if not found.key_id or not isinstance(found.key, Ed25519PrivateKey):
            raise KeysUnusable(path)
        return cls(key_id=found.key_id, private=found.key)

    def secret_text(self) -> str:
        """The text of its file, which nobody but its service may read."""
        return json.dumps(self._described(self.private))

    def public(self) -> dict[str, str]:
        """Its entry in the file of public keys."""
        return self._described(self.private.public_key())

    def _described(self, key: Ed25519PrivateKey | Ed25519PublicKey) -> dict[str, str]:
        described = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
        return described | {"kid": self.key_id, "alg": ALGORITHM, "use": "sig"}

    def signed(self, stream: str, entry: Entry) -> dict[str, bytes | str]:
        """The entry with its signature, for this stream."""
        named = {**entry, _SIGNED_BY: self.key_id}
        return {**named, _SIGNATURE: self.private.sign(signed_bytes(stream, as_read(named)))}


def sign_statement(key: SigningKey, kind: str, content: bytes) -> bytes:
    """Signs a statement of this kind."""
    return key.private.sign(_joined([_STATEMENT, kind.encode(), content]))


class UnknownKey(Exception):
    """No public key has this id."""


class BadSignature(Exception):
    """The key with this id has not signed this."""


def verify_statement(
    known: Mapping[str, Ed25519PublicKey], kind: str, content: bytes, *, key_id: str, signature: bytes
) -> None:
    """Raises UnknownKey or BadSignature unless the key with this id signed the statement of this kind."""
    key = known.get(key_id)
    if key is None:
        raise UnknownKey(key_id)
    try:
        key.verify(signature, _joined([_STATEMENT, kind.encode(), content]))
    except InvalidSignature as cause:
        raise BadSignature(key_id) from cause


def read_signatories(path: Path) -> dict[str, Ed25519PublicKey]:
    """The public keys of all services by their ids. Raises OSError or KeysUnusable."""
    found = read_public_keys(path)
    return {key_id: key.key for key_id, key in found.items() if key_id and isinstance(key.key, Ed25519PublicKey)}


class Signatures:
    """Signs by this service's key and verifies by the public keys of all. Both files are read again when they change.

    Raises OSError or KeysUnusable if one cannot be read at the start, or the public keys lack that of this service.
    """

    def __init__(self, service: str, *, signing_key_file: Path, signatories_file: Path) -> None:
        self._service = service
        self._files = (signing_key_file, signatories_file)
        self._stamps = self._stamps_now()
        self._read()

    def _stamps_now(self) -> list[tuple[int, int, int]]:
        return [stamp(path) for path in self._files]

    def _read(self) -> None:
        own_file, signatories_file = self._files
        own, known = SigningKey.load(own_file), read_signatories(signatories_file)
        # Others would refuse what is signed by a key that they do not find, or that is another's.
        if service_of(own.key_id) != self._service or known.get(own.key_id) != own.private.public_key():
            raise KeysUnusable(own_file)
        self._own, self._known = own, known

    def read_again(self) -> bool:
        """Reads both files again if one has changed. A step for a worker; returns False.

        Raises OSError or KeysUnusable if they cannot be used; the keys then stay as they are.
        """
        stamps = self._stamps_now()
        if stamps != self._stamps:
            self._read()
            self._stamps = stamps
            logs.get().info("signing keys read again", count=len(self._known))
        return False

    def signed(self, stream: str, entry: Entry) -> dict[str, bytes | str]:
        """The entry with this service's signature, for this stream."""
        return self._own.signed(stream, entry)

    def sign(self, kind: str, content: bytes) -> tuple[str, bytes]:
        """Signs a statement of this kind; returns the key's id and the signature."""
        own = self._own
        return own.key_id, sign_statement(own, kind, content)

    def signatory(self, stream: str, fields: Fields) -> str:
        """The service that signed the entry, for this stream. Raises Refused."""
        if sum(len(name) + len(value) for name, value in fields.items()) > LARGEST_BYTES:
            raise Refused("TOO_LARGE")
        key_id, signature = fields.get(_SIGNED_BY.encode()), fields.get(_SIGNATURE.encode())
        if key_id is None or signature is None:
            raise Refused("UNSIGNED")
        key = self._key(key_id.decode(errors="replace"))
        try:
            key.verify(signature, signed_bytes(stream, fields))
        except InvalidSignature as cause:
            raise Refused("BAD_SIGNATURE") from cause
        return service_of(key_id.decode())

    def _key(self, key_id: str) -> Ed25519PublicKey:
        """The public key with this id. Raises Refused."""
        if key_id not in self._known:
            try:
                self.read_again()  # a key that has just been published may be used before the worker has read it
            except (OSError, KeysUnusable) as cause:
                raise Refused("UNKNOWN_KEY") from cause  # the worker that reads the keys tells that they are unusable
        if key_id not in self._known:
            raise Refused("UNKNOWN_KEY")
        return self._known[key_id]

    def expect(self, service: str, stream: str, fields: Fields) -> None:
        """Raises Refused unless this service signed the entry, for this stream."""
        if self.signatory(stream, fields) != service:
            raise Refused("WRONG_SOURCE")
