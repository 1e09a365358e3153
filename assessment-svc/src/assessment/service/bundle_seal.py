"""Signs and encrypts bundles, and opens what is brought back: a JWS (RFC 7515, Ed25519) in a JWE (RFC 7516, X25519, A256GCM).

Each bundle has keys of its own, made when it is taken and deleted when it ends: what was copied on the way cannot be brought
back then, and this service can no longer read it.
"""

import base64
from dataclasses import dataclass

import msgspec
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from assessment.domain.bundles import BundleAltered
from chassis.errors import InvalidArgument, Violation

MOST_BYTES = 1_000_000
"""The largest content. joserfc would stop at 64 KiB, which a day of interviews exceeds."""
KEY_BYTES = 32
_SIGNED = {"alg": "Ed25519", "typ": "cms-bundle"}
_SEALED = {"alg": "ECDH-ES", "enc": "A256GCM"}
_JWS = jws.JWSRegistry(algorithms=["Ed25519"])
_JWS.max_payload_length = MOST_BYTES
_JWE = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
_JWE.max_ciphertext_length = 2 * MOST_BYTES


class _Kept(msgspec.Struct, frozen=True):
    """JWKs (RFC 8037) with their private parts."""

    signing: dict[str, str]
    returning: dict[str, str]


_DECODER = msgspec.json.Decoder(_Kept)


@dataclass(frozen=True, kw_only=True)
class OwnKeys:
    """This service's keys for one bundle: it signs with the first, and opens what comes back with the second."""

    signing: OKPKey
    returning: OKPKey

    @classmethod
    def generate(cls) -> "OwnKeys":
        """Returns new keys."""
        return cls(signing=OKPKey.generate_key("Ed25519"), returning=OKPKey.generate_key("X25519"))

    @classmethod
    def load(cls, kept: bytes) -> "OwnKeys":
        """Returns the keys that `dump` wrote."""
        found = _DECODER.decode(kept)
        return cls(signing=OKPKey.import_key(dict(found.signing)), returning=OKPKey.import_key(dict(found.returning)))

    def dump(self) -> bytes:
        """Returns the private keys, to be sealed."""
        return msgspec.json.encode(
            {"signing": self.signing.as_dict(private=True), "returning": self.returning.as_dict(private=True)}
        )

    @property
    def public(self) -> tuple[bytes, bytes]:
        """The public keys: of the signature, and of what comes back."""
        return _public(self.signing), _public(self.returning)


def device_key(curve: str, given: bytes, *, field: str) -> OKPKey:
    """A device's public key. Raises InvalidArgument naming `field` where it is none."""
    try:
        if len(given) != KEY_BYTES:
            raise ValueError(len(given))
        return OKPKey.import_key({"kty": "OKP", "crv": curve, "x": _text(given)})
    except (JoseError, ValueError):
        raise InvalidArgument.of(Violation(field=field, description=f"is no public key of {curve}, 32 bytes")) from None


def seal(plain: bytes, *, keys: OwnKeys, device: OKPKey) -> str:
    """Signs the content with this service's key and encrypts it for the device.

    Raises InvalidArgument naming `encryption_key` for a key by which nothing can be kept secret, such as one of zeros.
    """
    signed = jws.serialize_compact(_SIGNED, plain, keys.signing, registry=_JWS)
    try:
        return jwe.encrypt_compact(_SEALED, signed, device, registry=_JWE)
    except ValueError:
        fault = Violation(field="encryption_key", description="is a key of X25519 by which nothing can be encrypted")
        raise InvalidArgument.of(fault) from None


def open_returned(content: str, *, keys: OwnKeys, signed_by: bytes) -> bytes:
    """Opens what a device brought back. Raises BundleAltered unless it signed all of it for this bundle."""
    try:
        signed = jwe.decrypt_compact(content, keys.returning, registry=_JWE).plaintext or b""
        device = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _text(signed_by)})
        return jws.deserialize_compact(signed, device, registry=_JWS).payload
    except (JoseError, ValueError, TypeError) as error:  # a TypeError for a header whose parts are of another kind
        raise BundleAltered("cannot be opened with the keys of this bundle") from error


def _public(key: OKPKey) -> bytes:
    text = str(key.as_dict(private=False)["x"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
