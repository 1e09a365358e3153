"""Encryption at rest, and the look-up of a NINO that is stored encrypted.

Each claim has a data key of its own (AES-256-GCM), wrapped by a key that never enters the database. What is sealed is
bound to its place by the associated data (service, claim, field, version): a value copied elsewhere does not open.
The keyring is a JSON file: {"current": id, "wrapping": {id: base64 of 32 bytes}, "lookup": base64, "requests": base64}.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.json import decode, encode

from chassis.database import Connection, Row
from chassis.errors import FailedPrecondition

_NONCE_BYTES = 12
# Makes a claim's key, unless there is one or the claim is erased.
_MAKE_KEY = """
    INSERT INTO data_keys (claim_ref, key_id, wrapped)
    SELECT %(claim_ref)s::text, %(key_id)s, %(wrapped)s::bytea
    WHERE NOT EXISTS (SELECT FROM erased_claims WHERE claim_ref = %(claim_ref)s)
    ON CONFLICT DO NOTHING RETURNING 1
"""


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """Keys from outside the database."""

    current: str
    wrapping: Mapping[str, bytes]
    lookup: bytes
    requests: bytes

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Reads the keyring file. Raises KeyError, ValueError or OSError if it is not one."""
        raw = json.loads(path.read_text())
        return cls(
            current=raw["current"],
            wrapping={key_id: base64.b64decode(key) for key_id, key in raw["wrapping"].items()},
            lookup=base64.b64decode(raw["lookup"]),
            requests=base64.b64decode(raw["requests"]),
        )

    @staticmethod
    def generate() -> str:
        """Returns the text of a new keyring file."""

        def key() -> str:
            return base64.b64encode(secrets.token_bytes(32)).decode()

        return json.dumps({"current": "1", "wrapping": {"1": key()}, "lookup": key(), "requests": key()})


def _encrypt(cipher: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, place.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, place: str) -> bytes:
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())


@dataclass(frozen=True)
class ClaimCipher:
    """Seals and opens what belongs to one claim.

    The cipher of an erased claim has no key: whatever is sealed or opened raises FailedPrecondition (`CLAIM_ERASED`).
    """

    service: str
    claim_ref: str
    _cipher: AESGCM | None

    def seal(self, value: Any, *, field: str, version: int) -> bytes:
        """Encrypts a JSON value for this field and version."""
        return self.seal_bytes(encode(value), field=field, version=version)

    def open(self, sealed: bytes, *, field: str, version: int) -> Any:
        """Decrypts a JSON value. Raises cryptography.exceptions.InvalidTag if it was sealed for another place."""
        return decode(self.open_bytes(sealed, field=field, version=version))

    def seal_bytes(self, plain: bytes, *, field: str, version: int) -> bytes:
        """Encrypts bytes for this field and version."""
        return _encrypt(self._key(), plain, self._place(field, version))

    def open_bytes(self, sealed: bytes, *, field: str, version: int) -> bytes:
        """Decrypts bytes. Raises cryptography.exceptions.InvalidTag if they were sealed for another place."""
        return _decrypt(self._key(), sealed, self._place(field, version))

    def _key(self) -> AESGCM:
        if self._cipher is None:
            raise FailedPrecondition(
                "CLAIM_ERASED",
                "the claim is erased: what was said for it cannot be read any more",
                metadata={"claim_ref": self.claim_ref},
            )
        return self._cipher

    def _place(self, field: str, version: int) -> str:
        return f"{self.service}|{self.claim_ref}|{field}|{version}"


class Vault:
    """A service's access to its keys."""

    def __init__(self, service: str, keyring: Keyring) -> None:
        self._service = service
        self._keyring = keyring
        self._wrapping = {key_id: AESGCM(key) for key_id, key in keyring.wrapping.items()}

    def cipher(self, conn: Connection, claim_ref: str) -> ClaimCipher:
        """Returns a claim's cipher, and makes its data key in this transaction if there is none yet.

        Keys are not remembered between transactions: a key whose transaction is rolled back would seal values that
        nobody can open again.
        """
        key = self._stored(conn, claim_ref) or self._new(conn, claim_ref)
        return ClaimCipher(self._service, claim_ref, key)

    def cipher_of(self, claim_ref: str, row: Row) -> ClaimCipher:
        """The cipher of a claim whose data key (`key_id`, `wrapped`) was read with the claim; both are None if it is erased."""
        key = None if row["key_id"] is None else self._unwrapped(claim_ref, row)
        return ClaimCipher(self._service, claim_ref, key)

    def _stored(self, conn: Connection, claim_ref: str) -> AESGCM | None:
        row = conn.execute("SELECT key_id, wrapped FROM data_keys WHERE claim_ref = %s", [claim_ref]).fetchone()
        return None if row is None else self._unwrapped(claim_ref, row)

    def _unwrapped(self, claim_ref: str, row: Row) -> AESGCM:
        return AESGCM(_decrypt(self._wrapping[row["key_id"]], row["wrapped"], self._key_place(claim_ref)))

    def _new(self, conn: Connection, claim_ref: str) -> AESGCM | None:
        """Makes the claim's key; None where the claim is erased."""
        key = AESGCM.generate_key(bit_length=256)
        wrapped = _encrypt(self._wrapping[self._keyring.current], key, self._key_place(claim_ref))
        made = conn.execute(
            _MAKE_KEY, {"claim_ref": claim_ref, "key_id": self._keyring.current, "wrapped": wrapped}
        ).fetchone()
        if made is not None:
            return AESGCM(key)
        return self._stored(conn, claim_ref)

    def _key_place(self, claim_ref: str) -> str:
        return f"{self._service}|{claim_ref}|data-key"

    def lookup(self, text: str) -> bytes:
        """Returns the HMAC by which a normalised value is indexed."""
        return hmac.digest(self._keyring.lookup, text.encode(), "sha256")

    def request_hmac(self, body: bytes) -> bytes:
        """Returns the HMAC of a request's body."""
        return hmac.digest(self._keyring.requests, body, "sha256")

    def seal_response(self, plain: bytes, *, place: str) -> bytes:
        """Encrypts a response for retries, bound to its request. The first byte is the length of the key's id."""
        key_id = self._keyring.current.encode()
        return bytes([len(key_id)]) + key_id + _encrypt(self._wrapping[self._keyring.current], plain, place)

    def open_response(self, sealed: bytes, *, place: str) -> bytes:
        """Decrypts a kept response."""
        length = sealed[0]
        key_id = sealed[1 : 1 + length].decode()
        return _decrypt(self._wrapping[key_id], sealed[1 + length :], place)
