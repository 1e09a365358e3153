"""The place of the measurement: a durable PostgreSQL, the councils' stand-in, and claims in memory."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from chassis import clock, embedded
from chassis.database import Database
from chassis.migrations import migrate
from chassis.postcodes import Postcodes, build_extract
from chassis.sftp import SftpClient, SftpServer
from chassis.testing import event_of, free_port
from chassis.vault import Keyring, Vault
from cms.intake.v1 import events_pb2
from cms_local.cases import load_cases
from la_notifier.__main__ import MIGRATIONS
from la_notifier.channels import sftp
from la_notifier.domain.awards import Decision
from la_notifier.domain.facts import ClaimFacts
from la_notifier.service.reviews import hear
from simulators.sftp.testing import make_keys
from simulators.testing import call

DATABASE = "notifier"
VERSION = 3
BY_API, BY_SFTP = {"code": "W06000015", "postcode": "CF10 4ER"}, {"code": "E07000241", "postcode": "AL7 3HN"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of the measurement. `secret` is that of the council with the API."""

    database: Database
    vault: Vault
    postcodes: Postcodes
    claims: "ClaimsInMemory"
    url: str
    secret: bytes
    control: int
    sftp: SftpClient

    def tell_of(self, claim_refs: Sequence[str], *, postcode: str) -> None:
        """Lets the notifier hear of submitted claims with this postcode."""
        self.claims.postcode = postcode
        with self.database.transaction() as conn:
            for claim_ref in claim_refs:
                hear(conn, event_of(events_pb2.ClaimSubmitted(), claim_ref=claim_ref, version=VERSION, at=clock.now()))

    def count(self, state: str) -> int:
        """How many versions are in a state."""
        with self.database.transaction() as conn:
            row = conn.execute("SELECT count(*) AS count FROM notice_versions WHERE state = %s", [state]).fetchone()
        return int(row["count"]) if row else 0


class ClaimsInMemory:
    """Intake and gateway: every claim is that of a lone tenant, submitted today."""

    def __init__(self) -> None:
        answers = load_cases(clock.today())[0].answers
        self.postcode = BY_API["postcode"]
        self._facts = ClaimFacts(
            claim_ref="",
            version=VERSION,
            withdrawn=False,
            schemes=("JOBSEEKERS_ALLOWANCE",),
            language="EN",
            first_contact_time=clock.now(),
            first_contact_on=clock.today(),
            claim_on=clock.today(),
            answers={"language": "EN", "capital_band": "UP_TO_6000", **answers},
        )

    def purpose(self, claim_ref: str) -> str:
        """Entitles everybody."""
        return f"work item {claim_ref}"

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The claim."""
        address = {"address": {"lines": ["1 High Street", "Town"], "postcode": self.postcode}}
        return replace(self._facts, claim_ref=claim_ref, answers={**self._facts.answers, **address})

    def decisions(self, claim_ref: str) -> Sequence[Decision]:
        """No decision."""
        return []


@contextmanager
def place() -> Iterator[Place]:
    """The place, in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="cms3-notices-", dir="/var/tmp") as name, ExitStack() as closing:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = embedded.start_postgres(folder / "postgres", port=free_port(), open_folder=folder / "open")
        closing.callback(postgres.stop)
        embedded.create_database(postgres.url, DATABASE)
        urls = {
            role: f"postgresql://{DATABASE}_{role}@127.0.0.1:{postgres.port}/{DATABASE}" for role in ("owner", "app")
        }
        migrate(owner_url=urls["owner"], folder=MIGRATIONS)
        database = Database(urls["app"])
        database.open()
        closing.callback(database.close)
        (folder / "keyring.json").write_text(Keyring.generate())
        build_extract(folder / "postcodes.sqlite")
        secret = secrets.token_bytes(32)
        ports = closing.enter_context(_councils(folder, secret))
        client = SftpClient(_server(folder, ports["CMS_SIM_SFTP_PORT"]))
        closing.callback(client.close)
        yield Place(
            database=database,
            vault=Vault("la-notifier", Keyring.load(folder / "keyring.json")),
            postcodes=closing.enter_context(Postcodes(folder / "postcodes.sqlite")),
            claims=ClaimsInMemory(),
            url=f"http://127.0.0.1:{ports['CMS_SIM_PORT']}",
            secret=secret,
            control=ports["CMS_SIM_CONTROL_PORT"],
            sftp=client,
        )


def _server(folder: Path, port: int) -> SftpServer:
    host_key = folder / "councils-host.pub"
    host_key.write_bytes((folder / "known_hosts").read_bytes().removeprefix(b"* "))
    return SftpServer(
        host="127.0.0.1",
        port=port,
        user="cms3",
        key_file=folder / "client_key",
        host_key_file=host_key,
        part=sftp.PART,
    )


@contextmanager
def _councils(folder: Path, secret: bytes) -> Iterator[dict[str, int]]:
    """The stand-in as a process of its own, which loads at once; its files are taken by an order at the control door."""
    keys = make_keys(folder)
    (folder / "councils.json").write_text(json.dumps({BY_API["code"]: secret.hex()}))
    ports = {name: free_port() for name in ("CMS_SIM_PORT", "CMS_SIM_SFTP_PORT", "CMS_SIM_CONTROL_PORT")}
    settings = ports | {
        "CMS_SIM_DATA": folder / "councils",
        "CMS_SIM_SECRETS": folder / "councils.json",
        "CMS_SIM_HOST_KEY": keys["host_key"],
        "CMS_SIM_AUTHORIZED_KEYS": keys["authorized_keys"],
        "CMS_SIM_LOAD_SECONDS": 0.05,
        "CMS_SIM_CYCLE_SECONDS": 86_400,
    }
    with (folder / "councils.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators.councils"],
            env=os.environ | {name: str(value) for name, value in settings.items()},
            stdout=log,
            stderr=log,
        )
    try:
        _await(lambda: process.poll() is not None or _answers(ports["CMS_SIM_CONTROL_PORT"]))
        yield ports
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return call(port, "GET", "/healthz").status < 500
    except OSError:
        return False


def _await(is_so: Callable[[], bool]) -> None:
    waiting = threading.Event()
    while not is_so():
        waiting.wait(0.1)
