"""JSON logs with the trace's id. A line carries references, never a claimant's data.

Only events with named, plain fields are logged: a field whose name is not known here is dropped by `only_references`,
so that a slip cannot put an answer into a log file.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO, cast

import structlog

from chassis import tracing

_ALLOWED = frozenset(
    {
        "about", "action", "address", "amount_of_rows", "attempts", "authority_code", "call_id", "cause", "changed",
        "claim_ref", "code", "consumer", "count", "dialogue", "door", "error", "event", "event_id", "event_type",
        "fields", "file", "grpc_address", "http_address", "kind", "level", "library", "location", "method",
        "migrations", "name", "notice_id", "office_code", "operations_address", "outcome", "pattern",
        "phase", "reason", "request_id", "role", "seconds", "sender_id", "sender_ids", "service", "signal", "source",
        "state", "stream", "subject", "system", "time_scale", "timestamp", "trace_id", "transfer_id", "tries",
        "version", "waiting_for", "worker",
    }
)  # fmt: skip


_SUBJECTS = {
    "psycopg": "database",
    "redis": "bus",
    "grpc": "calls by gRPC",
    "grpc._server": "gRPC door",
    "uvicorn": "HTTP door or operations port",
    "cms3": "HTTP door",
    "httpx": "calls by HTTP",
    "httpcore": "calls by HTTP",
    "yoyo": "migrations",
}
"""The subject of a library's log lines, by its logger or its package. `cms3` is the name of the Flask application."""


def only_references(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keeps the fields that are known to hold references, counts and names of our own."""
    return {name: value for name, value in event.items() if name in _ALLOWED}


def _trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace_id = tracing.trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def _named(service: str) -> Callable[[object, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    def add(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add


class _Lines:
    """Standard output, whose failure (a full disk, a lost reader) is not an error of the work itself."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()


class _PlainLines(logging.Handler):
    """Lines of libraries. Their texts may quote values, so only the pattern of a text is kept, and the kind of error."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library message",
            library=record.name,
            about=_subject_of(record.name),
            # Without arguments the text may have been put together before: it is no pattern.
            pattern=str(record.msg) if record.args else "",
            error=_kind_of_error(record),
            location=f"{record.filename}:{record.lineno}",
        )


def _subject_of(library: str) -> str:
    """Returns what a logger's lines are about; its own package if we do not know it."""
    package = library.partition(".")[0]
    return _SUBJECTS.get(library) or _SUBJECTS.get(package, package)


def _kind_of_error(record: logging.LogRecord) -> str:
    """The name of the error that a record carries, with its traceback or as an argument; empty if there is none."""
    kind = record.exc_info[0] if record.exc_info else None
    given = record.args if isinstance(record.args, tuple) else ()
    kinds = [kind, *(type(one) for one in given if isinstance(one, BaseException))]
    return next((one.__name__ for one in kinds if one), "")


def configure(service: str) -> None:
    """Sets JSON lines on standard output for this process."""
    structlog.configure(
        processors=[
            _named(service),
            _trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_references,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lines())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_PlainLines()], level=logging.WARNING, force=True)


def keep_standard_output_clean() -> None:
    """Sends what libraries log to standard error, for a command whose standard output is read by programs."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def get() -> Any:
    """The logger."""
    return structlog.get_logger()


def location_of(error: BaseException) -> str:
    """Returns where an error arose, as `module.py:line` of its last frame. Its text may quote a value; its place does not."""
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno}"
