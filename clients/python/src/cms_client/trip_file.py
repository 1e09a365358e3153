"""A trip in a file on the device, encrypted with a passphrase: JWE (RFC 7516) with PBES2-HS512+A256KW and A256GCM.

The file holds the device's keys, the bundle as the service encrypted it, and the findings; nothing of it is in the clear.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from cms_client.bundles import Device, Trip

MOST_BYTES = 8_000_000
_ROUNDS = 250_000
"""Rounds of PBKDF2 with SHA-512, at which joserfc stops short; OWASP asks for 210,000."""
_HEADER = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": _ROUNDS}
_JWE = jwe.JWERegistry(algorithms=["PBES2-HS512+A256KW", "A256GCM"])
_JWE.max_ciphertext_length = MOST_BYTES


SHORTEST_PASSPHRASE = 14


class ShortPassphrase(Exception):
    """The passphrase is too short to protect claimants' answers on a device."""

    def __init__(self) -> None:
        super().__init__(f"the passphrase must have {SHORTEST_PASSPHRASE} characters at least")


class WrongPassphrase(Exception):
    """The file cannot be opened with this passphrase, or was altered."""

    def __init__(self) -> None:
        super().__init__("the file cannot be opened: the passphrase is another, or the file was altered")


@dataclass(kw_only=True)
class TripFile:
    """The stored state of a trip. `request_id` is that of the bundle's return, so that a retry is the same request."""

    device: Device
    bundle_id: str
    content: str
    signing_key: bytes
    return_key: bytes
    return_by: str
    request_id: str
    trip: Trip

    @classmethod
    def taken(cls, device: Device, bundle: object) -> "TripFile":
        """A new trip from the service's `Bundle`. Raises NotThisBundle."""
        given: dict[str, object] = {
            name: getattr(bundle, name) for name in ("bundle_id", "content", "signing_key", "return_key", "return_by")
        }
        trip = Trip.open(device, str(given["content"]), signed_by=_raw(given["signing_key"]))
        return cls(
            device=device,
            bundle_id=str(given["bundle_id"]),
            content=str(given["content"]),
            signing_key=_raw(given["signing_key"]),
            return_key=_raw(given["return_key"]),
            return_by=trip.content["return_by"],
            request_id=str(uuid4()),
            trip=trip,
        )

    @classmethod
    def read(cls, path: Path, passphrase: str) -> "TripFile":
        """Opens the file. Raises WrongPassphrase, and NotThisBundle where the bundle in it is no longer as it was signed."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise WrongPassphrase
        try:
            plain = jwe.decrypt_compact(path.read_text(), OctKey.import_key(passphrase), registry=_JWE).plaintext or b""
            kept = json.loads(plain)
        except (JoseError, ValueError) as error:
            raise WrongPassphrase from error
        device, signing_key = Device.load(kept["device"]), b64decode(kept["signing_key"])
        trip = Trip.open(device, kept["content"], signed_by=signing_key)
        trip.findings = kept["findings"]
        return cls(
            device=device,
            bundle_id=kept["bundle_id"],
            content=kept["content"],
            signing_key=signing_key,
            return_key=b64decode(kept["return_key"]),
            return_by=kept["return_by"],
            request_id=kept["request_id"],
            trip=trip,
        )

    def write(self, path: Path, passphrase: str) -> None:
        """Writes the file whole or not at all; only its owner can read it. Raises ShortPassphrase."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise ShortPassphrase
        kept = {
            "device": self.device.dump(),
            "bundle_id": self.bundle_id,
            "content": self.content,
            "signing_key": b64encode(self.signing_key).decode(),
            "return_key": b64encode(self.return_key).decode(),
            "return_by": self.return_by,
            "request_id": self.request_id,
            "findings": self.trip.findings,
        }
        sealed = jwe.encrypt_compact(_HEADER, json.dumps(kept), OctKey.import_key(passphrase), registry=_JWE)
        part = path.with_name(f"{path.name}.part")
        part.touch(mode=0o600)
        part.write_text(sealed)
        part.replace(path)

    def changed(self) -> None:
        """Notes that the findings are others than those that may have been sent: their return is a new request."""
        self.request_id = str(uuid4())


def _raw(given: object) -> bytes:
    if not isinstance(given, bytes):
        raise TypeError(type(given).__name__)
    return given
