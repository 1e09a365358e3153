"""The councils' API as a server: the public door and the control door over one ledger."""

import json
import threading
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from simulators.clock import Clock
from simulators.control import control_application
from simulators.councils.api import CouncilsApi
from simulators.councils.failures import CouncilFailure
from simulators.councils.holdings import Holdings
from simulators.councils.notice_fields import load_notice_fields
from simulators.errors import ConfigurationError
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.settings import CouncilsSettings
from simulators.web import WebServer

log = structlog.get_logger()


class Councils:
    """The whole stand-in. Raises LedgerError or ConfigurationError when it cannot be set up."""

    def __init__(self, settings: CouncilsSettings) -> None:
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
        control = control_application(
            plan=self.plan, kind=CouncilFailure, ledger=self._holdings.summary, ready=self._ready
        )
        self._public = WebServer(api.application(), host=settings.host, port=settings.port, threads=16)
        self._control = WebServer(control, host=settings.host, port=settings.control_port, threads=4)

    @property
    def port(self) -> int:
        """The port of the public door."""
        return self._public.port

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open both doors and begin to load."""
        self._loader.start()
        self._public.start()
        self._control.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the requests in hand, close both doors and the ledger."""
        self._stopping.set()
        self._public.stop()
        self._control.stop()
        self._holdings.stop()
        self._loader.join()
        self._ledger.close()
        log.info("stopped")

    def _ready(self) -> bool:
        return self._loader.is_alive() and not self._ledger.broken


def read_secrets(path: Path) -> dict[str, bytes]:
    """Authority code to secret, from a JSON file of hex strings. Raises ConfigurationError."""
    try:
        secrets = TypeAdapter(dict[str, str]).validate_python(json.loads(path.read_text(encoding="utf-8")))
        return {code: bytes.fromhex(secret) for code, secret in secrets.items()}
    except (OSError, ValidationError, ValueError):
        raise ConfigurationError("the secrets file is not an object of hex secrets by authority code") from None
