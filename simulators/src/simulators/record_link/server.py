"""A mainframe as a server: the record link's door and the control door over one ledger."""

import secrets
import socket
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.clock import Clock
from simulators.control import control_application
from simulators.errors import LedgerError
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.logs import configure_logs
from simulators.outage import Outage
from simulators.process import run_until_stopped
from simulators.record_link.conversation import Conversation, reset_on_close
from simulators.record_link.dialogues import Dialogues
from simulators.record_link.edit_rules import rules_of
from simulators.record_link.failures import RecordLinkFailure, RecordsToLose
from simulators.record_link.holdings import Holdings
from simulators.record_link.link import Link
from simulators.record_link.mainframe import Mainframe
from simulators.settings import RecordLinkSettings, read_settings
from simulators.web import WebServer

log = structlog.get_logger()

MOST_CONNECTIONS = 16
BUFFER_SECONDS = 10.0


class MainframeServer:
    """The whole stand-in of one mainframe. Raises LedgerError, CopybookError or ConfigurationError when it cannot be set up."""

    def __init__(self, mainframe: Mainframe, settings: RecordLinkSettings) -> None:
        self._settings = settings
        self.plan: FailurePlan[RecordLinkFailure] = FailurePlan()
        self.outage = Outage(self.plan, orders=RecordLinkFailure.is_outage, time_scale=settings.time_scale)
        self._clock = Clock(settings.clock_offset_file)
        self._link = Link(mainframe, settings.copybooks)
        rules = rules_of(mainframe)
        self._ledger = Ledger(settings.data / "ledger.jsonl")
        self._holdings = Holdings(
            self._ledger,
            mainframe,
            nino_key=_key(settings.data / "nino.key"),
            time_scale=settings.time_scale,
            clock=self._clock,
        )
        self._dialogues = Dialogues(mainframe, link=self._link, rules=rules, holdings=self._holdings, clock=self._clock)
        self._door = _RecordLinkServer((settings.host, settings.port), self)
        self._control = WebServer(
            self._control_application(), host=settings.host, port=settings.control_port, threads=4
        )
        self._thread = threading.Thread(target=self._door.serve_forever, args=(0.1,), name="record-link", daemon=True)

    @property
    def port(self) -> int:
        """The port of the record link."""
        return int(self._door.server_address[1])

    @property
    def control_port(self) -> int:
        """The port of the control door."""
        return self._control.port

    def start(self) -> None:
        """Open both doors."""
        if self._settings.time_scale != 1:
            log.warning("the waits of the interface are scaled", time_scale=self._settings.time_scale)
        self._thread.start()
        self._control.start()
        log.info("ready", port=self.port, control_port=self.control_port)

    def stop(self) -> None:
        """Finish the records in hand, close both doors and the ledger."""
        self._control.stop()
        self._door.stop()
        self._thread.join()
        self._ledger.close()
        log.info("stopped")

    def refuses(self) -> bool:
        """Whether a new connection is to be reset. It counts as an attempt that failed: a sender connects to send."""
        refused = self.outage.starts() or self.plan.pick(lambda rule: rule.failure == "refuse") is not None
        if refused:
            self.plan.attempted(failed=True)
        return refused

    def converse(self, connection: socket.socket, stopping: threading.Event) -> None:
        """Serve one connection of the record link to its end."""
        Conversation(
            connection,
            link=self._link,
            dialogues=self._dialogues,
            plan=self.plan,
            outage=self.outage,
            buffer_seconds=BUFFER_SECONDS * self._settings.time_scale,
            stopping=stopping,
        ).run()

    def _control_application(self) -> Flask:
        application = control_application(
            plan=self.plan,
            kind=RecordLinkFailure,
            ledger=self._holdings.summary,
            ready=lambda: not self._ledger.broken,
        )

        @application.post("/ledger/lose")
        def lose() -> ResponseReturnValue:
            order = RecordsToLose.model_validate(request.get_json())
            return jsonify(lost=self._holdings.lose(order))

        return application


class _RecordLinkServer(socketserver.ThreadingTCPServer):
    """A thread for each connection, 16 at most; beyond that, and when told to refuse, a connection is reset."""

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], mainframe: MainframeServer) -> None:
        self._mainframe = mainframe
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, socketserver.BaseRequestHandler)

    def verify_request(self, request: Any, *_: Any) -> bool:
        """Whether a new connection is taken."""
        with self._lock:
            full = len(self._open) >= MOST_CONNECTIONS
        if not full and not self._mainframe.refuses():
            with self._lock:
                self._open.add(request)
            return True
        reset_on_close(request)
        return False

    def finish_request(self, request: Any, *_: Any) -> None:
        """Serve a connection, each answer sent at once.

        A sender that has gone is no error; a ledger that cannot be written closes unanswered.
        """
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._mainframe.converse(request, self._stopping)
        except OSError as error:
            log.info("the sender has gone", cause=type(error).__name__)
        except LedgerError as error:
            log.exception("connection closed unanswered", cause=str(error))

    def close_request(self, request: Any) -> None:
        """Close a connection and count it out."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, *_: Any) -> None:
        """A defect of ours: to the log as such, and the connection is closed."""
        log.exception("unexpected", exc_info=sys.exc_info())

    def stop(self) -> None:
        """Take no more, let every conversation end after the record in hand, and wait for them."""
        self._stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                _end_reading(connection)
        self.server_close()


def _end_reading(connection: socket.socket) -> None:
    """Let the next read find the end. One that is closed already has nothing to end."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError as error:
        log.info("already closed", cause=type(error).__name__)


def _key(path: Path) -> bytes:
    """The key that hides NINOs in the ledger; made at the first start."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def run(mainframe: Mainframe, kind: type[RecordLinkSettings]) -> None:
    """Serve a mainframe as a process, by settings of this kind, until a signal asks to stop."""
    configure_logs(mainframe.name)
    run_until_stopped(MainframeServer(mainframe, read_settings(kind)))
