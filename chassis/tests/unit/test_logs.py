"""A line carries references and never what a claimant told us."""

import contextvars
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from chassis import logs, tracing

CANARY = "Zbigniew"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("test-svc")
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()


def test_a_line_is_json_with_service_level_and_trace(lines: Lines) -> None:
    def log() -> None:
        tracing.enter(f"00-{'a' * 32}-{'b' * 16}-01")
        logs.get().info("claim submitted", claim_ref="C0000000000A")

    contextvars.copy_context().run(log)

    [line] = lines()
    assert line.pop("timestamp")
    assert line == {
        "event": "claim submitted",
        "claim_ref": "C0000000000A",
        "service": "test-svc",
        "level": "info",
        "trace_id": "a" * 32,
    }


def test_unknown_log_fields_are_dropped(lines: Lines) -> None:
    logs.get().info("saved", surname=CANARY, answer=CANARY, count=3)

    [line] = lines()
    assert line["count"] == 3
    assert CANARY not in str(line)


def test_error_texts_are_not_logged(lines: Lines) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logs.get().exception("failed")

    assert CANARY not in str(lines())


def test_a_librarys_line_shows_its_pattern_and_error_without_values(lines: Lines) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("uvicorn").exception("cannot serve %s", CANARY)

    [line] = lines()
    assert (line["library"], line["about"], line["level"]) == ("uvicorn", "HTTP door or operations port", "error")
    assert (line["pattern"], line["error"]) == ("cannot serve %s", "ValueError")
    assert line["location"].startswith("test_logs.py:")
    assert CANARY not in str(line)


def test_an_error_in_a_librarys_text_is_shown_by_its_kind(lines: Lines) -> None:
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", ValueError(CANARY))

    [line] = lines()
    assert (line["pattern"], line["error"]) == ("error connecting in %r: %s", "ValueError")
    assert CANARY not in str(line)


@pytest.mark.parametrize(
    ("library", "about"),
    [
        ("psycopg.pool", "database"),
        ("redis.cluster", "bus"),
        ("grpc._server", "gRPC door"),
        ("grpc._channel", "calls by gRPC"),
        ("httpcore.connection", "calls by HTTP"),
        ("some.other", "some"),
    ],
)
def test_a_librarys_line_says_what_it_is_about(lines: Lines, library: str, about: str) -> None:
    logging.getLogger(library).warning("lost %s", "it")

    [line] = lines()
    assert (line["library"], line["about"]) == (library, about)


def test_a_librarys_text_without_arguments_is_not_shown(lines: Lines) -> None:
    logging.getLogger("uvicorn").warning(f"cannot serve {CANARY}")  # noqa: G004 - what a library may do

    [line] = lines()
    assert CANARY not in str(line)


def test_a_librarys_chatter_is_not_kept(lines: Lines) -> None:
    logging.getLogger("psycopg.pool").info("connected")

    assert lines() == []


def test_work_goes_on_when_log_lines_cannot_be_written(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, as every write to this device does
    monkeypatch.setattr(sys, "stdout", full)

    logs.get().info("saved", count=1)

    monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_an_errors_location_is_logged_without_its_text() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        place = logs.location_of(error)

    assert place.startswith("test_logs.py:")
    assert logs.location_of(ValueError(CANARY)) == ""
