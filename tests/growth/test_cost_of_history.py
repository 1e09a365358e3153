"""No statement that serves a door, a worker or a scrape reads more because more is in the past."""

from pathlib import Path

import pytest

from chassis.testing import Servers
from cms_local.services import the_list
from tests.growth.measuring import measure
from tests.growth.subject import make_place
from tests.growth.subjects import SUBJECTS

SMALL, LARGE = 10_000, 50_000
"""Enough that a scan of a table shows beside an index; `make bench-growth` goes on to a million."""


def measured(name: str, servers: Servers, folder: Path) -> tuple[dict[tuple[str, str], str], set[str]]:
    """A line for each statement that reads more with the larger history, and the names of what was not exercised."""
    kind, migrations = SUBJECTS[name]
    folder.mkdir()
    place = make_place(servers, folder, name=f"growth_{name}_{folder.name}", migrations=migrations)
    report = measure(kind, place, (SMALL, LARGE))
    grown = {
        (cost.case, cost.caller): (
            f"{cost.case}: {cost.buffers(SMALL)} → {cost.buffers(LARGE)} buffers in {cost.caller}: {cost.text[:160]}"
        )
        for cost in report.costs
        if cost.grows(SMALL, LARGE)
    }
    return grown, report.missed


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"growth-{name}")) for name in SUBJECTS]
)
def test_every_statement_reads_as_much_with_five_times_the_history(name: str, servers: Servers, tmp_path: Path) -> None:
    grown, missed = measured(name, servers, tmp_path / "first")
    if grown:  # A plan follows from a sample of each table: what grows, grows with another sample too.
        again, _ = measured(name, servers, tmp_path / "second")
        grown = {case: line for case, line in grown.items() if case in again}

    assert not grown, "\n".join(grown.values())
    assert missed == set(), "doors, workers, events and functions of the store that were not exercised"


def test_every_service_is_measured() -> None:
    assert set(SUBJECTS) == {service.package for service in the_list().services}
