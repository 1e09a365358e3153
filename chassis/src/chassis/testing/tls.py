"""Certificates of tests. The authority's key follows from a seed, so that every process of a test run has the same one.

with open_channel(process, token) as channel: ...     # a channel with the certificate that the token's owner holds
port = secure_port(server, "intake-svc")             # a stub that serves as intake-svc
"""

import hashlib
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from chassis import tls
from chassis.certificate_authority import FRONTEND, CertificateAuthority
from chassis.runtime import Process

LOOPBACK = "127.0.0.1"


@cache
def authority() -> CertificateAuthority:
    """The authority of the tests."""
    seed = int.from_bytes(hashlib.sha256(b"key of the authority of the tests").digest())
    return CertificateAuthority.create("cms3-tests", ec.derive_private_key(seed >> 1, ec.SECP256R1()))


@cache
def certificate_of(*names: str) -> tls.Certificate:
    """A certificate for these names, made once in each process of the test run."""
    return tls.Certificate(tls_files(Path(tempfile.mkdtemp(prefix="cms3-tls-")), *names))


def tls_files(folder: Path, *names: str, issuer: CertificateAuthority | None = None, **more: Any) -> tls.Files:
    """Writes a certificate for these names, its key and its authority; gives the files."""
    by = issuer or authority()
    issued = by.issue(*names, serves=names[0] != FRONTEND, **more)
    files = tls.Files(
        certificate=folder / f"{names[0]}.tls.pem",
        key=folder / f"{names[0]}.tls.key",
        authority=folder / f"{names[0]}.authority.pem",
    )
    for path, text in ((files.key, issued.key), (files.certificate, issued.certificate), (files.authority, by.public)):
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(text)
        fresh.replace(path)
    return files


def secure_port(server: grpc.Server, *names: str) -> int:
    """Opens a port of a stub that serves as the services of these names; gives the port."""
    return server.add_secure_port(f"{LOOPBACK}:0", tls.server_credentials(certificate_of(*names)))


def holder_of(token: str) -> str:
    """The name in the certificate that the owner of a token holds: a service's own, and else that of a frontend."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return FRONTEND
    subject, roles = claims.get("sub"), claims.get("roles")
    is_service = isinstance(subject, str) and subject.isprintable() and isinstance(roles, list) and "SERVICE" in roles
    return str(subject) if subject and is_service else FRONTEND


def channel_to(
    address: str, service: str, *, holder: str = FRONTEND, options: Sequence[tuple[str, Any]] = ()
) -> grpc.Channel:
    """A channel to the service of this name, with the holder's certificate."""
    return tls.secured(address, service=service, material=certificate_of(holder).read(), options=tuple(options))


def open_channel(process: Process, token: str = "", *, options: Sequence[tuple[str, Any]] = ()) -> grpc.Channel:
    """A channel to a running service, with the certificate of the token's owner."""
    return channel_to(f"{LOOPBACK}:{process.grpc.port}", process.runtime.name, holder=holder_of(token), options=options)
