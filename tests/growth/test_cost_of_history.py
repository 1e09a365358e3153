"""No statement that serves a door, a worker or a scrape reads more because more is in the past."""

from collections.abc import Callable

import pytest

from tests.growth.conftest import SIZES
from tests.growth.measuring import Report
from tests.growth.subjects import SUBJECTS

SERVICES = [pytest.param(name, marks=pytest.mark.xdist_group(f"growth-{name}")) for name in SUBJECTS]


@pytest.mark.parametrize("name", SERVICES)
def test_every_statement_reads_as_much_with_ten_times_the_history(name: str, measured: Callable[[str], Report]) -> None:
    small, large = SIZES

    grown = [
        f"{cost.case}: {cost.buffers(small)} → {cost.buffers(large)} buffers in {cost.caller}: {cost.text[:160]}"
        for cost in measured(name).costs
        if cost.grows(small, large) and not cost.case.startswith(SUBJECTS[name][0].still_growing)
    ]

    assert not grown, "\n".join(grown)
