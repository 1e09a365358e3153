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

from chassis import clock
from chassis.identity import AUDIENCE
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

    def issue(self, *roles: str, subject: str = "OP000001", seconds: float = 3600, **claims: Any) -> str:
        """A token of these roles; further claims (office, authority, grade, aud …) by name."""
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": list(roles),
            "iat": int(time.time()),
            "exp": int(time.time() + seconds),
        } | claims
        return jwt.encode(body, self.key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def service_file(self, service: str) -> Path:
        """A file with the token of a service."""
        path = self.folder / f"{service}.token"
        path.write_text(self.issue("SERVICE", subject=service))
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
