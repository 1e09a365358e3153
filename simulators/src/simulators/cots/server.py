"""CMS-COTS as a server: the HTTP door and the control door over one ledger."""

import threading
from pathlib import Path

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.clock import Clock
from simulators.control import control_application
from simulators.cots.api import Api
from simulators.cots.door import HttpDoor
from simulators.cots.failures import ClaimToLose, CotsFailure
from simulators.cots.holdings import Holdings
from simulators.errors import ConfigurationError
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.settings import CotsSettings
from simulators.web import WebServer

log = structlog.get_logger()


class Cots:
    """The whole stand-in. Raises LedgerError or ConfigurationError when it cannot be set up."""

    def __init__(self, settings: CotsSettings) -> None:
        token = read_token(settings.token_file)
        self.plan: FailurePlan[CotsFailure] = FailurePlan()
        self._stopping = threading.Event()
        self._clock = Clock(settings.clock_offset_file)
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        self._holdings = Holdings(self._ledger)
        self._door = HttpDoor(
            (settings.host, settings.port),
            api=Api(token=token, holdings=self._holdings, clock=self._clock),
            plan=self.plan,
            stopping=self._stopping,
        )
        self._control = WebServer(
            self._control_application(), host=settings.host, port=settings.control_port, threads=4
        )

    @property
    def port(self) -> int:
        """The port of the HTTP door."""
        return self._door.port

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open both doors."""
        self._door.start()
        self._control.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the calls in hand, close both doors and the ledger."""
        self._stopping.set()
        self._control.stop()
        self._door.stop()
        self._ledger.close()
        log.info("stopped")

    def _control_application(self) -> Flask:
        application = control_application(
            plan=self.plan, kind=CotsFailure, ledger=self._holdings.summary, ready=lambda: not self._ledger.broken
        )

        @application.post("/ledger/lose")
        def lose() -> ResponseReturnValue:
            order = ClaimToLose.model_validate(request.get_json())
            return jsonify(lost=self._holdings.lose(order.claim_ref, received=self._clock.now()))

        return application


def read_token(path: Path) -> str:
    """The bearer token in a file. Raises ConfigurationError."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise ConfigurationError("the token file cannot be read") from None
    if not token:
        raise ConfigurationError("the token file is empty")
    return token
