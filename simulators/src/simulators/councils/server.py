"""The councils as a server: the HTTP door, the SFTP door and its cycle, and the control door, over one ledger."""

import json
import secrets as random_secrets
import threading
from pathlib import Path

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter, ValidationError

from simulators.clock import Clock
from simulators.control import control_application
from simulators.councils.api import CouncilsApi
from simulators.councils.batch import WRITABLE, BatchFiles, FileName
from simulators.councils.cycle import Cycle
from simulators.councils.failures import CouncilFailure, TakenSequence
from simulators.councils.holdings import Holdings
from simulators.councils.letters import Letterbox
from simulators.councils.notice_fields import load_notice_fields
from simulators.errors import ConfigurationError
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.outage import Outage
from simulators.settings import CouncilsSettings
from simulators.sftp.door import SftpDoor
from simulators.web import WebServer

log = structlog.get_logger()


class Councils:
    """The whole stand-in. Raises LedgerError or ConfigurationError when it cannot be set up."""

    def __init__(self, settings: CouncilsSettings) -> None:
        self._settings = settings
        self.plan: FailurePlan[CouncilFailure] = FailurePlan()
        self._stopping = threading.Event()
        secrets = read_secrets(settings.secrets)
        fields = load_notice_fields()
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        clock = Clock(settings.clock_offset_file)
        self._holdings = Holdings(self._ledger, load_seconds=settings.load_seconds, now=clock.now)
        self._loader = threading.Thread(target=self._holdings.load_when_due, name="loader", daemon=True)
        api = CouncilsApi(
            secrets=secrets, fields=fields, holdings=self._holdings, plan=self.plan, stopping=self._stopping
        )
        outage = Outage(self.plan, orders=CouncilFailure.is_outage)
        root = settings.data / "sftp"
        self.cycle = Cycle(
            root=root,
            files=BatchFiles(fields),
            holdings=self._holdings,
            plan=self.plan,
            clock=clock,
            outage=outage,
        )
        self._door = SftpDoor(
            (settings.host, settings.sftp_port),
            user=settings.user,
            host_key=settings.host_key,
            authorized_keys=settings.authorized_keys,
            root=root,
            plan=self.plan,
            outage=outage,
            watcher=self.cycle.watch,
            writable=WRITABLE,
        )
        self._turning = threading.Thread(target=self._turn, name="cycle", daemon=True)
        control = self._control_application()
        application = api.application()
        Letterbox(holdings=self._holdings, plan=self.plan).add_to(application)
        self._public = WebServer(application, host=settings.host, port=settings.port, threads=16)
        self._control = WebServer(control, host=settings.host, port=settings.control_port, threads=4)

    @property
    def port(self) -> int:
        """The port of the HTTP door."""
        return self._public.port

    @property
    def sftp_port(self) -> int:
        """The port of the SFTP door."""
        return self._door.port

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open all doors, begin to load and to take files."""
        if self._settings.time_scale != 1:
            log.warning("the cycle of the interface is scaled", time_scale=self._settings.time_scale)
        self._loader.start()
        self._public.start()
        self._door.start()
        self._control.start()
        self._turning.start()
        log.info("ready", port=self.port, sftp_port=self.sftp_port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the requests and the cycle in hand, close all doors and the ledger."""
        self._stopping.set()
        self._public.stop()
        self._control.stop()
        self._door.stop()
        self._turning.join()
        self._holdings.stop()
        self._loader.join()
        self._ledger.close()
        log.info("stopped")

    def _ready(self) -> bool:
        return self._loader.is_alive() and self._turning.is_alive() and not self._ledger.broken

    def _turn(self) -> None:
        self.cycle.run_until(self._stopping, every_seconds=self._settings.cycle_seconds * self._settings.time_scale)

    def _control_application(self) -> Flask:
        application = control_application(
            plan=self.plan, kind=CouncilFailure, ledger=self._holdings.summary, ready=self._ready
        )

        @application.post("/cycle")
        def run_cycle() -> ResponseReturnValue:
            return jsonify(files=self.cycle.run())

        @application.post("/acknowledgements")
        def acknowledge() -> ResponseReturnValue:
            return jsonify(written=self.cycle.write_acknowledgement(_ordered_name()))

        @application.post("/sequences")
        def take() -> ResponseReturnValue:
            taken = self._holdings.take_file(_ordered_name(), (), token=random_secrets.token_hex(8))
            return jsonify(rows=len(taken))

        return application


def _ordered_name() -> FileName:
    """The file that an order at the control door names. Raises ValidationError."""
    order = TakenSequence.model_validate(request.get_json())
    return FileName(authority_code=order.authority, sequence=order.sequence)


def read_secrets(path: Path) -> dict[str, bytes]:
    """Authority code to secret, from a JSON file of hex strings. Raises ConfigurationError."""
    try:
        secrets = TypeAdapter(dict[str, str]).validate_python(json.loads(path.read_text(encoding="utf-8")))
        return {code: bytes.fromhex(secret) for code, secret in secrets.items()}
    except (OSError, ValidationError, ValueError):
        raise ConfigurationError("the secrets file is not an object of hex secrets by authority code") from None
