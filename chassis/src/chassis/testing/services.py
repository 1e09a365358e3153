"""A running service in a test.

@pytest.fixture
def process(settings_of: SettingsOf) -> Iterator[Process]:
    with running(service(settings_of(Settings, "scheduling-svc", postcodes_file=postcodes_file))) as process:
        yield process
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from chassis import call
from chassis.postcodes import Postcodes, build_extract
from chassis.runtime import Process, Service
from chassis.settings import ServiceSettings
from chassis.testing.databases import DatabaseUrls
from chassis.testing.identity import ISSUER, Tokens
from chassis.testing.servers import Servers
from chassis.testing.signing import signing_files
from chassis.testing.tls import tls_files

Kind = TypeVar("Kind", bound=ServiceSettings)


class SettingsOf(Protocol):
    """Makes the settings of a service; those that only this service has are given by name."""

    def __call__(self, kind: type[Kind], service: str, **more: Any) -> Kind: ...


@pytest.fixture
def settings_of(database_urls: DatabaseUrls, servers: Servers, bus_prefix: str, tokens: Tokens) -> SettingsOf:
    """Settings on the test's own database, bus prefix and keys."""

    def make(kind: type[Kind], service: str, **more: Any) -> Kind:
        made: Kind = settings_for(
            kind, service, urls=database_urls, servers=servers, bus_prefix=bus_prefix, tokens=tokens, **more
        )
        return made

    return make


class NotCalled:
    """The methods of a contract that a test does not call. A subclass has those that it does."""

    def __getattr__(self, name: str) -> Any:
        if not name[0].isupper():
            raise AttributeError(name)
        return None


Response = TypeVar("Response")


def as_logged(response: Response) -> Response:
    """Returns the response of a stub, and counts it as written to the access log: what the stub shows is nobody's."""
    call.current().accesses += 1
    return response


@contextmanager
def running(service: Service) -> Iterator[Process]:
    """The service with both doors and all its workers, for as long as the context lasts."""
    process = Process(service)
    process.start()
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="session")
def postcodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an extract of the postcode directory, some hundred rows."""
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def postcodes(postcodes_file: Path) -> Iterator[Postcodes]:
    """The extract, open."""
    with Postcodes(postcodes_file) as opened:
        yield opened


def settings_for(
    kind: type[ServiceSettings],
    service: str,
    *,
    urls: DatabaseUrls,
    servers: Servers,
    bus_prefix: str,
    tokens: Tokens,
    **more: Any,
) -> Any:
    """Settings of a service in a test: ports of its own, the test's database, bus prefix and keys."""
    signing_key_file, signatories_file = signing_files(tokens.folder, service)
    certificate = tls_files(tokens.folder, service)
    common: dict[str, Any] = {
        "tls_certificate_file": certificate.certificate,
        "tls_key_file": certificate.key,
        "tls_authority_file": certificate.authority,
    }
    return kind(
        grpc_port=0,
        http_port=0,
        operations_port=0,
        database_url=urls.app,
        database_housekeeping_url=urls.housekeeping,
        database_owner_url=urls.owner,
        bus_url=servers.bus_url,
        bus_prefix=bus_prefix,
        jwks_file=tokens.jwks_file,
        issuer=ISSUER,
        token_file=tokens.service_file(service),
        keyring_file=tokens.keyring_file,
        signing_key_file=signing_key_file,
        signatories_file=signatories_file,
        access_log_folder=tokens.folder / "access-log" / service,
        drain_seconds=5.0,
        **{**common, **more},
    )
