"""The authority of a platform on one machine, and the certificates that it issues: one a service, and one for frontends."""

import time
from collections.abc import Iterator
from pathlib import Path

from chassis.certificate_authority import FRONTEND, LIFETIME, CertificateAuthority, Issued
from chassis.tls import Files
from cms_local.layout import SERVICES

RENEWED_AFTER_SECONDS = LIFETIME.total_seconds() / 2
"""Certificates are renewed at half their life, so that none ends in use."""
_NAME = "cms3-development"


def files(folder: Path, name: str) -> Files:
    """The files of the holder of this name, in the folder of keys."""
    own = folder / "tls" / name
    return Files(certificate=own / "tls.pem", key=own / "tls.key", authority=_public(folder))


def _public(folder: Path) -> Path:
    return folder / "tls" / "authority.pem"


def renew(folder: Path, *, older_than: float = RENEWED_AFTER_SECONDS) -> list[str]:
    """Issues the certificates anew that are older than so many seconds, by real time; gives the names of their holders.

    Makes the authority where there is none.
    """
    now = time.time()
    due = [name for name in _holders() if _is_older(files(folder, name).certificate, now - older_than)]
    for name in due:
        issue(folder, name)
    return due


def issue(folder: Path, name: str) -> Files:
    """Issues a certificate for this name; gives its files."""
    paths = files(folder, name)
    _write(paths, _authority(folder).issue(name, serves=name != FRONTEND))
    return paths


def _holders() -> Iterator[str]:
    yield from SERVICES
    yield FRONTEND


def _is_older(path: Path, moment: float) -> bool:
    return not path.exists() or path.stat().st_mtime <= moment


def _authority(folder: Path) -> CertificateAuthority:
    key, certificate = folder / "tls" / "authority.key", _public(folder)
    if key.exists():
        return CertificateAuthority.read(key=key.read_bytes(), certificate=certificate.read_bytes())
    made = CertificateAuthority.create(_NAME)
    key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(certificate, made.public)
    _replace(key, made.secret)
    return made


def _write(paths: Files, issued: Issued) -> None:
    """The key first: who reads between the two finds that they do not fit, and reads again."""
    paths.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(paths.key, issued.key)
    _replace(paths.certificate, issued.certificate)


def _replace(path: Path, text: bytes) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.touch(mode=0o600)
    scratch.write_bytes(text)
    scratch.replace(path)
