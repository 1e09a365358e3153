"""Makes the keys and tokens of a platform for development, in files that only their owner may read."""

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis import contract
from chassis.identity import LONGEST_SECONDS, LONGEST_SERVICE_SECONDS, SERVICE
from chassis.key_files import ALGORITHM
from chassis.revocations import Revocation, RevocationList
from chassis.signatures import SigningKey, service_of
from chassis.vault import Keyring
from cms_local import certificates
from cms_local.layout import SERVICES, STAND_INS

ISSUER = "cms3-development"
SIGNATORIES = "signatories.json"
"""The file of the public keys by which services verify what others put on the bus."""
REVOKED = "revoked.json"
"""The file of subjects and tokens that no longer count."""
_KEY_ID = "development"
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
    if not (folder / REVOKED).exists():
        _write_revocations(folder, [])
    _add_signing_keys(folder, SERVICES)
    renew_tokens(folder, all_of_them=True)
    certificates.renew(folder, older_than=0)


def renew_tokens(folder: Path, *, all_of_them: bool = False) -> list[str]:
    """Issues the tokens in `folder` anew that are past half their life; gives the names of their owners.

    The platform lives longer than any token. Their age is that of their files, by real time: so the sleep of a machine counts.
    """
    now = time.time()
    renewed = []
    for caller in _callers():
        path = folder / f"{caller.name}.token"
        if all_of_them or not path.exists() or now - path.stat().st_mtime >= longest_seconds(caller.role) / 2:
            _write(path, caller.tokens(folder))
            renewed.append(caller.name)
    return renewed


def revoke(folder: Path, subject: str) -> None:
    """Revokes all tokens that this subject has now. Those that it gets from the next second on count."""
    now = int(time.time())
    known = msgspec.json.decode((folder / REVOKED).read_bytes(), type=RevocationList).revoked
    live = [one for one in known if one.sub != subject and now - one.not_before <= LONGEST_SECONDS]
    _write_revocations(folder, [*live, Revocation(sub=subject, not_before=now)])


def _write_revocations(folder: Path, revoked: Sequence[Revocation]) -> None:
    _write(folder / REVOKED, msgspec.json.encode(RevocationList(revoked=revoked)).decode())


def longest_seconds(role: str) -> int:
    """The life of a token of this role."""
    return int(LONGEST_SERVICE_SECONDS if role == SERVICE else LONGEST_SECONDS)


@dataclass(frozen=True, kw_only=True)
class _Caller:
    """A service or a stand-in that calls services as long as the platform runs."""

    name: str
    role: str
    subject: str
    calls: str = ""
    """The only service that a stand-in calls. A service's calls are in the contract."""

    def tokens(self, folder: Path) -> str:
        """The token of a stand-in, or those of a service as JSON, by the service that is called."""
        if self.calls:
            return self._token(folder, self.calls)
        return json.dumps({called: self._token(folder, called) for called in contract.services_called_by(self.name)})

    def _token(self, folder: Path, called: str) -> str:
        return issue(folder, self.role, subject=self.subject, audience=[called])


def _callers() -> Iterator[_Caller]:
    yield from (_Caller(name=name, role=SERVICE, subject=name) for name in SERVICES)
    for one in STAND_INS.values():
        if one.calls:
            yield _Caller(name=one.name, role=one.role, subject=one.subject or one.name, calls=one.calls)


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


def own_signing_key(folder: Path, name: str) -> SigningKey:
    """The key of one that signs and is no service; it is made and published at its first use."""
    if not signing_key_file(folder, name).exists():
        _add_signing_keys(folder, [name])
    return SigningKey.load(signing_key_file(folder, name))


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


def issue(
    folder: Path, *roles: str, subject: str, audience: Sequence[str] = tuple(SERVICES), **claims: str | None
) -> str:
    """Issues a token signed by the development key in `folder`, for these services. Claims that are None are left out."""
    key = serialization.load_pem_private_key((folder / "issuer.pem").read_bytes(), password=None)
    now = int(time.time())
    body: dict[str, Any] = {
        "iss": ISSUER,
        "aud": list(audience),
        "sub": subject,
        "roles": list(roles),
        "iat": now,
        "exp": now + min(longest_seconds(role) for role in roles),
        "jti": base64.b32encode(secrets.token_bytes(10)).decode(),
    }
    body |= {name: value for name, value in claims.items() if value}
    return jwt.encode(body, key, algorithm=ALGORITHM, headers={"kid": _KEY_ID, "typ": "at+jwt"})  # type: ignore[arg-type]
