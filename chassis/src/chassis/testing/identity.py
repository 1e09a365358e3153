"""Keys, tokens and a clock of the test's own."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import clock, contract
from chassis.identity import LONGEST_SERVICE_SECONDS, SERVICE
from chassis.key_files import ALGORITHM
from chassis.testing.servers import FOLDER
from chassis.vault import Keyring, Vault

ISSUER = "cms3-tests"
_KEY_ID = "tests"


@pytest.fixture
def vault() -> Vault:
    """A vault with fresh keys, of a service named `test`."""
    return Vault("test", _keyring())


def _keyring() -> Keyring:
    folder = Path(os.environ[FOLDER])
    path = folder / f"keyring-{uuid.uuid4().hex}.json"
    path.write_text(Keyring.generate())
    return Keyring.load(path)


class Tokens:
    """Issues tokens as the platform's issuer would, and files that services read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jwks_file = folder / "jwks.json"
        self._key_id = _KEY_ID
        self._published: list[dict[str, Any]] = []
        self.change_key(_KEY_ID, withdraw=True)
        self.keyring_file = folder / "keyring.json"
        self.keyring_file.write_text(Keyring.generate())

    def change_key(self, key_id: str, *, withdraw: bool) -> None:
        """Signs with a new key from now on. The file keeps the earlier keys, unless they are withdrawn."""
        self.key, self._key_id = Ed25519PrivateKey.generate(), key_id
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self.key.public_key()))
        kept = [] if withdraw else self._published
        self._published = [*kept, public | {"kid": key_id, "alg": ALGORITHM, "use": "sig"}]
        fresh = self.folder / "jwks.json.new"
        fresh.write_text(json.dumps({"keys": self._published}))
        fresh.replace(self.jwks_file)

    def issue(self, *roles: str, subject: str = "", seconds: float = LONGEST_SERVICE_SECONDS, **claims: Any) -> str:
        """A token of these roles for all services; further claims (office, authority, grade, aud …) by name.

        Without a subject it is OP000001's, a service's la-notifier's.
        """
        body = {
            "iss": ISSUER,
            "aud": list(contract.packages()),
            "sub": subject or ("la-notifier" if SERVICE in roles else "OP000001"),
            "roles": list(roles),
            "iat": int(time.time()),
            "exp": int(time.time() + seconds),
        } | claims
        return jwt.encode(body, self.key, algorithm=ALGORITHM, headers={"kid": self._key_id, "typ": "at+jwt"})

    def service_file(self, service: str, *, seconds: float = LONGEST_SERVICE_SECONDS) -> Path:
        """A file with the tokens of a service, for the services that it calls."""
        called = contract.services_called_by(service)
        path = self.folder / f"{service}.token"
        own = {name: self.issue("SERVICE", subject=service, seconds=seconds, aud=name) for name in called}
        path.write_text(json.dumps(own))
        return path


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """An issuer of the test's own."""
    return Tokens(tmp_path)


@pytest.fixture
def clock_file(tmp_path: Path) -> Iterator[Path]:
    """A clock of the test's own: `clock.advance` moves it."""
    path = tmp_path / "clock-offset"
    clock.configure(path)
    yield path
    clock.configure(None)


def begin_at_noon() -> None:
    """Moves the test's own clock to noon in London, for tests in which a day must not end."""
    clock.advance(clock.now().astimezone(clock.LONDON).replace(hour=12) - clock.now())
