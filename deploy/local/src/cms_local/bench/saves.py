"""RecordAnswers with five answers on the real service, beside a bare handler that commits one INSERT."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from google.protobuf.wrappers_pb2 import BytesValue

from chassis.embedded import create_database
from cms.intake.v1 import intake_pb2 as pb
from cms_local.bench.driving import CALLERS, Rate, drive, opened
from cms_local.bench.interview import ANSWERS_IN_A_SAVE, INTAKE, Operators, plain_case, save, saves_of
from cms_local.environment import processors_of
from cms_local.layout import Layout

_PREPARED_FOR_A_SECOND = 1200
"""Saves: more than are made, or calls would be started while saves are measured."""
_TURNS = 5
_WARM_UP_SECONDS = 1.0
_BARE = "cms_local.bench.bare"
_BARE_TABLE = (
    "CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)"
)
_DATABASE = "bench"

Calls = Callable[[int], Callable[[], None]]
"""By a caller's number, the call that it repeats."""


@dataclass(frozen=True, kw_only=True)
class SavesMeasured:
    """RecordAnswers, and the bare handler: as it is, and kept to the one processor to which intake-svc keeps."""

    saves: Rate
    bare: Rate
    kept: Rate


def measure_side_by_side(layout: Layout, *, seconds: float) -> SavesMeasured:
    """Each for so many seconds, in turns: a machine whose own speed goes up and down is the same to all of them.

    AssertionError where a claim does not hold what was acknowledged.
    """
    with ExitStack() as at_the_end:
        bare = at_the_end.enter_context(_bare_calls(layout, processor=None))
        kept = at_the_end.enter_context(_bare_calls(layout, processor=_processor()))
        saves = at_the_end.enter_context(_save_calls(layout, seconds=seconds))
        turns = [[drive(calls, seconds=seconds / _TURNS) for calls in (bare, kept, saves)] for _ in range(_TURNS)]
    of_bare, of_kept, of_saves = map(Rate.together, zip(*turns, strict=True))
    return SavesMeasured(saves=of_saves, bare=of_bare, kept=of_kept)


def _processor() -> int | None:
    processors = processors_of("intake-svc")
    return min(processors) if processors else None


@contextmanager
def _bare_calls(layout: Layout, *, processor: int | None) -> Iterator[Calls]:
    """The bare handler, as a process of its own, on the platform's PostgreSQL."""
    body = BytesValue(value=bytes(200)).SerializeToString()
    with _bare_server(layout, processor) as address, opened(address, "bench.Bare") as service:

        def calls(_number: int) -> Callable[[], None]:
            return lambda: service.acknowledge("Insert", body, token="")

        drive(calls, seconds=_WARM_UP_SECONDS)
        yield calls


@contextmanager
def _bare_server(layout: Layout, processor: int | None) -> Iterator[str]:
    url = database_of_its_own(layout)
    with psycopg.connect(url) as conn:
        conn.execute(_BARE_TABLE)
    command = [sys.executable, "-m", _BARE, url, *([] if processor is None else [str(processor)])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline().strip() if server.stdout else ""
            if not told:
                raise RuntimeError("the bare handler did not start")
            yield f"127.0.0.1:{told}"
        finally:
            _end(server)


def _end(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        raise


def database_of_its_own(layout: Layout) -> str:
    """The URL of a database beside those of the services, made where it is absent."""
    server = f"postgresql://postgres@127.0.0.1:{layout.postgres_port}"
    create_database(server, _DATABASE)
    return f"postgresql://{_DATABASE}_owner@127.0.0.1:{layout.postgres_port}/{_DATABASE}"


@contextmanager
def _save_calls(layout: Layout, *, seconds: float) -> Iterator[Calls]:
    """Whole interviews in saves of five answers, begun and written before. Checked at the end."""
    with opened(f"127.0.0.1:{layout.grpc_port('intake-svc')}", INTAKE) as intake:
        operators = Operators(layout, intake)
        batches = [batch for batch in saves_of(operators, plain_case()) if len(batch) == ANSWERS_IN_A_SAVE]
        before = [_Interviews(operators, batches, number, seconds=_WARM_UP_SECONDS) for number in range(CALLERS)]
        drive(lambda number: before[number].save_next, seconds=_WARM_UP_SECONDS)
        callers = [_Interviews(operators, batches, number, seconds=seconds) for number in range(CALLERS)]
        yield lambda number: callers[number].save_next
        for caller in callers:
            caller.check()


class _Interviews:
    """One caller's interviews, begun, and their saves written, before the measurement, so that only saves are measured."""

    def __init__(self, operators: Operators, batches: list[list[pb.Answer]], number: int, *, seconds: float) -> None:
        saves = int(seconds * _PREPARED_FOR_A_SECOND / CALLERS) + 1
        self._intake = operators.intake
        self._begun = [operators.start(number) for _ in range(saves // len(batches) + 1)]
        self._saves = [
            (begun, save(begun.claim_ref, batch, version=begun.version + place).SerializeToString())
            for begun in self._begun
            for place, batch in enumerate(batches)
        ]
        self._made = 0
        self._done: Counter[str] = Counter()

    def save_next(self) -> None:
        """The next save of the present interview, or the first of another. IndexError where all are made."""
        begun, request = self._saves[self._made]
        self._intake.acknowledge("RecordAnswers", request, token=begun.token)
        self._made += 1
        self._done[begun.claim_ref] += 1

    def check(self) -> None:
        """Each claim has the version that its last acknowledged save gave it."""
        for begun in self._begun:
            request, saved = pb.GetClaimRequest(claim_ref=begun.claim_ref), self._done[begun.claim_ref]
            held = self._intake.ask("GetClaim", request, pb.GetClaimResponse, token=begun.token).claim
            if held.version != begun.version + saved:
                raise AssertionError(f"{begun.claim_ref} is at version {held.version} after {saved} saves")
