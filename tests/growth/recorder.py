"""Records what every statement of this process costs, as PostgreSQL's auto_explain reports it.

The statements are those that the services really execute, with their real parameters and plans, those of pipelines and of
foreign keys included. Nothing is executed twice. The module is loaded for one database and one role alone.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import psycopg
import pytest
from psycopg import sql

_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_nested_statements": "on",
    "client_min_messages": "log",
    "log_min_messages": "fatal",
}
_PLAN = re.compile(r"duration: ([0-9.]+) ms\s+plan:\s+(\{.*\})", re.DOTALL)
_PARAMETER = re.compile(r"\$[0-9]+|%\([a-z_]+\)[sbt]|%[sbt]")
_NOT_CALLERS = (
    "psycopg",
    "contextlib",
    "chassis.database",
    "chassis.statements",
    "chassis.state_gauges",
    "chassis.deadlines",
    __name__,
)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of a statement. `buffers` counts the pages that it read, from memory or from disk."""

    case: str
    """The case that was exercised: the door, the worker or the scrape, and its parameters."""
    text: str
    caller: str
    buffers: int
    rows: int
    """How many rows it looked at and used."""
    milliseconds: float
    plan: dict[str, Any]


class Recorder:
    """Takes down the statements of all connections that are opened while it is attached."""

    def __init__(self) -> None:
        self.executions: list[Execution] = []
        self.callers: set[str] = set()
        """Functions in which a statement was executed, and those that called them."""
        self._callers_of: dict[str, list[str]] = {}
        self._case: str | None = None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listens to every connection that is opened in the block, and to who executes what."""
        connect, execute = psycopg.Connection.__init__, psycopg.Cursor.execute

        def connecting(conn: Any, *given: Any, **more: Any) -> None:
            connect(conn, *given, **more)
            conn.add_notice_handler(self._hear)

        def executing(cursor: Any, query: Any, *given: Any, **more: Any) -> Any:
            self._note(query)
            return execute(cursor, query, *given, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Connection, "__init__", connecting)
            patch.setattr(psycopg.Cursor, "execute", executing)
            yield

    def _note(self, query: Any) -> None:
        # PostgreSQL reports a statement when its portal is closed, which may be with the next statement: who executes it
        # is noted before.
        if self._case is not None and isinstance(query, str):
            callers = _callers()
            self.callers.update(callers)
            self._callers_of[_normal(query)] = callers

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """Statements are recorded only in a case; its name says what is being done."""
        self._case = name
        try:
            yield
        finally:
            self._case = None

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        found = _PLAN.fullmatch(notice.message_primary or "")
        if found is None or self._case is None:
            return
        explained = json.loads(found[2])
        callers = self._callers_of.get(_normal(explained["Query Text"]))
        self.executions.append(
            Execution(
                case=self._case,
                text=" ".join(explained["Query Text"].split()),
                caller=callers[0] if callers else "(a foreign key)",
                buffers=explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"],
                rows=_rows_used(explained["Plan"]),
                milliseconds=float(found[1]),
                plan=explained["Plan"],
            )
        )


def _rows_used(node: dict[str, Any]) -> int:
    own = round(node["Actual Rows"] * node["Actual Loops"]) if "Relation Name" in node else 0
    return own + sum(_rows_used(part) for part in node.get("Plans", ()))


def _normal(text: str) -> str:
    """The statement without its line breaks and the names of its parameters."""
    return " ".join(_PARAMETER.sub("?", text).replace("%%", "%").split())


def _callers() -> list[str]:
    """The functions of ours that are being called, the innermost first."""
    frame: FrameType | None = sys._getframe(2)
    found: list[str] = []
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_NOT_CALLERS):
            found.append(f"{module}.{frame.f_code.co_name}")
        frame = frame.f_back
    return found


def explain_everything(superuser_url: str, *, database: str, role: str) -> None:
    """Has PostgreSQL report the plan of every statement that this role executes in this database."""
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        for name, value in _SETTINGS.items():
            conn.execute(
                sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(role), sql.Identifier(database), sql.SQL(name), sql.Literal(value)
                )
            )
