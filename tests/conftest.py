"""Tests across services have a whole platform.

A test marked `needs("program")` is deselected, and the reason printed, where a machine has no such program; with CI=true
it runs, and fails without it.
"""

import os
import shutil
from collections.abc import Generator

import pytest

from tests.support.foreign_clients import typescript
from tests.support.platforms import platform_under_test
from tests.support.second_gateway import second

__all__ = ["platform_under_test", "second", "typescript"]

_PROGRAMS = {
    "chromium": "Chromium (Debian: chromium)",
    "cobc": "GnuCOBOL 3 (Debian: gnucobol3)",
    "curl": "curl (Debian: curl)",
    "node": "Node.js 20 or later (Debian: nodejs)",
    "npm": "Node.js 20 or later (Debian: npm)",
    "promtool": "Prometheus (Debian: prometheus)",
}
"""Programs that some tests need and that no Python package brings."""


_UNDER_ANOTHER_NAME = {"chromium": ("google-chrome",)}


def _is_here(program: str) -> bool:
    return any(shutil.which(name) for name in (program, *_UNDER_ANOTHER_NAME.get(program, ())))


def _missing() -> dict[str, str]:
    if os.environ.get("CI") == "true":
        return {}
    return {program: source for program, source in _PROGRAMS.items() if not _is_here(program)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out what needs a program that is not here."""
    missing = _missing()
    gone = [item for item in items if any(mark.args[0] in missing for mark in item.iter_markers("needs"))]
    items[:] = [item for item in items if item not in gone]
    if gone:
        config.hook.pytest_deselected(items=gone)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """Ends the shared platform after the last test of its group: at rest it would take a quarter of a processor."""
    yield
    if nextitem is None or _group_of(item) != _group_of(nextitem):
        for shared in item.session._fixturemanager.getfixturedefs("platform_under_test", item) or ():
            shared.finish(item._request)  # type: ignore[attr-defined]  # every function has one


def _group_of(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("xdist_group")
    return None if mark is None else str(mark.args[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was left out, and why."""
    for program, source in _missing().items():
        terminalreporter.write_line(f"tests that need {program} were deselected: it comes with {source}")
