"""Notify as a server: the public door and the control door over one ledger."""

import threading

import structlog
from flask import jsonify, request
from flask.typing import ResponseReturnValue

from simulators.clock import Clock
from simulators.control import control_application
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.notify.api import NotifyApi
from simulators.notify.failures import NotifyFailure
from simulators.notify.holdings import Holdings
from simulators.notify.templates import load_templates
from simulators.notify.tokens import read_key
from simulators.settings import NotifySettings
from simulators.web import WebServer

log = structlog.get_logger()


class Notify:
    """The whole stand-in. Raises LedgerError or ConfigurationError when it cannot be set up."""

    def __init__(self, settings: NotifySettings) -> None:
        self.plan: FailurePlan[NotifyFailure] = FailurePlan()
        self._stopping = threading.Event()
        key, templates = read_key(settings.key_file), load_templates()
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        clock = Clock(settings.clock_offset_file)
        self._holdings = Holdings(self._ledger, key_file=settings.data / "recipient.key", now=clock.now)
        api = NotifyApi(
            key=key,
            templates=templates,
            holdings=self._holdings,
            plan=self.plan,
            per_minute=settings.per_minute,
            deliver_seconds=settings.deliver_seconds,
            stopping=self._stopping,
        )
        control = control_application(
            plan=self.plan, kind=NotifyFailure, ledger=self._holdings.summary, ready=lambda: not self._ledger.broken
        )
        control.add_url_rule("/messages", "messages", self._said)
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
        """Open both doors."""
        self._public.start()
        self._control.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the requests in hand, close both doors and the ledger."""
        self._stopping.set()
        self._public.stop()
        self._control.stop()
        self._ledger.close()
        log.info("stopped")

    def _said(self) -> ResponseReturnValue:
        return jsonify(messages=list(self._holdings.said(request.args.get("claim_ref"))))
