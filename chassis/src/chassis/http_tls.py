"""TLS of the HTTP door, where it is turned on. Browsers have no certificate, so none is demanded; services may show theirs.

Each connection gets the files as they are then: they may be renewed at any time.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from chassis import logs
from chassis.key_files import stamp
from chassis.tls import CertificateUnusable


@dataclass(frozen=True, kw_only=True)
class HttpTls:
    """The PEM files of the door: its certificate, the key, and the authority by which callers' certificates are believed.

    Raises CertificateUnusable at the start. Later, what was read before stays while new files cannot be used.
    """

    certificate: Path
    key: Path
    authority: Path
    _newest: list[ssl.SSLContext] = field(default_factory=list)
    _stamps: list[Any] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._stamps[:] = self._found()
        self._newest[:] = [self._read()]

    def context(self) -> ssl.SSLContext:
        """A context whose connections use the newest files."""
        first = self._read()
        first.sni_callback = self._choose
        return first

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current()

    def _current(self) -> ssl.SSLContext:
        with self._lock:
            found = self._found()
            if found != self._stamps:
                self._stamps[:] = found
                self._renew()
            return self._newest[0]

    def _renew(self) -> None:
        try:
            self._newest[:] = [self._read()]
        except CertificateUnusable as unusable:
            logs.get().warning("certificate kept: the new files cannot be used", error=str(unusable))
        else:
            logs.get().info("certificate of the HTTP door read again")

    def _found(self) -> list[Any]:
        return [stamp(path) if path.exists() else None for path in (self.certificate, self.key, self.authority)]

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key)
            context.load_verify_locations(self.authority)
        except (OSError, ssl.SSLError) as cause:
            raise CertificateUnusable(
                f"the HTTP door's certificate {self.certificate}, its key or the authority cannot be used: {cause}"
            ) from cause
        return context


def names_in(transport: Any) -> frozenset[str] | None:
    """The names in the caller's certificate: none if it has shown none, None where the connection is not under TLS."""
    if not transport.get_extra_info("sslcontext"):
        return None
    shown = transport.get_extra_info("peercert") or {}
    return frozenset(name for kind, name in shown.get("subjectAltName", ()) if kind == "DNS")
