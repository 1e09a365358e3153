"""The switch as a server: its own counts at the public door, the control door, and the reports to intake."""

import threading
from datetime import datetime

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter

from simulators.clock import Clock
from simulators.control import control_application
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.settings import SwitchSettings
from simulators.switch.counting import Counting
from simulators.switch.failures import SwitchFailure
from simulators.switch.reporting import KEPT, Reporter
from simulators.switch.traffic import Counts
from simulators.web import WebServer

log = structlog.get_logger()

_GIVEN = TypeAdapter(list[Counts])


class Switch:
    """The whole stand-in. Raises LedgerError when it cannot be set up."""

    def __init__(self, settings: SwitchSettings) -> None:
        self.plan: FailurePlan[SwitchFailure] = FailurePlan()
        self._clock = Clock(settings.clock_offset_file)
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        self._counting = Counting(self._ledger, calls_per_day=settings.calls_per_day, seed=settings.seed)
        self._reporter = Reporter(
            self._counting,
            self.plan,
            clock=self._clock,
            intake_url=settings.intake_url,
            token_file=settings.token_file,
            pause_seconds=settings.report_seconds,
        )
        self._reporting = threading.Thread(target=self._reporter.run, name="reporter", daemon=True)
        self._public = WebServer(self._application(), host=settings.host, port=settings.port, threads=4)
        self._control = WebServer(self._control_door(), host=settings.host, port=settings.control_port, threads=4)

    @property
    def port(self) -> int:
        """The port of the public door."""
        return self._public.port

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open both doors and begin to report."""
        self._reporting.start()
        self._public.start()
        self._control.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the requests in hand, close both doors and the ledger."""
        self._reporter.stop()
        self._public.stop()
        self._control.stop()
        self._reporting.join()
        self._ledger.close()
        log.info("stopped")

    def _application(self) -> Flask:
        application = Flask("simulators.switch")

        @application.get("/quarter-hours")
        def counts() -> ResponseReturnValue:
            now = self._clock.now()
            try:
                since = datetime.fromisoformat(request.args.get("from", (now - KEPT).isoformat()))
            except ValueError:
                return jsonify(errors=[{"field": "from", "message": "is not a time"}]), 400
            if since.tzinfo is None or since < now - KEPT:
                return jsonify(errors=[{"field": "from", "message": "must have a zone and lie within seven days"}]), 400
            return jsonify(
                quarter_hours=[found.model_dump(mode="json") for found in self._counting.between(since, now)]
            )

        return application

    def _control_door(self) -> Flask:
        control = control_application(
            plan=self.plan, kind=SwitchFailure, ledger=self._counting.summary, ready=self._ready
        )

        @control.put("/quarter-hours")
        def give() -> ResponseReturnValue:
            self._counting.give(_GIVEN.validate_python(request.get_json()))
            return jsonify(self._counting.summary(None))

        return control

    def _ready(self) -> bool:
        return self._reporting.is_alive() and not self._ledger.broken
