"""The place of the measurement: durable servers, ISCS's stand-in, and the owners of the claims."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

import legacy_gateway
from chassis import embedded
from chassis.migrations import migrate
from chassis.postcodes import build_extract
from chassis.testing import free_port, signing_files, tls_files
from chassis.testing.identity import ISSUER, Tokens
from cms_local.layout import ROOT
from simulators.testing import call

DATABASE = "gateway"
MIGRATIONS = ROOT / "legacy-gateway" / "migrations"
COPYBOOKS = Path(legacy_gateway.__file__).parent / "copybooks"
_TOKEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place that every contender finds. `iscs` is the port of the stand-in."""

    folder: Path
    postgres: embedded.Postgres
    bus_url: str
    tokens: Tokens
    owners: str
    iscs: int

    def url(self, role: str = "postgres") -> str:
        """The database, as the superuser or as the `app` or `owner` of the gateway."""
        name = role if role == "postgres" else f"{DATABASE}_{role}"
        return f"postgresql://{name}@127.0.0.1:{self.postgres.port}/{DATABASE}"

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection in which every statement commits."""
        with psycopg.connect(self.url(), autocommit=True) as conn:
            yield conn

    @contextmanager
    def process(self, module: str, **settings: Any) -> Iterator["subprocess.Popen[str]"]:
        """A program of ours with these settings, ended with the block; its output is in the folder."""
        environment = os.environ | {name: str(value) for name, value in settings.items()}
        name = module.rpartition(".")[2]
        with (self.folder / f"{name}.log").open("a") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
            )
        try:
            yield started
        finally:
            started.terminate()
            started.wait(30)

    def contender(self) -> Mapping[str, Any]:
        """The settings of a process that does the job without the gateway."""
        return {
            "TRANSFERS_DATABASE": self.url(),
            "TRANSFERS_BROKER": self.bus_url,
            "TRANSFERS_OWNERS": self.owners,
            "TRANSFERS_TOKEN": self.folder / "legacy-gateway.token",
            "TRANSFERS_ISCS": self.iscs,
            "TRANSFERS_POSTCODES": self.folder / "postcodes.sqlite",
        }

    def gateway(self) -> Mapping[str, Any]:
        """The settings of the gateway. Only ISCS is there; nothing waits for the other systems."""
        token = self.folder / "legacy-gateway.token"
        tls = tls_files(self.folder, "legacy-gateway")
        own_key, signatories = signing_files(self.folder, "legacy-gateway")
        return {
            "CMS_GRPC_PORT": free_port(),
            "CMS_HTTP_PORT": free_port(),
            "CMS_OPERATIONS_PORT": free_port(),
            "CMS_DATABASE_URL": self.url("app"),
            "CMS_DATABASE_HOUSEKEEPING_URL": self.url("housekeeping"),
            "CMS_DATABASE_OWNER_URL": self.url("owner"),
            "CMS_BUS_URL": self.bus_url,
            "CMS_JWKS_FILE": self.tokens.jwks_file,
            "CMS_ISSUER": ISSUER,
            "CMS_TOKEN_FILE": token,
            "CMS_LONGEST_SERVICE_TOKEN_SECONDS": _TOKEN_SECONDS,
            "CMS_KEYRING_FILE": self.tokens.keyring_file,
            "CMS_SIGNING_KEY_FILE": own_key,
            "CMS_SIGNATORIES_FILE": signatories,
            "CMS_ACCESS_LOG_FOLDER": self.folder / "access-log",
            "CMS_TLS_CERTIFICATE_FILE": tls.certificate,
            "CMS_TLS_KEY_FILE": tls.key,
            "CMS_TLS_AUTHORITY_FILE": tls.authority,
            "CMS_INTAKE_ADDRESS": self.owners,
            "CMS_ASSESSMENT_ADDRESS": self.owners,
            "CMS_ISCS_PORT": self.iscs,
            "CMS_PSCS_KEY_FILE": token,
            "CMS_PSCS_HOST_KEY_FILE": token,
            "CMS_CMS_COTS_TOKEN_FILE": token,
            "CMS_POSTCODES_FILE": self.folder / "postcodes.sqlite",
        }


@contextmanager
def place() -> Iterator[Place]:
    """The place, in a folder that is removed."""
    with (
        tempfile.TemporaryDirectory(prefix="cms3-transfers-", dir="/var/tmp") as name,
        ExitStack() as closing,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        postgres = embedded.start_postgres(folder / "postgres", port=free_port(), open_folder=folder / "open")
        closing.callback(postgres.stop)
        valkey = embedded.start_valkey(folder / "bus", port=free_port())
        closing.callback(valkey.stop)
        tokens = Tokens(folder)
        tokens.service_file("legacy-gateway", seconds=_TOKEN_SECONDS)
        build_extract(folder / "postcodes.sqlite")
        yield Place(
            folder=folder,
            postgres=postgres,
            bus_url=valkey.url,
            tokens=tokens,
            owners=closing.enter_context(_owners()),
            iscs=closing.enter_context(_iscs(folder)),
        )


@contextmanager
def fresh_database(found: Place) -> Iterator[None]:
    """The gateway's database anew, migrated, removed afterwards."""
    embedded.create_database(found.postgres.url, DATABASE)
    migrate(owner_url=found.url("owner"), folder=MIGRATIONS)
    try:
        yield
    finally:
        with psycopg.connect(f"{found.postgres.url}/postgres", autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@contextmanager
def _owners() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.transfers.owners"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@contextmanager
def _iscs(folder: Path) -> Iterator[int]:
    port, control = free_port(), free_port()
    settings = {
        "CMS_SIM_PORT": port,
        "CMS_SIM_CONTROL_PORT": control,
        "CMS_SIM_DATA": folder / "iscs",
        "CMS_SIM_COPYBOOKS": COPYBOOKS,
    }
    with (folder / "iscs.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators.iscs"],
            cwd=ROOT,
            env=os.environ | {name: str(value) for name, value in settings.items()},
            stdout=log,
            stderr=log,
        )
    try:
        _await_door(process, control)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await_door(process: "subprocess.Popen[bytes]", port: int) -> None:
    waiting = threading.Event()
    while process.poll() is None:
        try:
            if call(port, "GET", "/healthz").status < 500:
                return
        except OSError:
            waiting.wait(0.1)
    raise RuntimeError("ISCS's stand-in did not start")
