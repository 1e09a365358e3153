"""A day's work on a device away from the office: the keys, the bundle, and the findings until they are brought back.

    device = Device.generate()
    taken = cms.assessment.TakeBundle(TakeBundleRequest(day=…, encryption_key=device.encryption_key, …)).bundle
    trip = Trip.open(device, taken.content, signed_by=taken.signing_key)
    trip.find("C0123456789A", "surname", "CONFIRMED", evidence=("PASSPORT", date.today()))
    content = trip.close(for_key=taken.return_key)

Everything that is written to the device's disk is encrypted: see `cms_client.trip_file`.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

MOST_BYTES = 2_000_000
_SIGNED = {"alg": "Ed25519", "typ": "cms-bundle"}
_SEALED = {"alg": "ECDH-ES", "enc": "A256GCM"}
_JWS = jws.JWSRegistry(algorithms=["Ed25519"])
_JWS.max_payload_length = MOST_BYTES
_JWE = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
_JWE.max_ciphertext_length = 2 * MOST_BYTES
STATUSES = ("CONFIRMED", "DISPUTED", "CORRECTED")


class NotThisBundle(Exception):
    """The content was altered on the way, or is not for this device."""

    def __init__(self) -> None:
        super().__init__("the bundle was altered on the way, or is not for this device: take it again")


@dataclass(frozen=True, kw_only=True)
class Device:
    """The device's keys for one bundle. They never leave it."""

    encryption: OKPKey
    signing: OKPKey

    @classmethod
    def generate(cls) -> "Device":
        """Returns new keys."""
        return cls(encryption=OKPKey.generate_key("X25519"), signing=OKPKey.generate_key("Ed25519"))

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Device":
        """Returns the keys that `dump` gave."""
        return cls(
            encryption=OKPKey.import_key(dict(kept["encryption"])), signing=OKPKey.import_key(dict(kept["signing"]))
        )

    def dump(self) -> dict[str, Any]:
        """Returns the private keys, as JWKs."""
        return {
            "encryption": self.encryption.as_dict(private=True),
            "signing": self.signing.as_dict(private=True),
        }

    @property
    def encryption_key(self) -> bytes:
        """The public key for which the service encrypts: X25519, 32 bytes."""
        return _public(self.encryption)

    @property
    def signing_key(self) -> bytes:
        """The public key of what the device brings back: Ed25519, 32 bytes."""
        return _public(self.signing)


@dataclass(kw_only=True)
class Trip:
    """A bundle that is open on the device, and what was found. `content` is the service's JSON: see docs/bundles.md."""

    device: Device
    content: Mapping[str, Any]
    findings: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """By claim and fact."""

    @classmethod
    def open(cls, device: Device, content: str, *, signed_by: bytes) -> "Trip":
        """Opens a bundle. Raises NotThisBundle unless the service signed all of it, for this device."""
        try:
            signed = jwe.decrypt_compact(content, device.encryption, registry=_JWE).plaintext or b""
            plain = jws.deserialize_compact(signed, _key("Ed25519", signed_by), registry=_JWS).payload
        except (JoseError, ValueError) as error:
            raise NotThisBundle from error
        return cls(device=device, content=json.loads(plain))

    def claim(self, claim_ref: str) -> Mapping[str, Any]:
        """Returns a claim of the bundle. KeyError where it has none of that reference."""
        claims = {claim["claim_ref"]: claim for claim in self.content["claims"]}
        found: Mapping[str, Any] = claims[claim_ref]
        return found

    def item(self, claim_ref: str, fact: str) -> Mapping[str, Any]:
        """Returns a fact as it was taken along. KeyError where the claim has none of that name."""
        items = {item["fact"]: item for item in self.claim(claim_ref)["items"]}
        found: Mapping[str, Any] = items[fact]
        return found

    def find(
        self,
        claim_ref: str,
        fact: str,
        status: str,
        *,
        evidence: tuple[str, date] | None = None,
        value: Any = None,
        reason: str = "",
    ) -> None:
        """Notes a finding; a later one replaces it.

        CORRECTED has the right value and a reason. DISPUTED may have what is held against the answer, and why.

        Raises KeyError for a fact that was not taken along, ValueError for another status.
        """
        self.item(claim_ref, fact)
        if status not in STATUSES:
            raise ValueError(f"a finding is one of {', '.join(STATUSES)}")
        found: dict[str, Any] = {"fact": fact, "status": status}
        if status == "CORRECTED":
            found |= {"value": value, "reason": reason}
        elif status == "DISPUTED":
            found |= {} if value is None else {"value": value}
            found |= {"reason": reason} if reason else {}
        if evidence is not None:
            kind, seen_on = evidence
            found["evidence"] = {"kind": kind, "seen_on": seen_on.isoformat()}
        self.findings.setdefault(claim_ref, {})[fact] = found

    def close(self, *, for_key: bytes) -> str:
        """Signs the findings with the device's key and encrypts them for the service."""
        claims = [{"claim_ref": ref, "findings": list(found.values())} for ref, found in self.findings.items()]
        plain = json.dumps({"bundle_id": self.content["bundle_id"], "claims": claims}).encode()
        signed = jws.serialize_compact(_SIGNED, plain, self.device.signing, registry=_JWS)
        return jwe.encrypt_compact(_SEALED, signed, _key("X25519", for_key), registry=_JWE)


def _key(curve: str, raw: bytes) -> OKPKey:
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return OKPKey.import_key({"kty": "OKP", "crv": curve, "x": text})


def _public(key: OKPKey) -> bytes:
    text = str(key.as_dict(private=False)["x"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
