"""Makes the keys and tokens of a platform for development, in files that only their owner may read."""

import base64
import json
import secrets
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.identity import ALGORITHM, AUDIENCE
from chassis.vault import Keyring
from cms_local.layout import SERVICES, STAND_INS

ISSUER = "cms3-development"
_KEY_ID = "development"
_SERVICE_TOKEN_SECONDS = 30 * 24 * 3600
STAFF_TOKEN_SECONDS = 12 * 3600
_SSH_KEYS = ("pscs-host", "pscs-user", "councils-host", "councils-user")
"""The keys by which PSCS and the councils prove their identity, and the gateway and the notifier theirs to them."""


def make_keys(folder: Path, *, authority_codes: Iterable[str]) -> None:
    """Makes the keys that are absent in `folder`, and renews the tokens of services, and of stand-ins that call them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "issuer.pem").exists():
        _make_issuer(folder)
    if not (folder / "keyring.json").exists():
        _write(folder / "keyring.json", Keyring.generate())
    _add_council_secrets(folder / "councils.json", authority_codes)
    for name in _SSH_KEYS:
        if not (folder / f"{name}.pem").exists():
            _make_ssh_key(folder, name)
    if not (folder / "cms-cots.token").exists():
        _write(folder / "cms-cots.token", secrets.token_urlsafe(32))
    if not (folder / "notify.key").exists():
        _write(folder / "notify.key", f"cms3-{uuid.uuid4()}-{uuid.uuid4()}")
    for name in SERVICES:
        _write(folder / f"{name}.token", issue(folder, "SERVICE", subject=name, seconds=_SERVICE_TOKEN_SECONDS))
    renew_tokens_of_stand_ins(folder)


def renew_tokens_of_stand_ins(folder: Path) -> None:
    """Issues the tokens of stand-ins that call services anew: that of a person does not live as long as the platform may."""
    for one in STAND_INS.values():
        if one.identity:
            seconds = _SERVICE_TOKEN_SECONDS if one.role == "SERVICE" else STAFF_TOKEN_SECONDS
            token = issue(folder, one.role, subject=one.subject or one.name, seconds=seconds)
            _write(folder / f"{one.name}.token", token)


def _make_issuer(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    jwks = {"keys": [public | {"kid": _KEY_ID, "alg": ALGORITHM, "use": "sig"}]}
    _write(folder / "jwks.json", json.dumps(jwks))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(folder / "issuer.pem", pem.decode())


def _make_ssh_key(folder: Path, name: str) -> None:
    """A private key `<name>.pem` and its public key `<name>.pub`, both as ssh-keygen writes them."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    _write(folder / f"{name}.pub", f"{public.decode()} {name}\n")
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    _write(folder / f"{name}.pem", pem.decode())


def _add_council_secrets(path: Path, authority_codes: Iterable[str]) -> None:
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {code: secrets.token_hex(32) for code in authority_codes if code not in known}
    if missing:
        _write(path, json.dumps(known | missing))


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.touch(mode=0o600)
    scratch.write_text(text)
    scratch.replace(path)


def issue(folder: Path, *roles: str, subject: str, seconds: int = STAFF_TOKEN_SECONDS, **claims: str | None) -> str:
    """Issues a token signed by the development key in `folder`. Claims that are None are left out."""
    key = serialization.load_pem_private_key((folder / "issuer.pem").read_bytes(), password=None)
    now = int(time.time())
    body: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "roles": list(roles),
        "iat": now,
        "exp": now + seconds,
        "jti": base64.b32encode(secrets.token_bytes(10)).decode(),
    }
    body |= {name: value for name, value in claims.items() if value}
    return jwt.encode(body, key, algorithm=ALGORITHM, headers={"kid": _KEY_ID, "typ": "at+jwt"})  # type: ignore[arg-type]
