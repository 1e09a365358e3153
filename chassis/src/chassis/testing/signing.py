"""Keys by which services sign on the bus in tests. They follow from the service's name, so that every process has the same."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import contract
from chassis.bus import Bus
from chassis.signatures import Entry, Signatures, SigningKey

SignaturesOf = Callable[[str], Signatures]


def signing_key(service: str, *, number: int = 1) -> SigningKey:
    """The key of a service in tests."""
    key_id = f"{service}/{number}"
    seed = hashlib.sha256(f"key of a test: {key_id}".encode()).digest()
    return SigningKey(key_id=key_id, private=Ed25519PrivateKey.from_private_bytes(seed))


def signing_files(folder: Path, service: str) -> tuple[Path, Path]:
    """Writes the service's own key and the public keys of all services; gives the two files."""
    own, signatories = folder / f"{service}.signing.json", folder / "signatories.json"
    own.write_text(signing_key(service).secret_text())
    publish(signatories, *(signing_key(name) for name in sorted({*contract.packages(), service})))
    return own, signatories


def publish(signatories: Path, *keys: SigningKey) -> None:
    """Writes the file of public keys."""
    fresh = signatories.with_suffix(".new")
    fresh.write_text(json.dumps({"keys": [key.public() for key in keys]}))
    fresh.replace(signatories)


def add_signed(bus: Bus, stream: str, *entries: Entry, by: str) -> None:
    """Adds entries that this service signed."""
    bus.add(stream, [signing_key(by).signed(stream, entry) for entry in entries])


@pytest.fixture
def signatures_of(tmp_path: Path) -> SignaturesOf:
    """Gives the signatures of a service."""

    def make(service: str) -> Signatures:
        own, signatories = signing_files(tmp_path, service)
        return Signatures(service, signing_key_file=own, signatories_file=signatories)

    return make
