"""The rota system as a server: one door for its ledger and its failures, and the publication of rotas."""

import threading
from collections.abc import Sequence

import structlog

from simulators.clock import Clock
from simulators.control import control_application
from simulators.errors import ConfigurationError
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.rotas.failures import RotasFailure
from simulators.rotas.planning import Rota, rotas_of_offices
from simulators.rotas.publishing import Publisher
from simulators.settings import RotasSettings
from simulators.web import WebServer

log = structlog.get_logger()


class RotaSystem:
    """The whole stand-in. Raises LedgerError, ConfigurationError when it cannot be set up."""

    def __init__(self, settings: RotasSettings) -> None:
        self.plan: FailurePlan[RotasFailure] = FailurePlan()
        rotas = rotas_at(settings.offices)
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        self._publisher = Publisher(
            self._ledger,
            self.plan,
            clock=Clock(settings.clock_offset_file),
            rotas=rotas,
            weeks_ahead=settings.weeks_ahead,
            scheduling_url=settings.scheduling_url,
            token_file=settings.token_file,
            pause_seconds=settings.publish_seconds,
        )
        self._publishing = threading.Thread(target=self._publisher.run, name="publisher", daemon=True)
        control = control_application(
            plan=self.plan, kind=RotasFailure, ledger=self._publisher.summary, ready=self._ready
        )
        self._door = WebServer(control, host=settings.host, port=settings.port, threads=4)

    @property
    def port(self) -> int:
        """The port of the door. It has nothing to serve but what is of the control door, so that there is one for both."""
        return self._door.port

    def start(self) -> None:
        """Open the door and begin to publish."""
        self._publishing.start()
        self._door.start()
        log.info("ready", port=self.port, control_port=self.port)

    def stop(self) -> None:
        """Finish the requests in hand, close the door and the ledger."""
        self._publisher.stop()
        self._door.stop()
        self._publishing.join()
        self._ledger.close()
        log.info("stopped")

    def _ready(self) -> bool:
        """Whether every week from today on is published or refused: until then nobody can book in them."""
        return self._publishing.is_alive() and not self._ledger.broken and self._publisher.is_complete()


def rotas_at(offices: str) -> Sequence[Rota]:
    """The rotas at these offices, codes with a space between, or at `all`. Raises ConfigurationError."""
    of_offices = rotas_of_offices()
    wanted = sorted(of_offices if offices == "all" else set(offices.split()))
    unknown = [code for code in wanted if code not in of_offices]
    if unknown:
        raise ConfigurationError(f"there is no rota of the offices {', '.join(unknown)}")
    return [rota for code in wanted for rota in of_offices[code]]
