"""The gateway's exchange of files with PSCS's stand-in, whose cycle runs when it is told to, and the work stepped by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chassis.database import Row
from chassis.sftp import SftpClient, SftpServer
from chassis.testing import begin_at_noon
from chassis.workers import Turns
from legacy_gateway.domain import System, new_transfer_id
from legacy_gateway.service import breakers
from legacy_gateway.service.file_work import FileWork
from legacy_gateway.service.sending import send_next
from legacy_gateway.store import leases, systems
from legacy_gateway.store.transfers import transfer_of
from legacy_gateway.systems.pscs import PscsFiles
from simulators.pscs.server import Pscs
from simulators.settings import PscsSettings, read_settings
from simulators.sftp.testing import make_keys
from simulators.testing import call

COPYBOOKS = Path(__file__).parents[2] / "legacy-gateway" / "src" / "legacy_gateway" / "copybooks"
CYCLE_NEVER = 86_400.0
_IDLE = 3
"""After so many steps without anything to do, all that remains is PSCS's."""
ILL = {
    "sick_from": "2005-01-10",
    "illness": "Chest disease",
    "employment_status": "U",
    "special_treatment": "NO",
    "in_hospital_or_home": "NO",
    "adult_dependant": "NONE",
    "children": [],
    "pension_weekly": "0.00",
}

_WAITING = "SELECT * FROM transfers WHERE state = 'WAITING' AND payload IS NOT NULL"
_LIKE_IT = """
    INSERT INTO transfers (
        transfer_id, claim_ref, claim_version, action, generation, system, phase, state, payload,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    )
    SELECT %(transfer_id)s, %(claim_ref)s, claim_version, action, generation, system, phase, state, %(payload)s,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    FROM transfers ORDER BY created LIMIT 1
"""
_COUNTS = "SELECT state, count(*) AS count FROM transfers GROUP BY state"


@dataclass(kw_only=True)
class FileExchange:
    """The gateway's exchange of files with PSCS, stepped by hand."""

    gateway: Any
    pscs: Pscs
    root: Path
    system: PscsFiles
    work: FileWork

    def claim(self, number: int = 1, *, version: int = 7, **answers: Any) -> str:
        """A confirmed claim to Incapacity Benefit."""
        claim_ref = f"C{number:011d}"
        nino = f"AB{number:06d}C"
        self.gateway.know(claim_ref, version=version, **self.ill(nino=nino, **answers))
        self.gateway.hear(self.gateway.confirmed(claim_ref, version=version, schemes=["INCAPACITY_BENEFIT"]))
        return claim_ref

    def ill(self, **answers: Any) -> dict[str, Any]:
        """The answers of somebody who is ill, with these changed."""
        return ILL | answers

    def prepare(self) -> None:
        """Lets the crew make every record that is due."""
        while send_next(self.gateway.resources, System.PSCS):
            pass

    def multiply(self, number: int) -> None:
        """Lets this many more claims wait with their records made, like the one that does."""
        with self.gateway.database.transaction() as conn:
            [like] = conn.execute(_WAITING).fetchall()
            claim_ref, version = like["claim_ref"], like["claim_version"]
            record = leases.open_payload(transfer_of(like), like["payload"], self.gateway.vault.cipher(conn, claim_ref))
        for begin in range(0, number, 1000):
            with self.gateway.database.transaction() as conn:
                for count in range(begin, min(begin + 1000, number)):
                    claim, transfer_id = f"C9{count:010d}", new_transfer_id()
                    cipher = self.gateway.vault.cipher(conn, claim)
                    changed = record.replace(claim_ref.encode("cp285"), claim.encode("cp285"))
                    sealed = cipher.seal_bytes(changed, field=f"payload {transfer_id}", version=version)
                    conn.execute(_LIKE_IT, {"transfer_id": transfer_id, "claim_ref": claim, "payload": sealed})

    def counts(self) -> dict[str, int]:
        """How many transfers are in each state."""
        with self.gateway.database.transaction() as conn:
            return {row["state"]: row["count"] for row in conn.execute(_COUNTS)}

    def step(self) -> None:
        """Steps until nothing is to be done now, with every wait over."""
        idle = 0
        while idle < _IDLE:
            self.prepare()
            self.gateway.change("UPDATE batches SET next_attempt_time = clock_timestamp() - interval '1 second'")
            self.work._next_lists = 0.0
            idle = 0 if self.work.step() else idle + 1

    def cycle(self) -> list[dict[str, Any]]:
        """One cycle of PSCS's."""
        files: list[dict[str, Any]] = call(self.pscs.control_port, "POST", "/cycle").body["files"]
        return files

    def carry(self) -> None:
        """Makes and sends what there is, and takes in PSCS's response."""
        self.step()
        self.cycle()
        self.step()

    def wait_in_vain(self, hours: float) -> None:
        """Lets so many scaled hours go by since the file was sent."""
        seconds = hours * 3600 * self.gateway.resources.time_scale
        self.gateway.change("UPDATE batches SET last_sent_time = last_sent_time - make_interval(secs => %s)", seconds)

    def order(self, failure: str, **rule: Any) -> None:
        """Orders a failure of PSCS."""
        answer = call(self.pscs.control_port, "POST", "/failures", body={"failure": failure, **rule})
        assert answer.status == 200, answer.body

    def held(self, claim_ref: str) -> dict[str, Any]:
        """PSCS's holdings of a claim."""
        found: dict[str, Any] = (
            call(self.pscs.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body["claims"].get(claim_ref, {})
        )
        return found

    def respond(self, sequence: int) -> None:
        """PSCS writes the right response to a file."""
        assert call(self.pscs.control_port, "POST", "/responses", body={"sequence": sequence}).body["written"] is True

    def expect(self, sequence: int) -> None:
        """PSCS expects this sequence next."""
        assert call(self.pscs.control_port, "PUT", "/sequence", body={"sequence": sequence}).status == 200

    def start_at(self, sequence: int) -> None:
        """Both sides are at this sequence."""
        self.expect(sequence)
        self.gateway.change(
            "INSERT INTO batch_turns (system, last_number, last_sequence) VALUES ('PSCS', 41, %s)", sequence - 1
        )

    def no_failures(self) -> None:
        """Ends every failure that was ordered."""
        assert call(self.pscs.control_port, "DELETE", "/failures").status == 200

    def hold(self) -> None:
        """Support holds the system."""
        with self.gateway.database.transaction() as conn:
            breakers.hold(conn, System.PSCS, reason="planned outage", until=None, by="SUPPORT1")

    def release(self) -> None:
        """Support releases the system."""
        with self.gateway.database.transaction() as conn:
            breakers.release(conn, System.PSCS, by="SUPPORT1")

    def breaker(self) -> str:
        """The state of the system's breaker."""
        with self.gateway.database.transaction() as conn:
            return systems.gate(conn, System.PSCS).breaker

    def batches(self) -> list[Row]:
        """Every batch."""
        with self.gateway.database.transaction() as conn:
            found: list[Row] = conn.execute("SELECT * FROM batches ORDER BY number").fetchall()
        return found

    def states(self) -> list[tuple[int, str]]:
        """The sequence and state of every batch."""
        return [(row["sequence"], row["state"]) for row in self.batches()]

    def incoming(self) -> list[str]:
        """The names of the files in PSCS's in/."""
        return sorted(path.name for path in (self.root / "in").iterdir())

    def restart(self) -> None:
        """The process ends, and another begins."""
        self.system.close()
        self.gateway.restart()
        self.work = FileWork(self.gateway.resources, System.PSCS)


@contextmanager
def exchange_with_pscs(gateway: Any, folder: Path) -> Iterator[FileExchange]:
    """Gives the gateway of a test its exchange with a stand-in that keeps its files in the test's folder.

    The test needs `clock_file`: both clocks begin at noon. In the last hour of a day the gateway waits for the next day's
    list before it takes a record for not held.
    """
    begin_at_noon()
    keys = make_keys(folder)
    settings = read_settings(
        PscsSettings,
        port=0,
        control_port=0,
        data=folder / "pscs",
        copybooks=COPYBOOKS,
        host_key=keys["host_key"],
        authorized_keys=keys["authorized_keys"],
        cycle_seconds=CYCLE_NEVER,
        clock_offset_file=folder / "clock-offset",
    )
    stand_in = Pscs(settings)
    stand_in.start()
    host_key = folder / "host.pub"
    host_key.write_bytes(keys["known_hosts"].read_bytes().removeprefix(b"* "))
    server = SftpServer(
        host="127.0.0.1",
        port=stand_in.port,
        user=settings.user,
        key_file=keys["client_key"],
        host_key_file=host_key,
    )
    system = PscsFiles(SftpClient(server), seconds=0.8)
    gateway.resources = replace(
        gateway.resources,
        files={System.PSCS: system},
        turns=gateway.resources.turns | {System.PSCS: Turns(pause_seconds=0)},
    )
    work = FileWork(gateway.resources, System.PSCS)
    yield FileExchange(gateway=gateway, pscs=stand_in, root=settings.data / "sftp", system=system, work=work)
    system.close()
    stand_in.stop()
