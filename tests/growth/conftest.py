"""One measure of each service, which all tests of it share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.testing import Servers
from tests.growth.measuring import Report, measure
from tests.growth.subject import make_place
from tests.growth.subjects import SUBJECTS

SIZES = (10_000, 100_000)


@pytest.fixture(scope="session")
def measured(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Report]:
    """The measure of a service, made when the first test asks for it."""
    made: dict[str, Report] = {}

    def report_of(name: str) -> Report:
        if name not in made:
            folder: Path = tmp_path_factory.mktemp(name)
            kind, migrations = SUBJECTS[name]
            place = make_place(servers, folder, name=f"growth_{name}", migrations=migrations)
            made[name] = measure(kind, place, SIZES)
        return made[name]

    return report_of
