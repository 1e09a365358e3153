"""PSCS as a server: the SFTP door, the cycle and the control door over one ledger."""

import threading

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.clock import Clock
from simulators.control import control_application
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.outage import Outage
from simulators.pscs.batch import Files
from simulators.pscs.cycle import RULES, Cycle
from simulators.pscs.failures import ClaimToLose, PscsFailure, Sequence
from simulators.pscs.holdings import Holdings
from simulators.record_link.edit_rules import COMMON_RULES, load_rule_book
from simulators.settings import PscsSettings
from simulators.sftp.door import SftpDoor
from simulators.web import WebServer

log = structlog.get_logger()


class Pscs:
    """The whole stand-in. Raises LedgerError, CopybookError, ConfigurationError or OSError when it cannot be set up."""

    def __init__(self, settings: PscsSettings) -> None:
        self._settings = settings
        self.plan: FailurePlan[PscsFailure] = FailurePlan()
        outage = Outage(self.plan, orders=PscsFailure.is_outage)
        self._clock = Clock(settings.clock_offset_file)
        root = settings.data / "sftp"
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        self._holdings = Holdings(self._ledger)
        self.cycle = Cycle(
            root=root,
            files=Files(settings.copybooks),
            rules=load_rule_book(COMMON_RULES, RULES),
            holdings=self._holdings,
            plan=self.plan,
            clock=self._clock,
            outage=outage,
        )
        self._door = SftpDoor(
            (settings.host, settings.port),
            user=settings.user,
            host_key=settings.host_key,
            authorized_keys=settings.authorized_keys,
            root=root,
            plan=self.plan,
            outage=outage,
        )
        self._control = WebServer(
            self._control_application(), host=settings.host, port=settings.control_port, threads=4
        )
        self._stopping = threading.Event()
        self._turning = threading.Thread(target=self._turn, name="cycle", daemon=True)

    @property
    def port(self) -> int:
        """The port of the SFTP door."""
        return self._door.port

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open both doors and begin the cycles."""
        if self._settings.time_scale != 1:
            log.warning("the cycle of the interface is scaled", time_scale=self._settings.time_scale)
        self._door.start()
        self._control.start()
        self._turning.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the cycle in hand, close both doors and the ledger."""
        self._stopping.set()
        self._control.stop()
        self._door.stop()
        self._turning.join()
        self._ledger.close()
        log.info("stopped")

    def _turn(self) -> None:
        self.cycle.run_until(self._stopping, every_seconds=self._settings.cycle_seconds * self._settings.time_scale)

    def _ready(self) -> bool:
        return self._turning.is_alive() and not self._ledger.broken

    def _control_application(self) -> Flask:
        application = control_application(
            plan=self.plan, kind=PscsFailure, ledger=self._holdings.summary, ready=self._ready
        )

        @application.post("/cycle")
        def run_cycle() -> ResponseReturnValue:
            return jsonify(files=self.cycle.run())

        @application.post("/responses")
        def respond() -> ResponseReturnValue:
            order = Sequence.model_validate(request.get_json())
            return jsonify(written=self.cycle.write_response(order.sequence))

        @application.put("/sequence")
        def expect() -> ResponseReturnValue:
            order = Sequence.model_validate(request.get_json())
            self._holdings.expect(order.sequence)
            return jsonify(expected=order.sequence)

        @application.post("/ledger/lose")
        def lose() -> ResponseReturnValue:
            order = ClaimToLose.model_validate(request.get_json())
            return jsonify(lost=self._holdings.lose(order.claim_ref, received=self._clock.now()))

        return application
