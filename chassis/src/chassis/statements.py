"""Statements on a connection, many in one message, each prepared once: psycopg's libpq wrapper and adapters at work.

psycopg's cursors cost a service more processor than all else that it does for a call (docs/performance.md); what they do
for cursors of any kind is not needed here. Values are written and read by psycopg's own adapters, but for lists that go as
binary.
"""

import re
import select
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from threading import Lock
from types import NoneType
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import adapt
from psycopg.abc import Params
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.array import ListDumper

Row = dict[str, Any]

LONGEST_WAIT_SECONDS = 20.0
"""For more of an answer. The server ends a statement after five seconds: who says nothing for so long is gone.

It may keep the answers of a message until that ends: a message whose statements take so long together is given up too.
"""

MOST_PREPARED = 300
_IS_OUTDATED = "RevalidateCachedQuery"
"""The server's function that finds a prepared statement to give other columns by now: it does so for good."""

_FINE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY)
_PLACE = re.compile(r"%(?:(%)|([sb])|\((\w+)\)([sb])|)")
_FORMATS = {"s": PyFormat.AUTO, "b": PyFormat.BINARY}


_ARRAY = struct.Struct("!iiIii")
"""A list's head: it has one dimension; 1 where there are nulls; the type of its elements; how many; the first one's index."""
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)


class _BinaryList(Dumper):
    """A list of texts, or of bytes, and of nulls among them, in the server's binary form.

    psycopg's own takes a score of steps for each element, and a save has fifteen.
    """

    format = Format.BINARY
    element = 0

    def get_key(self, obj: list[Any], format: PyFormat) -> Any:  # noqa: A002, ARG002 - psycopg's name for it
        """A list, and the kind of its elements; None where there are none. Raises psycopg.ProgrammingError for others."""
        kinds = set(map(type, obj))
        kinds.discard(NoneType)
        if len(kinds) > 1 or not kinds <= _ELEMENTS.keys():
            raise psycopg.ProgrammingError("a list in binary form is one of texts or of bytes")
        return list, kinds.pop() if kinds else None

    def upgrade(self, obj: list[Any], format: PyFormat) -> Dumper:  # noqa: A002
        """The dumper of lists of its kind: as text where that is not known, for only then the server finds it out."""
        _, kind = self.get_key(obj, format)
        if kind is None:
            return ListDumper(self.cls, self.connection)
        dumper = _BinaryList(self.cls)
        dumper.element, dumper.oid = _ELEMENTS[kind]
        return dumper

    def dump(self, obj: list[Any]) -> bytes:
        """As the server's array_recv reads it."""
        parts = [_ARRAY.pack(1, None in obj, self.element, len(obj), 1)]
        for part in obj:
            if part is None:
                parts.append(_NULL)
            else:
                written = part.encode() if type(part) is str else part
                parts += _LENGTH.pack(len(written)), written
        return b"".join(parts)


_ELEMENTS = {
    kind: (psycopg.postgres.types[name].oid, psycopg.postgres.types[name].array_oid)
    for kind, name in ((str, "text"), (bytes, "bytea"))
}


class Result:
    """What a statement gave: rows as dicts by column. Of a pipeline's statement there is nothing before its end."""

    __slots__ = ("_answer", "_columns", "_load", "_rows")

    def __init__(self, load: Callable[[PGresult, list[str]], list[Row]], columns: list[str]) -> None:
        self._load = load
        self._columns = columns
        self._answer: PGresult | None = None
        self._rows: Iterator[Row] | None = None

    def take(self, answer: PGresult) -> None:
        """Keeps the server's answer."""
        self._answer = answer

    @property
    def has_arrived(self) -> bool:
        """Whether the server has answered."""
        return self._answer is not None

    @property
    def command(self) -> str:
        """What the server says it did: "UPDATE 2"; "ROLLBACK" for the COMMIT of a transaction that has failed."""
        return (self._arrived().command_status or b"").decode()

    @property
    def rowcount(self) -> int:
        """How many rows were given, or changed."""
        answer = self._arrived()
        return answer.ntuples if answer.status == ExecStatus.TUPLES_OK else answer.command_tuples or 0

    def fetchone(self) -> Row | None:
        """The next row; None behind the last."""
        return next(iter(self), None)

    def fetchall(self) -> list[Row]:
        """The rows that were not fetched yet."""
        return list(self)

    def __iter__(self) -> Iterator[Row]:
        if self._rows is None:
            self._rows = iter(self._load(self._arrived(), self._columns))
        return self._rows

    def _arrived(self) -> PGresult:
        if self._answer is None:
            raise psycopg.InterfaceError(
                "the statement was not answered: it waits in a pipeline, or one before it failed"
            )
        return self._answer


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement with PostgreSQL's own places for parameters ($1 and on), and their names where they are named."""

    sql: bytes
    in_order: Callable[[Any], Sequence[Any]] | None
    """Takes named parameters out of a mapping; None where they are not named."""
    formats: list[PyFormat]


_Key: TypeAlias = tuple[bytes, tuple[int, ...]] | None
"""What a statement is prepared under: its text and the types of its parameters. None: it is not prepared."""


class _Bound(NamedTuple):
    """A statement with its parameters, ready to be sent."""

    sql: bytes
    key: _Key
    values: Sequence[Any] | None
    formats: Sequence[Format] | None
    result: Result


class Statements:
    """The statements of one connection. What is bound waits until it is exchanged, in one round trip, for the answers."""

    def __init__(self, server: psycopg.Connection[Any]) -> None:
        self._server = server
        self._pgconn = server.pgconn
        server.adapters.register_dumper(list, _BinaryList)
        server.adapters.register_dumper(list, ListDumper)  # for lists that are not asked for as binary, as before
        self._adapter = adapt.Transformer(server)
        self._one_loads = Lock()
        self._waiting: list[_Bound] = []
        self._sent = 0
        self._prepared: dict[_Key, bytes] = {}
        self._columns: defaultdict[_Key, list[str]] = defaultdict(list)
        self._made = 0
        self._readable = _poll(self._pgconn.socket, select.POLLIN)
        self._usable = _poll(self._pgconn.socket, select.POLLIN | select.POLLOUT)

    @property
    def waiting(self) -> int:
        """How many are bound and not sent."""
        return len(self._waiting)

    @property
    def bound(self) -> int:
        """How many were ever bound."""
        return self._sent + len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether the server is in no transaction; it is neither where the connection is lost."""
        return self._pgconn.transaction_status == TransactionStatus.IDLE

    def is_silent(self) -> bool:
        """Whether there is nothing to read from the server."""
        return not self._readable.poll(0)

    def bind(self, query: str | bytes, parameters: Params | None) -> Result:
        """Has a statement wait, with its parameters: `%s` in a sequence, `%(name)s` in a mapping; `b` for `s`: as binary.

        A list that is sent as binary is one of `str` or of `bytes`, with None among them.
        Raises psycopg.ProgrammingError where they do not fit, or a value is of no kind that can be sent.
        """
        text = _text(query, parameters is None)
        given = None if parameters is None else _in_order(text, parameters)
        if not given:
            key: _Key = (text.sql, ())
            return self._wait(_Bound(text.sql, key, None, None, Result(self._load, self._columns[key])))
        values = self._adapter.dump_sequence(given, text.formats)
        key = (text.sql, self._adapter.types or ())
        return self._wait(_Bound(text.sql, key, values, self._adapter.formats, Result(self._load, self._columns[key])))

    def command(self, sql: bytes) -> Result:
        """Has a command wait, such as COMMIT: it has no parameters and is not prepared."""
        return self._wait(self._plain(sql))

    def _plain(self, sql: bytes) -> _Bound:
        return _Bound(sql, None, None, None, Result(self._load, []))

    def _wait(self, bound: _Bound) -> Result:
        self._waiting.append(bound)
        return bound.result

    def forget(self, *, behind: int = 0) -> None:
        """Drops what was bound behind the first so many, where it was not sent."""
        del self._waiting[max(0, behind - self._sent) :]

    def exchange(self) -> None:
        """Sends all that waits in one message, behind a BEGIN where there is no transaction, and takes the answers.

        Raises what the server has against the first that failed, psycopg.OperationalError where it is lost.
        """
        if not self._waiting:
            return
        before = [self._plain(b"BEGIN")] if self.is_idle else []
        if before and len(self._prepared) > MOST_PREPARED:
            self._prepared, self._columns = {}, defaultdict(list)
            before.insert(0, self._plain(b"DEALLOCATE ALL"))
        sent, self._waiting = before + self._waiting, []
        self._sent += len(sent) - len(before)
        try:
            failed = self._exchanged(sent)
        except BaseException:
            self._server.close()  # in the midst of an exchange it is of no use to anybody
            raise
        if failed is not None:
            raise failed

    def _exchanged(self, sent: list[_Bound]) -> psycopg.Error | None:
        self._pgconn.enter_pipeline_mode()
        prepared = [self._send(bound) for bound in sent]
        self._pgconn.pipeline_sync()
        self._flush()
        failed: psycopg.Error | None = None
        for bound, is_new in zip(sent, prepared, strict=True):
            if is_new:
                answer = self._answer()
                if answer.status != ExecStatus.COMMAND_OK and bound.key:
                    del self._prepared[bound.key]
                failed = failed or _error(answer)
            answer = self._answer()
            failed = failed or _error(answer)
            if failed is None:
                bound.result.take(answer)
        self._arrive()
        self._pgconn.get_result()  # the end of the message
        self._pgconn.exit_pipeline_mode()
        return failed

    def _send(self, bound: _Bound) -> bool:
        """Sends one; gives whether an order to prepare it went before."""
        if bound.key is None:
            self._pgconn.send_query_params(bound.sql, None)
            return False
        name = self._prepared.get(bound.key)
        is_new = name is None
        if name is None:
            name = self._prepared[bound.key] = self._new_name()
            self._pgconn.send_prepare(name, bound.sql, bound.key[1])
        self._pgconn.send_query_prepared(name, bound.values, bound.formats, Format.TEXT)
        return is_new

    def _load(self, answer: PGresult, names: list[str]) -> list[Row]:
        # What a prepared statement gives is the same columns every time: the server refuses it where they have changed.
        if not names:
            names[:] = [(answer.fname(column) or b"").decode() for column in range(answer.nfields)]
        with self._one_loads:  # a result may be read when its connection is another thread's by now
            self._adapter.set_pgresult(answer)
            return self._adapter.load_rows(0, answer.ntuples, lambda values: dict(zip(names, values, strict=True)))

    def _new_name(self) -> bytes:
        self._made += 1
        return b"statement_%d" % self._made

    def _flush(self) -> None:
        """Of more than the system takes at once it sends the rest while it reads: else both sides would wait."""
        while self._pgconn.flush():
            if _ready(self._usable) & select.POLLIN:
                self._pgconn.consume_input()

    def _answer(self) -> PGresult:
        self._arrive()
        answer = self._pgconn.get_result()
        if answer is None:
            raise psycopg.OperationalError("the server gave no answer to a statement")
        self._pgconn.get_result()  # the end of the statement: for it the client needs nothing from the server
        return answer

    def _arrive(self) -> None:
        while self._pgconn.is_busy():
            _ready(self._readable)
            self._pgconn.consume_input()


def _poll(socket: int, events: int) -> select.poll:
    poll = select.poll()
    poll.register(socket, events)
    return poll


def _ready(poll: select.poll) -> int:
    for _, events in poll.poll(LONGEST_WAIT_SECONDS * 1000):
        return events
    raise psycopg.OperationalError(f"the server has said nothing for {LONGEST_WAIT_SECONDS} seconds")


def _error(answer: PGresult) -> psycopg.Error | None:
    if answer.status in _FINE:
        return None
    error = psycopg.errors.error_from_result(answer)
    if error.diag.source_function == _IS_OUTDATED:
        raise psycopg.OperationalError("a table was changed since the statement was prepared") from error
    return error


@lru_cache(1024)
def _text(query: str | bytes, plain: bool) -> _Text:  # noqa: FBT001 - of a cached function
    """A query with psycopg's places for parameters, in PostgreSQL's form; `plain`: it has none, and % is itself."""
    text = query if isinstance(query, str) else query.decode()
    if plain:
        return _Text(text.encode(), None, [])
    names: list[str | None] = []
    formats: list[PyFormat] = []
    sql = _PLACE.sub(lambda place: _place(place, names, formats), text)
    if None in names and len(set(names)) > 1:
        raise psycopg.ProgrammingError("the places for parameters are named or not, not both")
    named = [name for name in names if name]
    return _Text(sql.encode(), _taken_out(named) if named else None, formats)


def _taken_out(names: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    if len(names) == 1:  # of one name itemgetter would give the value itself
        return lambda parameters: (parameters[names[0]],)
    return itemgetter(*names)


def _place(place: re.Match[str], names: list[str | None], formats: list[PyFormat]) -> str:
    percent, plain, name, named = place.groups()
    if percent:
        return "%"
    if place[0] == "%":
        raise psycopg.ProgrammingError("a % is neither doubled nor a place for a parameter")
    if name and name in names:
        return f"${names.index(name) + 1}"
    names.append(name)
    formats.append(_FORMATS[plain or named])
    return f"${len(names)}"


def _in_order(text: _Text, parameters: Params) -> Sequence[Any]:
    named, cause = isinstance(parameters, Mapping), None
    if text.in_order is not None:
        try:
            return text.in_order(parameters)
        except (KeyError, TypeError) as error:  # a name that is not there, or no names at all
            cause = error
    elif named and not text.formats:
        return ()
    elif not named and len(parameters) == len(text.formats):
        return parameters  # type: ignore[return-value]  # a sequence, as it is not named
    raise psycopg.ProgrammingError("the parameters are not those of the statement") from cause
