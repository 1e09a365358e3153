"""The gRPC doors and channels under TLS: what is refused, what is believed, and how certificates are renewed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from chassis import remote, tls
from chassis.certificate_authority import FRONTEND, CertificateAuthority
from chassis.errors import Unauthenticated, Unavailable
from chassis.runtime import NotReady, Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import (
    HTTP,
    NotCalled,
    SettingsOf,
    Tokens,
    as_logged,
    certificate_of,
    eventually,
    running,
    secure_port,
    tls_files,
)
from chassis.testing.tls import authority
from chassis.tls import Certificate, CertificateUnusable, load
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2, scheduling_pb2_grpc

NAME = "scheduling-svc"
EXPIRED = timedelta(hours=-1)


class Api(NotCalled):
    """Knows every appointment."""

    def GetAppointment(self, request: Any) -> Any:
        appointment = appointments_pb2.Appointment(claim_ref=request.claim_ref)
        return as_logged(scheduling_pb2.GetAppointmentResponse(appointment=appointment))


@pytest.fixture
def made(settings_of: SettingsOf) -> Callable[..., Service]:
    def make(**settings: Any) -> Service:
        return Service(
            name=NAME,
            settings=settings_of(ServiceSettings, NAME, **settings),
            contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
            migrations=Path("no-migrations"),
            api=lambda _: Api(),
        )

    return make


@pytest.fixture
def process(made: Callable[..., Service]) -> Iterator[Process]:
    with running(made()) as started:
        yield started


@pytest.fixture
def stranger() -> CertificateAuthority:
    """An authority of the same name as that of the tests, with another key."""
    return CertificateAuthority.create("cms3-tests")


def ask(channel: grpc.Channel, token: str) -> None:
    """Calls a method. Raises CmsError."""
    remote.invoke(
        scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment,
        scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A"),
        token=token,
        timeout_seconds=5,
    )


def called(process: Process, certificate: Certificate, token: str) -> None:
    """Calls a process with this certificate. Raises CmsError."""
    with remote.channel(f"127.0.0.1:{process.grpc.port}", service=NAME, certificate=certificate) as channel:
        ask(channel, token)


def as_written(channel: grpc.Channel, token: str) -> grpc.StatusCode:
    """Calls over a channel of the library's own, and gives the code."""
    with channel:
        try:
            ask(channel, token)
        except Unavailable:
            return grpc.StatusCode.UNAVAILABLE
    return grpc.StatusCode.OK


def test_a_connection_without_tls_or_without_a_certificate_is_not_answered(process: Process, tokens: Tokens) -> None:
    address, token = f"127.0.0.1:{process.grpc.port}", tokens.issue("SUPPORT")
    bare = grpc.ssl_channel_credentials(certificate_of(FRONTEND).read().authority)
    named = (("grpc.ssl_target_name_override", NAME),)

    plain = as_written(grpc.insecure_channel(address), token)
    nobody = as_written(grpc.secure_channel(address, bare, named), token)

    assert (plain, nobody) == (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE)
    called(process, certificate_of(FRONTEND), token)


def test_a_certificate_of_another_authority_is_refused(
    process: Process, tokens: Tokens, stranger: CertificateAuthority, tmp_path: Path
) -> None:
    issued = stranger.issue(FRONTEND)
    ours = certificate_of(FRONTEND).read()
    forged = tls.Material(
        certificate=issued.certificate, key=issued.key, authority=ours.authority, expires=ours.expires
    )
    channel = tls.secured(f"127.0.0.1:{process.grpc.port}", service=NAME, material=forged)

    assert as_written(channel, tokens.issue("SUPPORT")) is grpc.StatusCode.UNAVAILABLE


def test_an_expired_certificate_is_refused(process: Process, tokens: Tokens) -> None:
    ours = certificate_of(FRONTEND).read()
    issued = authority().issue(FRONTEND, lifetime=EXPIRED)
    expired = tls.Material(
        certificate=issued.certificate, key=issued.key, authority=ours.authority, expires=ours.expires
    )
    channel = tls.secured(f"127.0.0.1:{process.grpc.port}", service=NAME, material=expired)

    assert as_written(channel, tokens.issue("SUPPORT")) is grpc.StatusCode.UNAVAILABLE


def test_a_services_token_counts_only_beside_its_own_certificate(process: Process, tokens: Tokens) -> None:
    stolen = tokens.issue("SERVICE", subject="la-notifier")

    called(process, certificate_of("la-notifier"), stolen)
    for holder in (FRONTEND, "legacy-gateway"):
        with pytest.raises(Unauthenticated) as refused:
            called(process, certificate_of(holder), stolen)
        assert refused.value.reason == "CERTIFICATE"


def test_a_services_token_is_nothing_at_the_door_that_asks_for_no_certificate(process: Process, tokens: Tokens) -> None:
    url = f"http://127.0.0.1:{process.http.port}/cms.scheduling.v1.SchedulingService/GetAppointment"
    token = tokens.issue("SERVICE", subject="la-notifier")

    answer = HTTP.post(url, json={}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert "CERTIFICATE" in answer.text


def test_a_persons_token_comes_with_any_certificate_of_the_platform(process: Process, tokens: Tokens) -> None:
    for holder in (FRONTEND, "assessment-svc"):
        called(process, certificate_of(holder), tokens.issue("SUPPORT"))


@pytest.mark.parametrize("impostor", ["la-notifier", FRONTEND])
def test_whoever_else_is_at_a_services_address_is_not_called(tokens: Tokens, impostor: str) -> None:
    seen: list[str] = []
    server = grpc.server(ThreadPoolExecutor(1))

    class Impostor(scheduling_pb2_grpc.SchedulingServiceServicer):
        def GetAppointment(self, request: Any, context: Any) -> Any:
            seen.append(f"{request.claim_ref} {context.peer()}")
            return scheduling_pb2.GetAppointmentResponse()

    scheduling_pb2_grpc.add_SchedulingServiceServicer_to_server(Impostor(), server)  # type: ignore[abstract]
    port = secure_port(server, impostor)
    server.start()
    own = certificate_of("intake-svc")

    with (
        remote.channel(f"127.0.0.1:{port}", service=NAME, certificate=own) as channel,
        pytest.raises(Unavailable),
    ):
        ask(channel, tokens.issue("SUPPORT"))

    server.stop(None).wait()
    assert seen == []


def test_certificates_are_renewed_under_load_without_a_failed_call(
    made: Callable[..., Service], tokens: Tokens, tmp_path: Path
) -> None:
    """Door and channel get new certificates while calls are under way, and connections are made anew with them."""
    token = tokens.issue("SUPPORT")
    done = threading.Event()
    answered = [0] * 4
    caller = Certificate(tls_files(tmp_path, FRONTEND))
    with (
        running(made()) as process,
        remote.channel(f"127.0.0.1:{process.grpc.port}", service=NAME, certificate=caller) as channel,
        ThreadPoolExecutor(4) as pool,
    ):

        def call_on(number: int) -> None:
            while not done.is_set():
                ask(channel, token)
                answered[number] += 1

        calls = [pool.submit(call_on, number) for number in range(4)]
        for _ in range(8):
            before = [*answered]
            tls_files(tokens.folder, NAME)
            tls_files(tmp_path, FRONTEND)
            eventually(
                lambda before=before: (
                    any(call.done() for call in calls)  # type: ignore[misc]
                    or all(now > then for now, then in zip(answered, before, strict=True))
                ),
                what="calls after the renewal",
            )
        done.set()

        assert [call.result() for call in calls] == [None] * 4
        assert served(process) == expiry_and_number(tokens.folder / f"{NAME}.tls.pem")


def served(process: Process) -> tuple[Any, int]:
    """Expiry and serial number of the certificate that a door uses for new connections."""
    shown = process.runtime.certificate.read()
    found = x509.load_pem_x509_certificate(shown.certificate)
    return found.not_valid_after_utc, found.serial_number


def expiry_and_number(path: Path) -> tuple[Any, int]:
    """Expiry and serial number of the certificate in a file."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return found.not_valid_after_utc, found.serial_number


def test_a_renewed_door_believes_a_new_authority_and_no_longer_the_old_one(
    made: Callable[..., Service], tokens: Tokens, stranger: CertificateAuthority, tmp_path: Path
) -> None:
    """The door is one and the same: it takes the files at the next handshake."""
    token = tokens.issue("SUPPORT")
    successor = Certificate(tls_files(tmp_path, FRONTEND, issuer=stranger))
    with running(made()) as process:
        called(process, certificate_of(FRONTEND), token)
        tls_files(tokens.folder, NAME, issuer=stranger)

        called(process, successor, token)
        with pytest.raises(Unavailable):
            called(process, certificate_of(FRONTEND), token)


def test_files_that_do_not_fit_each_other_are_not_taken(tmp_path: Path) -> None:
    files = tls_files(tmp_path, NAME)
    certificate = Certificate(files)
    before = certificate.read()

    files.key.write_bytes(authority().issue(NAME).key)
    between = certificate.read()
    tls_files(tmp_path, NAME)

    assert between is before
    assert certificate.read() is not before


def expired(folder: Path, _stranger: CertificateAuthority) -> tls.Files:
    return tls_files(folder, NAME, lifetime=EXPIRED)


def of_another_authority(folder: Path, stranger: CertificateAuthority) -> tls.Files:
    files = tls_files(folder, NAME)
    files.authority.write_bytes(stranger.public)
    return files


def without_its_key(folder: Path, _stranger: CertificateAuthority) -> tls.Files:
    files = tls_files(folder, NAME)
    files.key.write_bytes(authority().issue(NAME).key)
    return files


def no_certificate(folder: Path, _stranger: CertificateAuthority) -> tls.Files:
    files = tls_files(folder, NAME)
    files.certificate.write_text("none")
    return files


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (expired, r"tls\.pem expired at 20"),
        (of_another_authority, r"tls\.pem was not issued by the authority in .*authority\.pem"),
        (without_its_key, r"the key .*tls\.key does not fit the certificate .*tls\.pem"),
        (no_certificate, r"tls\.pem holds no certificate in PEM"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named_at_the_start(
    made: Callable[..., Service],
    stranger: CertificateAuthority,
    tmp_path: Path,
    broken: Callable[[Path, CertificateAuthority], tls.Files],
    text: str,
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    files = broken(folder, stranger)

    with pytest.raises(CertificateUnusable, match=text):
        load(files)
    with pytest.raises(NotReady, match=text):
        Process(
            made(
                tls_certificate_file=files.certificate,
                tls_key_file=files.key,
                tls_authority_file=files.authority,
                start_limit_seconds=0.01,
            )
        )
