"""No claim is lost while PostgreSQL is restarted, killed, away, or full, or its backends end at commit."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import HTTP, eventually
from cms_local import keys, platform
from cms_local.doors import Refused
from cms_local.layout import Layout
from tests.support.platforms import PlatformUnderTest, free_base, own_platform
from tests.support.siege import Siege, under_siege

pytestmark = pytest.mark.xdist_group("database-attack")

TYPED = {"unavailable", "resource_exhausted", "deadline_exceeded"}
"""The codes that callers may get while the database is in trouble; each of them means: try again."""
DISK = "size=400m,mode=0755"
RECOVERY_SECONDS = 4.0

END_AT_COMMIT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND state = 'active' AND query = 'COMMIT' AND random() < 0.2
"""
SLOW_COMMITS = "ALTER SYSTEM SET commit_delay = 20000", "ALTER SYSTEM SET commit_siblings = 0"
"""Commits take twenty milliseconds, so that the test can end a backend in one."""


@pytest.fixture(scope="module")
def besieged() -> Iterator[PlatformUnderTest]:
    """Starts a platform whose PostgreSQL has a small disk of its own, where this machine allows a mount."""
    base, disk = free_base(), Path(tempfile.mkdtemp(prefix="cms3-disk-", dir="/var/tmp"))
    disk.chmod(0o755)
    mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", DISK, "none", disk]
    mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        Layout(base).folder.mkdir(parents=True)
        folder = platform.postgres_folder(Layout(base))
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o755)
        (disk / "postgres").mkdir()
        folder.symlink_to(disk / "postgres")
        with own_platform(base) as started:
            yield started
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)
        shutil.rmtree(disk)


def disk_of(besieged: PlatformUnderTest) -> Path:
    return platform.postgres_folder(besieged.layout).resolve().parent


def superuser(besieged: PlatformUnderTest, database: str = "postgres") -> psycopg.Connection:
    url = f"postgresql://postgres@127.0.0.1:{besieged.layout.postgres_port}/{database}"
    return psycopg.connect(url, autocommit=True)


def start_a_call(besieged: PlatformUnderTest) -> str:
    """Returns the code of one attempt without a retry; `ok` for a response."""
    token = keys.issue(besieged.layout.keys(""), "OPERATOR", subject="OP000001", grade="AO")
    body = {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
        "requestId": str(uuid4()),
    }
    try:
        besieged.doors.once("intake-svc", "StartCall", body, token=token)
    except Refused as refused:
        return refused.code
    return "ok"


def restarted(besieged: PlatformUnderTest, siege: Siege) -> None:
    besieged.running.stop("postgres")
    besieged.running.start("postgres")


def killed(besieged: PlatformUnderTest, siege: Siege) -> None:
    besieged.running.stop("postgres", number=signal.SIGKILL)
    besieged.running.start("postgres")


def away_for_some_seconds(besieged: PlatformUnderTest, siege: Siege) -> None:
    besieged.running.stop("postgres")
    back = time.monotonic() + 4
    while time.monotonic() < back:
        assert start_a_call(besieged) in TYPED
    besieged.running.start("postgres")
    eventually(lambda: start_a_call(besieged) == "ok", seconds=RECOVERY_SECONDS, what="a call that is taken")


def ended_at_commit(besieged: PlatformUnderTest, siege: Siege) -> None:
    ended: list[object] = []
    wanted = len(siege.taken) + 3
    with superuser(besieged) as server:
        for statement in (*SLOW_COMMITS, "SELECT pg_reload_conf()"):
            server.execute(statement.encode())

        def enough() -> bool:
            ended.extend(server.execute(END_AT_COMMIT).fetchall())
            return len(ended) >= 10 and len(siege.taken) >= wanted

        eventually(enough, seconds=60, what="ten backends ended at commit, and three calls all the same")
        for statement in ("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()"):
            server.execute(statement.encode())


def exhausted(besieged: PlatformUnderTest, siege: Siege) -> None:
    """Lets every connection of intake wait for a lock while more calls come than there are connections."""
    ready = f"http://127.0.0.1:{besieged.layout.operations_port('intake-svc')}/readyz"
    with superuser(besieged, "intake") as server, ThreadPoolExecutor(24) as callers, server.transaction():
        server.execute("LOCK TABLE claims IN ACCESS EXCLUSIVE MODE")
        calls = [callers.submit(start_a_call, besieged) for _ in range(24)]
        told = {call.result() for call in calls}
        status = HTTP.get(ready, timeout=2).json()["status"]
    assert told <= TYPED
    assert status == "ready"
    eventually(lambda: start_a_call(besieged) == "ok", seconds=RECOVERY_SECONDS, what="a call that is taken")


def out_of_disk(besieged: PlatformUnderTest, siege: Siege) -> None:
    told: set[str] = set()

    def refused() -> bool:
        told.add(start_a_call(besieged))
        return bool(told - {"ok"})

    fill(besieged)
    eventually(refused, seconds=30, what="a call that is refused")
    assert told <= {"ok", *TYPED}
    free(besieged)
    eventually(lambda: start_a_call(besieged) == "ok", seconds=30, what="a call that is taken")


def fill(besieged: PlatformUnderTest) -> None:
    disk = disk_of(besieged)
    if not disk.is_mount():
        limit_files(besieged, "1")
        return
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(b"\0" * 65536):
            pass


def free(besieged: PlatformUnderTest) -> None:
    (disk_of(besieged) / "ballast").unlink(missing_ok=True)
    if besieged.running.is_alive("postgres"):
        if not disk_of(besieged).is_mount():
            limit_files(besieged, "unlimited")
        return
    besieged.running.start("postgres")


def limit_files(besieged: PlatformUnderTest, size: str) -> None:
    """Limits the size of PostgreSQL's files where nothing can be mounted, so that its next write is refused."""
    postmaster = besieged.running.running["postgres"].pid
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    owner = Path(f"/proc/{postmaster}").stat()
    for pid in [str(postmaster), *children]:
        command = ["prlimit", "--pid", pid, f"--fsize={size}:unlimited"]
        # Only a process of the same user may set it. A child may have ended by now.
        subprocess.run(command, check=False, user=owner.st_uid, group=owner.st_gid, extra_groups=[], cwd="/")


ATTACKS: list[Callable[[PlatformUnderTest, Siege], None]] = [
    restarted,
    killed,
    away_for_some_seconds,
    ended_at_commit,
    exhausted,
    out_of_disk,
]


def test_claims_come_through_every_attack_on_the_database(besieged: PlatformUnderTest) -> None:
    with under_siege(besieged) as siege:
        for attack in ATTACKS:
            siege.wait_for_calls(1)
            attack(besieged, siege)


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS)
def test_claims_come_through_repeated_attacks_on_the_database(
    besieged: PlatformUnderTest, attack: Callable[[PlatformUnderTest, Siege], None]
) -> None:
    with under_siege(besieged) as siege:
        for _ in range(5):
            siege.wait_for_calls(1)
            attack(besieged, siege)
