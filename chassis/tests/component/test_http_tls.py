"""The HTTP door under TLS: people without a certificate, services with theirs, and files that are renewed."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis import tls
from chassis.certificate_authority import FRONTEND, CertificateAuthority
from chassis.http_connections import Bounds
from chassis.http_server import HttpServer
from chassis.http_tls import HttpTls
from chassis.runtime import NotReady, Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import NotCalled, SettingsOf, Tokens, as_logged, eventually, tls_files
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2

NAME = "scheduling-svc"
PATH = "/cms.scheduling.v1.SchedulingService/GetAppointment"


class Api(NotCalled):
    """Knows every appointment."""

    def GetAppointment(self, request: Any) -> Any:
        appointment = appointments_pb2.Appointment(claim_ref=request.claim_ref)
        return as_logged(scheduling_pb2.GetAppointmentResponse(appointment=appointment))


@pytest.fixture
def files(tmp_path: Path) -> tls.Files:
    """The door's certificate: that of the service will do."""
    folder = tmp_path / "http"
    folder.mkdir()
    return tls_files(folder, NAME)


@pytest.fixture
def made(settings_of: SettingsOf, files: tls.Files) -> Callable[..., Process]:
    def make(**settings: Any) -> Process:
        given = {"http_tls_certificate_file": files.certificate, "http_tls_key_file": files.key, **settings}
        return Process(
            Service(
                name=NAME,
                settings=settings_of(ServiceSettings, NAME, **given),
                contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
                migrations=Path("no-migrations"),
                api=lambda _: Api(),
            )
        )

    return make


@pytest.fixture
def process(made: Callable[..., Process]) -> Iterator[Process]:
    started = made()
    started.start()
    yield started
    started.stop()


def context(authority: Path, shown: tls.Files | None = None) -> ssl.SSLContext:
    """A caller who believes this authority, and shows this certificate."""
    found = ssl.create_default_context(cafile=str(authority))
    if shown:
        found.load_cert_chain(shown.certificate, shown.key)
    return found


def asked(process: Process, caller: ssl.SSLContext, token: str) -> httpx.Response:
    """Calls GetAppointment on a connection of its own."""
    with httpx.Client(verify=caller, timeout=10) as client:
        return client.post(
            f"https://127.0.0.1:{process.http.port}{PATH}",
            json={"claimRef": "C0000000000A"},
            headers={"Authorization": f"Bearer {token}"},
            extensions={"sni_hostname": NAME},
        )


def test_a_person_calls_without_a_certificate(process: Process, files: tls.Files, tokens: Tokens) -> None:
    answer = asked(process, context(files.authority), tokens.issue("SUPPORT"))

    assert answer.json()["appointment"]["claimRef"] == "C0000000000A"


def test_a_request_without_tls_is_not_answered(process: Process, tokens: Tokens) -> None:
    with pytest.raises(httpx.TransportError), httpx.Client(timeout=10) as client:
        client.post(f"http://127.0.0.1:{process.http.port}{PATH}", json={})


def test_a_services_token_counts_only_beside_its_own_certificate(
    process: Process, files: tls.Files, tokens: Tokens, tmp_path: Path
) -> None:
    token = tokens.issue("SERVICE", subject="la-notifier")
    callers = {name: context(files.authority, tls_files(tmp_path, name)) for name in ("la-notifier", FRONTEND)}

    codes = {name: asked(process, caller, token).status_code for name, caller in callers.items()}

    assert codes == {"la-notifier": 200, FRONTEND: 401}
    assert asked(process, context(files.authority), token).status_code == 401


def test_a_certificate_of_another_authority_is_refused(
    process: Process, files: tls.Files, tokens: Tokens, tmp_path: Path
) -> None:
    stranger = CertificateAuthority.create("cms3-tests")
    forged = context(files.authority, tls_files(tmp_path, "legacy-gateway", issuer=stranger))

    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        asked(process, forged, tokens.issue("SUPPORT"))


def serial_of(process: Process, authority: Path) -> str:
    """The serial number of the certificate that the door shows now."""
    with (
        socket.create_connection(("127.0.0.1", process.http.port), timeout=10) as plain,
        context(authority).wrap_socket(plain, server_hostname=NAME) as secured,
    ):
        return str((secured.getpeercert() or {})["serialNumber"])


def test_the_doors_certificate_is_renewed_while_it_serves(process: Process, files: tls.Files, tokens: Tokens) -> None:
    token, before = tokens.issue("SUPPORT"), serial_of(process, files.authority)
    with httpx.Client(verify=context(files.authority), timeout=10) as kept:

        def call() -> int:
            return kept.post(
                f"https://127.0.0.1:{process.http.port}{PATH}",
                json={"claimRef": "C0000000000A"},
                headers={"Authorization": f"Bearer {token}"},
                extensions={"sni_hostname": NAME},
            ).status_code

        assert call() == 200
        tls_files(files.certificate.parent, NAME)

        assert serial_of(process, files.authority) != before
        assert call() == 200


class Nothing:
    """An application that is never asked."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError((scope, receive, send))

    def drain(self) -> None:
        """See http_server.Application."""

    close = drain


@pytest.fixture
def impatient(files: tls.Files) -> Iterator[HttpServer]:
    """A server with room for two handshakes, of a third of a second each."""
    secured = HttpTls(certificate=files.certificate, key=files.key, authority=files.authority)
    bounds = Bounds(receiving=2, handshake_seconds=0.3)
    server = HttpServer(Nothing(), name="http", host="127.0.0.1", port=0, bounds=bounds, tls=secured)
    server.start()
    yield server
    server.stop(1)


# asyncio leaves the socket that is dropped to the collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_peer_that_does_not_greet_is_let_go_and_one_too_many_at_once(impatient: HttpServer) -> None:
    silent = [socket.create_connection(("127.0.0.1", impatient.port), timeout=10) for _ in range(2)]
    eventually(lambda: impatient.handshakes == 2, what="two handshakes")
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as late:
        assert late.recv(1) == b""
    for one in silent:
        with one:
            assert one.recv(1) == b""
    eventually(lambda: impatient.handshakes == 0, what="an end of the handshakes")


def test_a_drain_does_not_wait_for_idle_connections(
    made: Callable[..., Process], files: tls.Files, tokens: Tokens
) -> None:
    process = made()
    process.start()
    with httpx.Client(verify=context(files.authority), timeout=10) as client:
        answer = client.post(
            f"https://127.0.0.1:{process.http.port}{PATH}",
            json={"claimRef": "C0000000000A"},
            headers={"Authorization": f"Bearer {tokens.issue('SUPPORT')}"},
            extensions={"sni_hostname": NAME},
        )
        assert answer.status_code == 200
        begun = time.monotonic()
        process.stop()
    assert time.monotonic() - begun < 5
    eventually(lambda: not process.http.is_serving, what="the end of the door")


def test_one_file_without_the_other_and_files_that_do_not_fit_are_named_at_the_start(
    made: Callable[..., Process], files: tls.Files
) -> None:
    with pytest.raises(NotReady, match="CMS_HTTP_TLS_KEY_FILE"):
        made(http_tls_key_file=None)
    files.key.write_text("none")
    with pytest.raises(NotReady, match=r"the HTTP door's certificate .*tls\.pem"):
        made()
