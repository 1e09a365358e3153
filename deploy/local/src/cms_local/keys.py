"""Makes the keys and tokens of a platform for development, in files that only their owner may read."""

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.identity import AUDIENCE
from chassis.key_files import ALGORITHM
from chassis.signatures import SigningKey, service_of
from chassis.vault import Keyring
from cms_local import certificates
from cms_local.layout import SERVICES, STAND_INS

ISSUER = "cms3-development"
SIGNATORIES = "signatories.json"
"""The file of the public keys by which services verify what others put on the bus."""
_KEY_ID = "development"
_SERVICE_TOKEN_SECONDS = 30 * 24 * 3600
STAFF_TOKEN_SECONDS = 12 * 3600
RENEWED_AFTER_SECONDS = STAFF_TOKEN_SECONDS / 2
"""The age at which the token of a service or a stand-in is renewed: half the shortest life, so that none ends in use."""
_SSH_KEYS = ("pscs-host", "pscs-user", "councils-host", "councils-user")
"""The keys by which PSCS and the councils prove their identity, and the gateway and the notifier theirs to them."""


def make_keys(folder: Path, *, authority_codes: Iterable[str]) -> None:
    """Makes the keys that are absent in `folder`, and issues the tokens of services, and of stand-ins that call them, anew."""
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
    _add_signing_keys(folder, SERVICES)
    renew_tokens(folder, older_than=0)
    certificates.renew(folder, older_than=0)


def renew_tokens(folder: Path, *, older_than: float = RENEWED_AFTER_SECONDS) -> list[str]:
    """Issues the tokens in `folder` anew that are older than so many seconds; gives the names of their owners.

    The platform lives longer than any token. Their age is that of their files, by real time: so the sleep of a machine counts.
    """
    now = time.time()
    renewed = []
    for name, role, subject in _callers():
        path = folder / f"{name}.token"
        if not path.exists() or now - path.stat().st_mtime >= older_than:
            seconds = _SERVICE_TOKEN_SECONDS if role == "SERVICE" else STAFF_TOKEN_SECONDS
            _write(path, issue(folder, role, subject=subject, seconds=seconds))
            renewed.append(name)
    return renewed


def _callers() -> Iterator[tuple[str, str, str]]:
    """The name, the role and the subject of each that calls services as long as the platform runs."""
    yield from ((name, "SERVICE", name) for name in SERVICES)
    yield from ((one.name, one.role, one.subject or one.name) for one in STAND_INS.values() if one.identity)


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


def _add_signing_keys(folder: Path, services: Iterable[str]) -> None:
    """Gives each service that has none its first key to sign with on the bus. None signs before all can verify."""
    new = {name: SigningKey.generate(name) for name in services if not signing_key_file(folder, name).exists()}
    for key in new.values():
        publish_signatory(folder, key)
    for name, key in new.items():
        _write(signing_key_file(folder, name), key.secret_text())


def signing_key_file(folder: Path, service: str) -> Path:
    """The file of a service's private key."""
    return folder / f"{service}.signing.json"


def publish_signatory(folder: Path, key: SigningKey) -> None:
    """Adds a public key to those of all services. The earlier ones of its service stay good."""
    known = [one for one in _signatories(folder) if one["kid"] != key.key_id]
    _write(folder / SIGNATORIES, json.dumps({"keys": [*known, key.public()]}))


def _signatories(folder: Path) -> list[dict[str, str]]:
    path = folder / SIGNATORIES
    known: list[dict[str, str]] = json.loads(path.read_text())["keys"] if path.exists() else []
    return known


def change_signing_key(folder: Path, service: str, *, until_published: Callable[[], None]) -> str:
    """Gives the service a new key to sign with on the bus, and returns its id. The earlier ones stay good.

    `until_published` waits until every service has read the new public key: what is signed by it before is refused at first.
    """
    path = signing_key_file(folder, service)
    _, _, number = SigningKey.load(path).key_id.rpartition("/")
    key = SigningKey.generate(service, number=int(number) + 1)
    publish_signatory(folder, key)
    until_published()
    _write(path, key.secret_text())
    return key.key_id


def withdraw_signing_keys(folder: Path, service: str) -> list[str]:
    """Withdraws all public keys of the service but that of the key by which it signs now; returns their ids."""
    now = SigningKey.load(signing_key_file(folder, service)).key_id
    known = _signatories(folder)
    old = [one["kid"] for one in known if service_of(one["kid"]) == service and one["kid"] != now]
    _write(folder / SIGNATORIES, json.dumps({"keys": [one for one in known if one["kid"] not in old]}))
    return old


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
