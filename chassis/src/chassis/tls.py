"""TLS in both directions: this process's certificate, and the certificates of those it talks to.

The three files may be replaced at any time, by `cms`, cert-manager or whoever else issues them; doors and channels take the
new ones without a restart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from chassis import logs, metrics
from chassis.key_files import stamp

_KEPT_OPEN_SECONDS = 60.0
"""A channel that was replaced is closed so much later: no call between services lasts longer than half of it."""


Stamps = tuple[tuple[int, int, int], ...]


class CertificateUnusable(Exception):
    """The certificate cannot be used. The text names the file and the reason, and shows nothing of a key."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """The PEM files of a process: its certificate with what stands between it and the authority, its key, its authorities."""

    certificate: Path
    key: Path
    authority: Path

    def stamps(self) -> Stamps:
        """Changes whenever one of them is written or replaced. Raises CertificateUnusable if one is missing."""
        try:
            return stamp(self.certificate), stamp(self.key), stamp(self.authority)
        except OSError as cause:
            raise CertificateUnusable(f"the file {cause.filename} cannot be read: {cause.strerror}") from cause


@dataclass(frozen=True, kw_only=True)
class Material:
    """The content of the files."""

    certificate: bytes
    key: bytes
    authority: bytes
    expires: datetime


def load(files: Files) -> Material:
    """Reads the files. Raises CertificateUnusable if one is missing or broken, or they do not belong together."""
    certificate, key, authority = (_read(path) for path in (files.certificate, files.key, files.authority))
    chain = _certificates(files.certificate, certificate)
    _expect_fitting_key(files, chain[0], key)
    _expect_issued(files, chain[-1], _certificates(files.authority, authority))
    expires = chain[0].not_valid_after_utc
    if expires <= datetime.now(UTC):
        raise CertificateUnusable(f"the certificate {files.certificate} expired at {expires:%Y-%m-%d %H:%M:%S} UTC")
    return Material(certificate=certificate, key=key, authority=authority, expires=expires)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise CertificateUnusable(f"the file {path} cannot be read: {cause.strerror}") from cause


def _certificates(path: Path, text: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError as cause:
        raise CertificateUnusable(f"the file {path} holds no certificate in PEM") from cause


def _expect_fitting_key(files: Files, certificate: x509.Certificate, key: bytes) -> None:
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as cause:
        raise CertificateUnusable(f"the file {files.key} holds no private key in PEM without a password") from cause
    if _public(private) != _public(certificate):
        raise CertificateUnusable(f"the key {files.key} does not fit the certificate {files.certificate}")


def _public(holder: Any) -> bytes:
    found: bytes = holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


def _expect_issued(files: Files, last: x509.Certificate, authorities: list[x509.Certificate]) -> None:
    for authority in authorities:
        try:
            last.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError):
            continue
        return
    raise CertificateUnusable(
        f"the certificate {files.certificate} was not issued by the authority in {files.authority}"
    )


class Certificate:
    """The certificate of this process, read again whenever its files change. Raises CertificateUnusable at the start.

    While new files cannot be used, as between the writing of the one and the other, those that were read before stay.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = Lock()
        self._stamps: Stamps | None = files.stamps()
        self._material = load(files)

    def read(self) -> Material:
        """Returns what is in the files now."""
        with self._lock:
            found = self._found()
            if found != self._stamps:
                self._stamps = found
                self._renew()
            return self._material

    def watch(self) -> bool:
        """Looks after the files though nobody calls, and tells in a metric until when the certificate is good.

        A step for a worker; returns False. Raises CertificateUnusable while the files are not such as could be used.
        """
        metrics.CERTIFICATE_EXPIRES.set(self.read().expires.timestamp())
        load(self._files)
        return False

    def _found(self) -> Stamps | None:
        """The stamps of the files; None while one is missing."""
        try:
            return self._files.stamps()
        except CertificateUnusable:
            return None

    def _renew(self) -> None:
        try:
            self._material = load(self._files)
        except CertificateUnusable as unusable:
            logs.get().warning("certificate kept: the new files cannot be used", error=str(unusable))
        else:
            logs.get().info("certificate read again", expires=self._material.expires.isoformat())


def server_credentials(certificate: Certificate) -> grpc.ServerCredentials:
    """Credentials of a gRPC server that asks clients for a certificate of the authority; new connections get the newest."""
    given = certificate.read()

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        found = certificate.read()
        if found is given:
            return None
        given = found
        return _server_configuration(found)

    first, ask = _server_configuration(given), True
    return grpc.dynamic_ssl_server_credentials(first, renewed, ask)  # type: ignore[arg-type]  # None keeps what is


def _server_configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], root_certificates=material.authority
    )


def secured(
    address: str, *, service: str, material: Material, options: tuple[tuple[str, Any], ...] = ()
) -> grpc.Channel:
    """A channel that proves who calls, and calls nobody but the service of this name, wherever it is."""
    credentials = grpc.ssl_channel_credentials(material.authority, material.key, material.certificate)
    return grpc.secure_channel(address, credentials, (*options, ("grpc.ssl_target_name_override", service)))


def names_of(authentication: dict[str, Any]) -> frozenset[str]:
    """The names in a client's certificate, from gRPC's authentication context of a call."""
    return frozenset(name.decode() for name in authentication.get("x509_subject_alternative_name", ()))


class RenewedChannel(grpc.Channel):
    """A channel that is made anew when the certificate was renewed. Calls under way end on the old one.

    Only calls with one request and one response: those between services are no others.
    """

    def __init__(self, certificate: Certificate, make: Callable[[Material], grpc.Channel]) -> None:
        self._certificate = certificate
        self._make = make
        self._lock = Lock()
        self._material = certificate.read()
        self._channel = make(self._material)
        self._replaced: list[tuple[datetime, grpc.Channel]] = []

    def current(self) -> grpc.Channel:
        """The channel with the newest certificate."""
        found = self._certificate.read()
        if found is self._material:
            return self._channel
        with self._lock:
            if found is not self._material:
                self._close_replaced()
                self._replaced.append((datetime.now(UTC), self._channel))
                self._channel, self._material = self._make(found), found
            return self._channel

    def _close_replaced(self) -> None:
        now = datetime.now(UTC)
        for since, channel in [*self._replaced]:
            if (now - since).total_seconds() > _KEPT_OPEN_SECONDS:
                channel.close()
                self._replaced.remove((since, channel))

    def unary_unary(self, method: str, *more: Any, **named: Any) -> "_Call":
        """See grpc.Channel."""
        return _Call(self, lambda channel: channel.unary_unary(method, *more, **named))

    def unary_stream(self, *given: Any, **named: Any) -> Any:
        """See grpc.Channel."""
        return self.current().unary_stream(*given, **named)

    def stream_unary(self, *given: Any, **named: Any) -> Any:
        """See grpc.Channel."""
        return self.current().stream_unary(*given, **named)

    def stream_stream(self, *given: Any, **named: Any) -> Any:
        """See grpc.Channel."""
        return self.current().stream_stream(*given, **named)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:  # noqa: FBT001, FBT002 - as the library has it
        """See grpc.Channel."""
        self._channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """See grpc.Channel."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """Closes the connections."""
        for channel in (self._channel, *(channel for _, channel in self._replaced)):
            channel.close()

    def __enter__(self) -> "RenewedChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Call(grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # only its stubs are generic
    """A method of a stub, called on the channel that is the newest at the time."""

    def __init__(self, channel: RenewedChannel, make: Callable[[grpc.Channel], Any]) -> None:
        self._channel = channel
        self._make = make
        self._made = (channel.current(), make(channel.current()))

    def _now(self) -> Any:
        channel, call = self._made
        current = self._channel.current()
        if current is not channel:
            call = self._make(current)
            self._made = (current, call)
        return call

    def __call__(self, *given: Any, **named: Any) -> Any:
        """See grpc.UnaryUnaryMultiCallable."""
        return self._now()(*given, **named)

    def with_call(self, *given: Any, **named: Any) -> Any:
        """See grpc.UnaryUnaryMultiCallable."""
        return self._now().with_call(*given, **named)

    def future(self, *given: Any, **named: Any) -> Any:
        """See grpc.UnaryUnaryMultiCallable."""
        return self._now().future(*given, **named)
