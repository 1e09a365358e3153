"""Whatever a transaction is made of, it ends as a plain model of it says: what was committed, and which error was told."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.database import Connection, Database

_NOTE = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')"
_TOLD = (LookupError, psycopg.Error)


@dataclass(frozen=True)
class Note:
    """A row; `left` for the end."""

    left: bool = False
    event_id: UUID = field(default_factory=uuid4, repr=False)


@dataclass(frozen=True)
class Fail:
    """A statement that the server refuses."""


@dataclass(frozen=True)
class Refuse:
    """An error of ours."""


@dataclass(frozen=True)
class Block:
    """Steps within; `caught`: their error is passed over behind them."""

    steps: "list[Step]"
    caught: bool = False


class Savepoint(Block):
    """What an error takes back."""


class Pipeline(Block):
    """What is sent together."""


Step = Note | Fail | Refuse | Block

PLAIN = st.sampled_from([Note, Note, Note, lambda: Note(left=True), Fail, Refuse]).map(lambda make: make())
STEPS = st.recursive(
    st.lists(PLAIN, max_size=4),
    lambda within: st.lists(
        PLAIN | st.builds(Savepoint, within, caught=st.booleans()) | st.builds(Pipeline, within, caught=st.booleans()),
        max_size=4,
    ),
    max_leaves=12,
)


def passed_over(block: Block) -> contextlib.AbstractContextManager[None]:
    return contextlib.suppress(*_TOLD) if block.caught else contextlib.nullcontext()


def do(conn: Connection, steps: list[Step]) -> None:
    for step in steps:
        match step:
            case Note(left=True):
                conn.at_commit(_NOTE, [step.event_id])
            case Note():
                conn.execute(_NOTE, [step.event_id])
            case Fail():
                conn.execute("SELECT 1 / 0")
            case Refuse():
                raise LookupError
            case Block():
                with passed_over(step), conn.savepoint() if isinstance(step, Savepoint) else conn.pipeline():
                    do(conn, step.steps)


class Model:
    """A transaction of which nothing is sent: a list of rows, and of what waits."""

    def __init__(self) -> None:
        self.rows: list[UUID] = []
        self._failed = False
        self._waiting: list[Note | Fail | object] = []
        self._left: list[UUID] = []
        self._pipelines = 0
        self._saved: dict[object, list[UUID]] = {}

    def do(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Note(left=True):
                    self._left.append(step.event_id)
                case Note() | Fail():
                    self._waiting.append(step)
                    if not self._pipelines:
                        self._send()
                case Refuse():
                    raise LookupError
                case Block():
                    with passed_over(step), self._savepoint() if isinstance(step, Savepoint) else self._pipeline():
                        self.do(step.steps)

    def commit(self) -> None:
        self._waiting += [Note(event_id=event_id) for event_id in self._left]
        self._send()
        if self._failed:
            raise psycopg.errors.InFailedSqlTransaction

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            if self._failed:
                raise psycopg.errors.InFailedSqlTransaction
            match step:
                case Note():
                    self.rows.append(step.event_id)
                case Fail():
                    self._failed = True
                    raise psycopg.errors.DivisionByZero
                case place:
                    self._saved[place] = list(self.rows)

    def _forget_behind(self, place: object) -> None:
        del self._waiting[self._waiting.index(place) if place in self._waiting else 0 :]

    @contextlib.contextmanager
    def _pipeline(self) -> Iterator[None]:
        place = object()
        self._waiting.append(place)
        self._pipelines += 1
        try:
            yield
        except BaseException:
            self._forget_behind(place)
            raise
        finally:
            self._pipelines -= 1
        self._send()

    @contextlib.contextmanager
    def _savepoint(self) -> Iterator[None]:
        place, left = object(), len(self._left)
        self._waiting.append(place)
        try:
            yield
        except BaseException:
            del self._left[left:]
            self._forget_behind(place)
            if place in self._saved:
                self.rows, self._failed = self._saved[place], False
            raise
        self._waiting.append(object())  # its release, which a transaction that has failed refuses too


def of_the_model(steps: list[Step]) -> tuple[set[UUID], type[Exception] | None]:
    model = Model()
    try:
        model.do(steps)
        model.commit()
    except _TOLD as error:
        return set(), type(error)
    return set(model.rows), None


def of_the_database(database: Database, steps: list[Step]) -> tuple[set[UUID], type[Exception] | None]:
    told: type[Exception] | None = None
    try:
        with database.transaction() as conn:
            do(conn, steps)
    except _TOLD as error:
        told = type(error)
    with database.transaction() as conn:
        rows = {row["event_id"] for row in conn.execute("SELECT event_id FROM inbox")}
        conn.execute("DELETE FROM inbox")
    return rows, told


@given(steps=STEPS)
@example(steps=[Savepoint([Savepoint([Note(), Refuse()], caught=True), Note()])])
@example(steps=[Savepoint([Note(), Savepoint([Note(), Refuse()], caught=True), Refuse()], caught=True), Note()])
@example(steps=[Pipeline([Note(), Pipeline([Note()]), Note(), Refuse()], caught=True), Note()])
@example(steps=[Fail(), Savepoint([Note(), Refuse()], caught=True)])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_transaction_of_any_shape_is_what_the_model_makes_of_it(database: Database, steps: list[Step]) -> None:
    assert of_the_database(database, steps) == of_the_model(steps)
