"""What the stand-ins' tests have in common: the copybooks, and the stand-ins on free ports."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# This member's folder has its package's name: pytest has just put the folder in the package's place.
if not str(sys.modules["simulators"].__file__).endswith("__init__.py"):
    del sys.modules["simulators"]

from simulators.councils.server import Councils
from simulators.jsaps.link import Link
from simulators.jsaps.server import Jsaps
from simulators.settings import CouncilsSettings, JsapsSettings, read_settings

COPYBOOKS = Path(__file__).parents[2] / "legacy-gateway" / "src" / "legacy_gateway" / "copybooks"


@pytest.fixture(scope="session")
def copybooks() -> Path:
    return COPYBOOKS


@pytest.fixture(scope="session")
def link(copybooks: Path) -> Link:
    return Link(copybooks)


@pytest.fixture
def jsaps_settings(tmp_path: Path, copybooks: Path) -> JsapsSettings:
    """The lag of the enquiry is 20 ms at most, the buffer 100 ms."""
    return read_settings(
        JsapsSettings, port=0, control_port=0, data=tmp_path / "jsaps", copybooks=copybooks, time_scale=0.01
    )


@pytest.fixture
def jsaps(jsaps_settings: JsapsSettings) -> Iterator[Jsaps]:
    stand_in = Jsaps(jsaps_settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def councils_settings(tmp_path: Path) -> CouncilsSettings:
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"E08000035": "00ff" * 16, "W06000015": "11ee" * 16}))
    return read_settings(
        CouncilsSettings, port=0, control_port=0, data=tmp_path / "councils", secrets=secrets, load_seconds=0.05
    )


@pytest.fixture
def councils(councils_settings: CouncilsSettings) -> Iterator[Councils]:
    stand_in = Councils(councils_settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()
