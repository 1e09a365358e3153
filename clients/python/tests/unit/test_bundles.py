"""A bundle on the device: opened only with its keys, kept only encrypted, and brought back whole."""

import base64
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import OKPKey

from cms_client.bundle_command import main
from cms_client.bundles import Device, NotThisBundle, Trip
from cms_client.trip_file import ShortPassphrase, TripFile, WrongPassphrase

CLAIM, CANARY, PASSPHRASE = "C0123456789A", "canary-of-a-surname", "a long passphrase"
CONTENT = {
    "bundle_id": "4b4b1f0e-52c5-5f0e-8a3d-3a1f6f2c9d10",
    "return_by": "2026-12-02T00:00:00Z",
    "claims": [
        {
            "claim_ref": CLAIM,
            "schemes": ["INCOME_SUPPORT"],
            "appointment": {"start_time": "2026-12-01T10:00:00+00:00"},
            "needs": [],
            "items": [{"fact": "surname", "value": CANARY, "status": "UNCHECKED"}],
        }
    ],
}


@dataclass(frozen=True, kw_only=True)
class BundleOfTests:
    """A bundle as the service gives it."""

    bundle_id: str
    content: str
    signing_key: bytes
    return_key: bytes
    return_by: str = ""


def public(key: OKPKey) -> bytes:
    text = str(key.as_dict(private=False)["x"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def device() -> Device:
    return Device.generate()


@pytest.fixture
def own() -> tuple[OKPKey, OKPKey]:
    """The service's keys: of its signature, and of what comes back."""
    return OKPKey.generate_key("Ed25519"), OKPKey.generate_key("X25519")


@pytest.fixture
def bundle(device: Device, own: tuple[OKPKey, OKPKey]) -> BundleOfTests:
    signing, returning = own
    signed = jws.serialize_compact({"alg": "Ed25519"}, json.dumps(CONTENT), signing, algorithms=["Ed25519"])
    content = jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, signed, device.encryption)
    return BundleOfTests(
        bundle_id=str(CONTENT["bundle_id"]), content=content, signing_key=public(signing), return_key=public(returning)
    )


def test_a_bundle_opens_only_with_the_devices_key_and_the_services_signature(
    device: Device, bundle: BundleOfTests
) -> None:
    assert Trip.open(device, bundle.content, signed_by=bundle.signing_key).item(CLAIM, "surname")["value"] == CANARY

    with pytest.raises(NotThisBundle):
        Trip.open(Device.generate(), bundle.content, signed_by=bundle.signing_key)
    with pytest.raises(NotThisBundle):
        Trip.open(device, bundle.content, signed_by=public(OKPKey.generate_key("Ed25519")))
    with pytest.raises(NotThisBundle):
        Trip.open(device, bundle.content[:-4], signed_by=bundle.signing_key)


def test_findings_are_signed_and_encrypted_for_the_service(
    device: Device, bundle: BundleOfTests, own: tuple[OKPKey, OKPKey]
) -> None:
    trip = Trip.open(device, bundle.content, signed_by=bundle.signing_key)
    trip.find(CLAIM, "surname", "CONFIRMED", evidence=("PASSPORT", date(2026, 12, 1)))

    signed = jwe.decrypt_compact(trip.close(for_key=bundle.return_key), own[1]).plaintext or b""
    plain = json.loads(jws.deserialize_compact(signed, device.signing, algorithms=["Ed25519"]).payload)

    proof = {"kind": "PASSPORT", "seen_on": "2026-12-01"}
    finding = {"fact": "surname", "status": "CONFIRMED", "evidence": proof}
    assert plain == {"bundle_id": CONTENT["bundle_id"], "claims": [{"claim_ref": CLAIM, "findings": [finding]}]}


def test_the_file_of_a_trip_shows_nothing_without_its_passphrase(
    device: Device, bundle: BundleOfTests, tmp_path: Path
) -> None:
    path = tmp_path / "trip.cms"

    TripFile.taken(device, bundle).write(path, PASSPHRASE)

    assert CANARY not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert TripFile.read(path, PASSPHRASE).trip.content == CONTENT
    with pytest.raises(WrongPassphrase):
        TripFile.read(path, "another long passphrase")
    with pytest.raises(ShortPassphrase):
        TripFile.taken(device, bundle).write(path, "short")


def test_findings_are_noted_by_the_command_and_the_return_is_then_a_new_request(
    device: Device, bundle: BundleOfTests, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    path = tmp_path / "trip.cms"
    monkeypatch.setenv("CMS_BUNDLE_PASSPHRASE", PASSPHRASE)
    TripFile.taken(device, bundle).write(path, PASSPHRASE)
    before = TripFile.read(path, PASSPHRASE).request_id

    assert main(["correct", str(path), CLAIM, "surname", '"Abbot"', "--reason", "saw the passport"]) == 0
    assert main(["confirm", str(path), CLAIM, "shoe_size"]) == 1
    assert main(["show", str(path)]) == 0

    after = TripFile.read(path, PASSPHRASE)
    assert after.trip.findings[CLAIM]["surname"]["value"] == "Abbot"
    assert after.request_id != before
    shown = capsys.readouterr()
    assert f'surname: "{CANARY}"  CORRECTED' in shown.out
    assert "shoe_size was not taken along" in shown.err


def test_a_dispute_is_noted_with_what_is_held_against_the_answer_and_why(
    device: Device, bundle: BundleOfTests, tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "trip.cms"
    monkeypatch.setenv("CMS_BUNDLE_PASSPHRASE", PASSPHRASE)
    TripFile.taken(device, bundle).write(path, PASSPHRASE)
    doubt = {"fact": "surname", "status": "DISPUTED"}

    assert main(["dispute", str(path), CLAIM, "surname"]) == 0
    assert TripFile.read(path, PASSPHRASE).trip.findings[CLAIM]["surname"] == doubt
    assert main(["dispute", str(path), CLAIM, "surname", "--value", '"Abbot"', "--reason", "the passport says so"]) == 0

    noted = TripFile.read(path, PASSPHRASE).trip.findings[CLAIM]["surname"]
    assert noted == {**doubt, "value": "Abbot", "reason": "the passport says so"}
