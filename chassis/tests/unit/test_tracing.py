"""A trace is carried on, and begun where the caller brought none."""

import contextvars
import os

import pytest

from chassis import tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_child_is_a_new_span_of_the_same_trace() -> None:
    child = tracing.child_of(GIVEN)

    assert child != GIVEN
    assert child.split("-")[1] == TRACE
    assert child.split("-")[3] == "01"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        GIVEN + "-more",
        GIVEN + "\n",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_malformed_traceparent_begins_a_new_trace(given: str | None) -> None:
    begun = tracing.child_of(given)

    assert TRACE not in begun
    assert tracing.child_of(begun).split("-")[1] == begun.split("-")[1]


def test_log_lines_name_the_current_trace() -> None:
    def entered() -> tuple[str, str]:
        tracing.enter(GIVEN)
        return tracing.current(), tracing.trace_id()

    assert contextvars.copy_context().run(entered) == (GIVEN, TRACE)


def test_outside_of_calls_and_events_there_is_no_trace() -> None:
    assert contextvars.Context().run(tracing.trace_id) == ""


def test_spans_are_told_apart_in_a_fork_too() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, tracing.new_traceparent().encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        theirs = answer.read()
    os.waitpid(child, 0)

    assert tracing.new_traceparent() != theirs
