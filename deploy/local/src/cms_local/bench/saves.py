"""RecordAnswers with five answers on the real service, beside a bare handler that commits one INSERT."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from google.protobuf.wrappers_pb2 import BytesValue

from chassis.embedded import create_database
from cms.intake.v1 import intake_pb2 as pb
from cms_local import environment
from cms_local.bench.driving import CALLERS, Rate, drive, opened
from cms_local.bench.interview import ANSWERS_IN_A_SAVE, INTAKE, Begun, Operators, plain_case, save, saves_of
from cms_local.layout import Layout

_PREPARED_FOR_A_SECOND = 60
_BARE = "cms_local.bench.bare"
_BARE_TABLE = (
    "CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)"
)
_DATABASE = "bench"


def measure_bare(layout: Layout, *, seconds: float) -> Rate:
    """The bare handler, as a process of its own, on the platform's PostgreSQL."""
    body = BytesValue(value=bytes(200))
    with _bare_server(layout) as address, opened(address, "bench.Bare") as service:

        def call_of(_number: int) -> Callable[[], None]:
            return lambda: service.acknowledge("Insert", body, token="")

        drive(call_of, seconds=min(1.0, seconds))
        return drive(call_of, seconds=seconds)


@contextmanager
def _bare_server(layout: Layout) -> Iterator[str]:
    url = database_of_its_own(layout)
    with psycopg.connect(url) as conn:
        conn.execute(_BARE_TABLE)
    port = layout.postgres_port + 5
    processor = environment.processor_of("intake-svc")  # it has what the service has
    server = subprocess.Popen(
        [sys.executable, "-m", _BARE, str(port), url, *([] if processor is None else [str(processor)])]
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def database_of_its_own(layout: Layout) -> str:
    """The URL of a database beside those of the services, made where it is absent."""
    server = f"postgresql://postgres@127.0.0.1:{layout.postgres_port}"
    create_database(server, _DATABASE)
    return f"postgresql://{_DATABASE}_owner@127.0.0.1:{layout.postgres_port}/{_DATABASE}"


def measure_saves(layout: Layout, *, seconds: float) -> Rate:
    """Whole interviews in saves of five answers. AssertionError where a claim does not hold what was acknowledged."""
    address = f"127.0.0.1:{layout.grpc_port('intake-svc')}"
    with opened(address, INTAKE) as intake:
        operators = Operators(layout, intake)
        batches = [batch for batch in saves_of(operators, plain_case()) if len(batch) == ANSWERS_IN_A_SAVE]
        drive(lambda number: _Interviews(operators, batches, number, prepared=2).save_next, seconds=min(1.0, seconds))
        prepared = int(seconds * _PREPARED_FOR_A_SECOND / CALLERS) + 1
        callers = [_Interviews(operators, batches, number, prepared=prepared) for number in range(CALLERS)]
        rate = drive(lambda number: callers[number].save_next, seconds=seconds)
        for caller in callers:
            caller.check()
        return rate


class _Interviews:
    """One caller's interviews, begun before the measurement so that only saves are measured."""

    def __init__(self, operators: Operators, batches: list[list[pb.Answer]], number: int, *, prepared: int) -> None:
        self._operators = operators
        self._batches = batches
        self._number = number
        self._fresh = [operators.start(number) for _ in range(prepared)]
        self._present: Begun | None = None
        self._saved = len(batches)
        self._done: list[tuple[Begun, int]] = []

    def save_next(self) -> None:
        """The next save of the present interview, or the first of another."""
        if self._present is None or self._saved == len(self._batches):
            self._turn()
        begun = self._present
        if begun is None:
            raise RuntimeError("no interview was begun")
        request = save(begun.claim_ref, self._batches[self._saved], version=begun.version + self._saved)
        self._operators.intake.acknowledge("RecordAnswers", request, token=begun.token)
        self._saved += 1

    def _turn(self) -> None:
        if self._present is not None:
            self._done.append((self._present, self._saved))
        self._present = self._fresh.pop() if self._fresh else self._operators.start(self._number)
        self._saved = 0

    def check(self) -> None:
        """Each claim has the version that its last acknowledged save gave it."""
        for begun, saved in [*self._done, *([(self._present, self._saved)] if self._present else [])]:
            request = pb.GetClaimRequest(claim_ref=begun.claim_ref)
            held = self._operators.intake.ask("GetClaim", request, pb.GetClaimResponse, token=begun.token).claim
            if held.version != begun.version + saved:
                raise AssertionError(f"{begun.claim_ref} is at version {held.version} after {saved} saves")
