"""What tests of every service use: a real PostgreSQL and bus, a migrated database for each test, tokens, a clock.

It is a pytest plugin, loaded by the conftest at the root. The servers start when the first test asks for them, once for
a test run whatever the number of its workers, and end with the run.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from chassis import clock, embedded
from chassis.bus import Bus
from chassis.database import Connection, Database
from chassis.identity import ALGORITHM, AUDIENCE
from chassis.migrations import migrate
from chassis.settings import ServiceSettings
from chassis.vault import Keyring, Vault

ISSUER = "cms3-tests"
_FOLDER = "CMS_TEST_FOLDER"
_KEY_ID = "tests"
_started: list[embedded.Postgres | embedded.Valkey] = []
"""Kept, so that the servers outlive the fixture that started them."""


def pytest_configure(config: pytest.Config) -> None:
    """Makes the run's folder; workers find it by the environment."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="cms3-tests-", dir="/var/tmp"))
        folder.chmod(0o755)
        os.environ[_FOLDER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the servers that the run started, and removes its folder."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(_FOLDER))
    state = folder / "state.json"
    if state.exists():
        for pid in json.loads(state.read_text())["pids"]:
            _end(pid)
    shutil.rmtree(folder)


def _end(pid: int) -> None:
    # SIGINT is PostgreSQL's fast shutdown; the bus ends on it as well.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        eventually(lambda: not Path(f"/proc/{pid}").exists(), seconds=20, what=f"the end of process {pid}")


def eventually(condition: Callable[[], Any], *, seconds: float = 10.0, what: str = "the condition") -> Any:
    """Waits until `condition` gives something true and gives that; AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come within {seconds:g} seconds")
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The PostgreSQL (its superuser, without a database name) and the bus of a test run."""

    folder: Path
    postgres_url: str
    bus_url: str


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The run's servers; started by whoever asks first."""
    folder = Path(os.environ[_FOLDER])
    state = folder / "state.json"
    with _locked(folder):
        if not state.exists():
            state.write_text(json.dumps(_start(folder)))
    found = json.loads(state.read_text())
    return Servers(folder=folder, postgres_url=found["postgres_url"], bus_url=found["bus_url"])


def _start(folder: Path) -> dict[str, Any]:
    postgres = embedded.start_postgres(
        folder / "postgres", port=free_port(), open_folder=folder / "open", durable=False
    )
    valkey = embedded.start_valkey(folder / "bus", port=free_port(), durable=False)
    _started.extend([postgres, valkey])
    return {"postgres_url": postgres.url, "bus_url": valkey.url, "pids": [postgres.pid, valkey.pid]}


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """A database of a test: as the role that runs the service, and as the one that migrates."""

    app: str
    owner: str
    name: str


def database_fixture(service: str, migrations: Path) -> Any:
    """A fixture that gives a fresh, migrated database for each test, cloned from a template made once."""

    @pytest.fixture
    def database_urls(servers: Servers) -> Iterator[DatabaseUrls]:
        template = f"template_{service}"
        with _locked(servers.folder):
            _make_template(servers, service, template, migrations)
        name = f"{service}_{uuid.uuid4().hex[:12]}"
        with _superuser(servers) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{service}_owner")
                )
            )
        yield _urls(servers, service, name)
        with _superuser(servers) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return database_urls


def _superuser(servers: Servers) -> psycopg.Connection:
    return psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True)


def _urls(servers: Servers, service: str, name: str) -> DatabaseUrls:
    host = servers.postgres_url.rpartition("@")[2]
    return DatabaseUrls(
        app=f"postgresql://{service}_app@{host}/{name}", owner=f"postgresql://{service}_owner@{host}/{name}", name=name
    )


def _make_template(servers: Servers, service: str, template: str, migrations: Path) -> None:
    with _superuser(servers) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            return
        scratch = f"{template}_new"
        embedded.create_database(servers.postgres_url, service)
        owner = sql.Identifier(f"{service}_owner")
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(scratch), owner))
        urls = _urls(servers, service, scratch)
        migrate(owner_url=urls.owner, app_url=urls.app, folder=migrations)
        conn.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(scratch), sql.Identifier(template))
        )


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The pool of the test's database, as the `_app` role."""
    opened = Database(database_urls.app)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def bus_prefix() -> str:
    """A prefix on the bus that no other test uses."""
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
def bus(servers: Servers, bus_prefix: str) -> Iterator[Bus]:
    """The bus, below the test's prefix."""
    opened = Bus(servers.bus_url, prefix=bus_prefix)
    yield opened
    opened.close()


@pytest.fixture
def vault() -> Vault:
    """A vault with fresh keys, of a service named `test`."""
    return Vault("test", _keyring())


def _keyring() -> Keyring:
    folder = Path(os.environ[_FOLDER])
    path = folder / f"keyring-{uuid.uuid4().hex}.json"
    path.write_text(Keyring.generate())
    return Keyring.load(path)


class Tokens:
    """Issues tokens as the platform's issuer would, and files that services read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jwks_file = folder / "jwks.json"
        self._key_id = _KEY_ID
        self._published: list[dict[str, Any]] = []
        self.change_key(_KEY_ID, withdraw=True)
        self.keyring_file = folder / "keyring.json"
        self.keyring_file.write_text(Keyring.generate())

    def change_key(self, key_id: str, *, withdraw: bool) -> None:
        """Signs by a new key from now on; it is in the file beside those before it, or in their place."""
        self.key, self._key_id = Ed25519PrivateKey.generate(), key_id
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self.key.public_key()))
        kept = [] if withdraw else self._published
        self._published = [*kept, public | {"kid": key_id, "alg": ALGORITHM, "use": "sig"}]
        fresh = self.folder / "jwks.json.new"
        fresh.write_text(json.dumps({"keys": self._published}))
        fresh.replace(self.jwks_file)

    def issue(self, *roles: str, subject: str = "OP000001", seconds: float = 3600, **claims: Any) -> str:
        """A token of these roles; further claims (office, authority, grade, aud …) by name."""
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": list(roles),
            "exp": int(time.time() + seconds),
        } | claims
        return jwt.encode(body, self.key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def service_file(self, service: str) -> Path:
        """A file with the token of a service."""
        path = self.folder / f"{service}.token"
        path.write_text(self.issue("SERVICE", subject=service))
        return path


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """An issuer of the test's own."""
    return Tokens(tmp_path)


@pytest.fixture
def clock_file(tmp_path: Path) -> Iterator[Path]:
    """A clock of the test's own: `clock.advance` moves it."""
    path = tmp_path / "clock-offset"
    clock.configure(path)
    yield path
    clock.configure(None)


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
    return kind(
        grpc_port=0,
        http_port=0,
        database_url=urls.app,
        database_owner_url=urls.owner,
        bus_url=servers.bus_url,
        bus_prefix=bus_prefix,
        jwks_file=tokens.jwks_file,
        issuer=ISSUER,
        token_file=tokens.service_file(service),
        keyring_file=tokens.keyring_file,
        drain_seconds=5.0,
        **more,
    )


def rows_read(conn: Connection, query: str, parameters: Any) -> int:
    """How many rows of tables the query looks at, whether it gives them or not."""
    row: Any = conn.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode(), parameters).fetchone()
    found = row["QUERY PLAN"]
    return sum(map(_read_by, _nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _read_by(node: dict[str, Any]) -> int:
    if "Relation Name" not in node:
        return 0
    each: float = node["Actual Rows"] + sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    return round(each * float(node["Actual Loops"]))


@contextlib.contextmanager
def commits_fail(urls: DatabaseUrls, table: str) -> Iterator[None]:
    """As long as it lasts the database refuses COMMIT itself to whoever wrote to the table, as a deferred constraint does."""
    name = sql.Identifier(table)
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'serialization_failure'; END $$"
        )
        owner.execute(
            sql.SQL(
                "CREATE CONSTRAINT TRIGGER refused AFTER INSERT OR UPDATE ON {} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            ).format(name)
        )
        yield
        owner.execute(sql.SQL("DROP TRIGGER refused ON {}").format(name))
        owner.execute("DROP FUNCTION refuse")
