"""A service's process: it waits for its files and database, migrates, opens both doors, works, and drains on SIGTERM."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import psycopg
from google.protobuf.descriptor import ServiceDescriptor

from chassis import (
    clock,
    contract,
    core_dumps,
    deadlines,
    descriptors,
    grpc_bounds,
    http_connections,
    logs,
    metrics,
    operations,
    remote,
    seals,
)
from chassis.bus import Bus
from chassis.chain import Chain, methods_of
from chassis.database import Database
from chassis.deadlines import Deadline
from chassis.grpc_door import GrpcDoor
from chassis.housekeeping import Housekeeping
from chassis.http_door import HttpDoor
from chassis.http_tls import HttpTls
from chassis.identity import ServiceTokens, Verifier
from chassis.inbox import Handler, Inbox
from chassis.migrations import migrate
from chassis.operations_door import OperationsDoor
from chassis.origins import Origins
from chassis.outbox import Relay, events_stream, receipts_stream
from chassis.plain_pages import Page
from chassis.settings import ServiceSettings
from chassis.signatures import Signatures
from chassis.state_gauges import OWN_GAUGES, StateCollector, StateGauge
from chassis.tls import Certificate, CertificateUnusable, Files, load
from chassis.vault import Keyring, Vault
from chassis.workers import Worker

_WAIT_STEP_SECONDS = 0.25
_EVENTS_PAUSE_SECONDS = 0.1
"""Events that gather meanwhile are taken in one transaction."""
_RECEIPTS_PAUSE_SECONDS = 1.0
"""Nobody waits for a receipt: it only keeps an event from being published again, after five seconds at the earliest."""
_KEYS_PAUSE_SECONDS = 1.0
_CERTIFICATE_PAUSE_SECONDS = 10.0
_SEAL_PAUSE_SECONDS = 1.0
"""So long at the most a row of the access log can be changed without a trace."""
_HOUSEKEEPING_CONNECTIONS = 2
"""One for what removes rows, one for the watermark."""
_SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter from the others. A save waits for it after each of its seven trips; with
Python's five milliseconds the slowest saves took a tenth longer (docs/performance.md)."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The parts of the chassis that a service's own code uses."""

    name: str
    database: Database
    housekeeping_database: Database
    """The same as the role that may delete rows that are done with."""
    bus: Bus
    signatures: Signatures
    vault: Vault
    tokens: ServiceTokens
    """This service's own tokens, for the services that it calls."""
    certificate: Certificate
    lease_owner: str
    """Names this process, for leases and consumers."""
    closing: ExitStack = field(default_factory=ExitStack)
    """Closes what the service's own code opened, after the workers have ended."""

    def channel(self, service: str, address: str) -> grpc.Channel:
        """Returns a channel to another service by its name, for calls with this service's certificate."""
        return self.closing.enter_context(remote.channel(address, service=service, certificate=self.certificate))


def no_workers(_runtime: Runtime) -> Sequence[Worker]:
    """For a service without workers of its own."""
    return ()


def no_pages(_runtime: Runtime) -> Sequence[Page]:
    """For a service whose HTTP door has only the methods of its contract."""
    return ()


def nothing_to_prepare(_runtime: Runtime) -> None:
    """For a service that can serve as soon as its schema is there."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """All that one service brings."""

    name: str
    settings: ServiceSettings
    contract: ServiceDescriptor
    migrations: Path
    api: Callable[[Runtime], object]
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    workers: Callable[[Runtime], Sequence[Worker]] = no_workers
    pages: Callable[[Runtime], Sequence[Page]] = no_pages
    """Pages of the HTTP door beside the methods."""
    gauges: Sequence[StateGauge] = ()
    deadlines: Sequence[Deadline] = ()
    """How long work may stay in each state: listed by OperationsService, counted by the gauge `<package>_overdue`."""
    files: Sequence[Path] = ()
    """Files that must exist before `api` is called, beside those that every service needs."""
    prepare: Callable[[Runtime], object] = nothing_to_prepare
    """Runs with the database open, before the doors open."""


class NotReady(SystemExit):
    """A file or the database was not there in time; the text names it."""


def run(service: Service) -> None:
    """Runs the service until SIGTERM or SIGINT. Raises NotReady if a file or the database is not there in time."""
    core_dumps.forbid()
    _on_signals(lambda *_: sys.exit(0))  # until it serves there is nothing to drain
    sys.setswitchinterval(_SWITCH_SECONDS)
    process = Process(service)
    stopping = threading.Event()
    _on_signals(lambda *_: stopping.set())
    process.start()
    gc.collect()
    gc.freeze()  # what was loaded until now stays: it need not be looked through for garbage again and again
    stopping.wait()
    process.stop()


def _on_signals(act: Callable[..., None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, act)


class Process:
    """A running service; `run` for a program, started and stopped by hand in tests."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._draining = False
        settings = service.settings
        logs.configure(service.name)
        clock.configure(settings.clock_offset_file)
        if settings.time_scale != 1:
            logs.get().warning("waits are scaled", time_scale=settings.time_scale)
        self._wait_for_needs()
        self._migrate()
        self.runtime = _runtime(service)
        self.database = self.runtime.database
        verifier = Verifier(
            settings.jwks_file,
            issuer=settings.issuer,
            audience=service.name,
            longest_seconds=settings.longest_token_seconds,
            longest_service_seconds=settings.longest_service_token_seconds,
            revoked_file=settings.revoked_file,
        )
        self.workers = [
            Worker("issuer-keys", verifier.read_again, pause_seconds=_KEYS_PAUSE_SECONDS),
            Worker("signing-keys", self.runtime.signatures.read_again, pause_seconds=_KEYS_PAUSE_SECONDS),
            Worker("certificate", self.runtime.certificate.watch, pause_seconds=_CERTIFICATE_PAUSE_SECONDS),
            *_chassis_workers(service, self.runtime),
            *_housekeepers(service, self.runtime),
            _sealer(service, self.runtime),
            *service.workers(self.runtime),
        ]
        self.chain = Chain(
            [
                *methods_of(service.contract, service.api(self.runtime)),
                *methods_of(operations.CONTRACT, operations.OperationsApi(service.deadlines)),
            ],
            verifier=verifier,
            database=self.database,
            vault=self.runtime.vault,
        )
        self._make_doors()
        self.gauges = [*OWN_GAUGES, _overdue(service), *service.gauges]
        self._collector = StateCollector(self.database, self.gauges)

    def _make_doors(self) -> None:
        settings = self._service.settings
        connections = descriptors.share(
            {
                "grpc": settings.grpc_connections,
                "http": settings.http_connections,
                "operations": settings.operations_connections,
            }
        )
        self.grpc = GrpcDoor(
            self.chain,
            host=settings.host,
            port=settings.grpc_port,
            certificate=self.runtime.certificate,
            bounds=grpc_bounds.Bounds(connections=connections["grpc"], calls_of_a_peer=settings.grpc_calls_per_peer),
            reflection=settings.reflection,
        )
        self.http = HttpDoor(
            self.chain,
            host=settings.host,
            port=settings.http_port,
            origins=Origins(settings.cors_origins),
            bounds=http_connections.Bounds(connections_of_a_peer=settings.http_connections_per_peer).at_most(
                connections["http"]
            ),
            pages=self._service.pages(self.runtime),
            tls=_http_tls(settings),
        )
        self.operations = OperationsDoor(
            host=settings.host,
            port=settings.operations_port,
            readiness=self.readiness,
            bounds=http_connections.Bounds().at_most(connections["operations"]),
        )

    def start(self) -> None:
        """Opens the doors, starts the workers, and last opens the operations port, which says that the service is ready."""
        self.database.open()
        self.runtime.housekeeping_database.open()
        self._service.prepare(self.runtime)
        metrics.REGISTRY.register(self._collector)
        for worker in self.workers:
            worker.start()
        self.grpc.start()
        self.http.start()
        self.operations.start()
        host = self._service.settings.host
        logs.get().info(
            "serving",
            grpc_address=f"{host}:{self.grpc.port}",
            http_address=f"{host}:{self.http.port}",
            operations_address=f"{host}:{self.operations.port}",
        )

    def stop(self) -> None:
        """Closes the doors, lets what is in flight finish, then ends the workers: all within `drain_seconds`.

        The operations port closes last: until then `/readyz` says `draining`.
        """
        logs.get().info("draining")
        self._draining = True
        until = time.monotonic() + self._service.settings.drain_seconds
        self.grpc.stop(_left(until))
        self.http.stop(_left(until))
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            if not worker.join(_left(until)):
                logs.get().warning("worker did not end in time", worker=worker.name)
        self.operations.stop()
        metrics.REGISTRY.unregister(self._collector)
        self.runtime.closing.close()
        self.runtime.housekeeping_database.close()
        self.database.close()
        self.runtime.bus.close()
        logs.get().info("stopped")

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Returns whether calls can be served, and the body of `/readyz`. Without the bus the service still works: degraded."""
        database, bus = self.database.is_reachable(), self.runtime.bus.is_usable()
        if self._draining:
            status = "draining"
        elif not (database and self.http.is_serving):
            status = "unavailable"
        else:
            status = "ready" if bus else "degraded"
        return status in ("ready", "degraded"), {"status": status, "database": database, "bus": bus}

    def _wait_for_needs(self) -> None:
        settings = self._service.settings
        until = time.monotonic() + settings.start_limit_seconds
        keys = (settings.jwks_file, settings.keyring_file, settings.signing_key_file, settings.signatories_file)
        tls = _tls_files(settings)
        for path in (*keys, settings.token_file, tls.certificate, tls.key, tls.authority, *self._service.files):
            _wait(path.is_file, f"the file {path}", until)
        _expect_usable(tls, until)
        _wait(lambda: _answers(settings.database_owner_url), "PostgreSQL", until)

    def _migrate(self) -> None:
        settings = self._service.settings
        applied = migrate(owner_url=settings.database_owner_url, folder=self._service.migrations)
        logs.get().info("migrated", count=applied)


def _runtime(service: Service) -> Runtime:
    settings = service.settings
    return Runtime(
        name=service.name,
        database=Database(settings.database_url),
        housekeeping_database=Database(settings.database_housekeeping_url, connections=_HOUSEKEEPING_CONNECTIONS),
        bus=Bus(settings.bus_url, prefix=settings.bus_prefix),
        signatures=Signatures(
            service.name, signing_key_file=settings.signing_key_file, signatories_file=settings.signatories_file
        ),
        vault=Vault(service.name, Keyring.load(settings.keyring_file)),
        tokens=ServiceTokens(settings.token_file),
        certificate=Certificate(_tls_files(settings)),
        lease_owner=f"{socket.gethostname()}-{os.getpid()}",
    )


def _tls_files(settings: ServiceSettings) -> Files:
    return Files(
        certificate=settings.tls_certificate_file, key=settings.tls_key_file, authority=settings.tls_authority_file
    )


def _expect_usable(files: Files, until: float) -> None:
    """Waits while the files do not fit each other, as when they are being renewed. Raises NotReady."""
    while True:
        try:
            load(files)
        except CertificateUnusable as unusable:
            if time.monotonic() > until:
                logs.get().error("not started", error=str(unusable))
                raise NotReady(f"not started: {unusable}") from unusable
            time.sleep(_WAIT_STEP_SECONDS)
        else:
            return


def _http_tls(settings: ServiceSettings) -> HttpTls | None:
    """TLS of the HTTP door. Raises NotReady."""
    certificate, key = settings.http_tls_certificate_file, settings.http_tls_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise NotReady("not started: CMS_HTTP_TLS_CERTIFICATE_FILE and CMS_HTTP_TLS_KEY_FILE are both needed, or none")
    try:
        return HttpTls(certificate=certificate, key=key, authority=settings.tls_authority_file)
    except CertificateUnusable as unusable:
        raise NotReady(f"not started: {unusable}") from unusable


def _overdue(service: Service) -> StateGauge:
    _, package, *_ = service.contract.full_name.split(".")
    return deadlines.gauge(f"{package}_overdue", service.deadlines)


def _chassis_workers(service: Service, runtime: Runtime) -> list[Worker]:
    parts = (service.name, runtime.database, runtime.bus, runtime.signatures)
    relay = Relay(*parts, consumer=runtime.lease_owner)
    workers = [
        # The last calls of a process may have written events: they need not wait for the next process.
        Worker("relay", relay.publish, pause_seconds=_EVENTS_PAUSE_SECONDS, last_round=True),
        Worker("receipts", relay.receive, pause_seconds=_RECEIPTS_PAUSE_SECONDS),
        Worker("receipts-idle", relay.receive_idle, pause_seconds=5.0),
    ]
    if service.handlers:
        keep = timedelta(days=service.settings.keep_days)
        inbox = Inbox(*parts, service.handlers, consumer=runtime.lease_owner, keep=keep)
        workers += [
            Worker("inbox", inbox.consume, pause_seconds=_EVENTS_PAUSE_SECONDS),
            Worker("inbox-idle", inbox.consume_idle, pause_seconds=2.0),
            Worker("dead-letters", inbox.replay, pause_seconds=2.0),
        ]
    return workers


def _housekeepers(service: Service, runtime: Runtime) -> list[Worker]:
    settings = service.settings
    heard = [events_stream(source) for source in contract.sources_heard_by(service.name)] if service.handlers else []
    keeper = Housekeeping(
        service.name,
        runtime.housekeeping_database,
        runtime.bus,
        runtime.signatures,
        keep=timedelta(days=settings.keep_days),
        streams=[receipts_stream(service.name), *heard],
    )
    # Apart, so that without the bus rows are pruned all the same.
    return [
        Worker("pruning", keeper.prune, pause_seconds=settings.housekeeping_seconds),
        Worker("watermark", keeper.publish_watermark, pause_seconds=settings.housekeeping_seconds),
    ]


def _sealer(service: Service, runtime: Runtime) -> Worker:
    second_place = seals.AppendedFile(seals.exported_file(service.settings.access_log_folder))
    sealer = seals.Sealer(service.name, runtime.database, runtime.signatures, second_place)
    return Worker("access-log", sealer.seal, pause_seconds=_SEAL_PAUSE_SECONDS, last_round=True)


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _wait(condition: Callable[[], bool], what: str, until: float) -> None:
    while not condition():
        if time.monotonic() > until:
            logs.get().error("not started", waiting_for=what)
            raise NotReady(f"not started: {what} was not there within the limit of CMS_START_LIMIT_SECONDS")
        time.sleep(_WAIT_STEP_SECONDS)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
