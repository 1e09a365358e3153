"""Fixtures that the stand-ins' tests share: the copybooks, and the stand-ins on free ports."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# This member's folder has its package's name: pytest has just put the folder in the package's place.
if not str(sys.modules["simulators"].__file__).endswith("__init__.py"):
    del sys.modules["simulators"]

from simulators.councils.server import Councils
from simulators.councils.testing import councils_settings as councils_settings_of
from simulators.iscs import ISCS
from simulators.jsaps import JSAPS
from simulators.pscs.server import Pscs
from simulators.pscs.testing import Maker
from simulators.record_link.link import Link
from simulators.record_link.server import MainframeServer
from simulators.settings import CouncilsSettings, IscsSettings, JsapsSettings, PscsSettings, SfcsSettings, read_settings
from simulators.sfcs import SFCS
from simulators.sftp.testing import SftpClient, make_keys
from simulators.testing import LinkClient

COPYBOOKS = Path(__file__).parents[2] / "legacy-gateway" / "src" / "legacy_gateway" / "copybooks"


@pytest.fixture(scope="session")
def copybooks() -> Path:
    return COPYBOOKS


@pytest.fixture(scope="session")
def link(copybooks: Path) -> Link:
    return Link(JSAPS, copybooks)


@pytest.fixture
def iscs(tmp_path: Path, copybooks: Path) -> Iterator[MainframeServer]:
    settings = read_settings(IscsSettings, port=0, control_port=0, data=tmp_path / "iscs", copybooks=copybooks)
    with closing_at_end(MainframeServer(ISCS, settings)) as stand_in:
        yield stand_in


@pytest.fixture
def sfcs(tmp_path: Path, copybooks: Path) -> Iterator[MainframeServer]:
    settings = read_settings(SfcsSettings, port=0, control_port=0, data=tmp_path / "sfcs", copybooks=copybooks)
    with closing_at_end(MainframeServer(SFCS, settings)) as stand_in:
        yield stand_in


@contextmanager
def closing_at_end(stand_in: MainframeServer) -> Iterator[MainframeServer]:
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()


@pytest.fixture
def jsaps_settings(tmp_path: Path, copybooks: Path) -> JsapsSettings:
    """The lag of the enquiry is 20 ms at most, the buffer 100 ms."""
    return read_settings(
        JsapsSettings, port=0, control_port=0, data=tmp_path / "jsaps", copybooks=copybooks, time_scale=0.01
    )


@pytest.fixture
def jsaps(jsaps_settings: JsapsSettings) -> Iterator[MainframeServer]:
    stand_in = MainframeServer(JSAPS, jsaps_settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def councils_settings(tmp_path: Path) -> CouncilsSettings:
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"E08000035": "00ff" * 16, "W06000015": "11ee" * 16}))
    return councils_settings_of(tmp_path, secrets, clock_offset_file=tmp_path / "clock-offset")


@pytest.fixture
def councils(councils_settings: CouncilsSettings) -> Iterator[Councils]:
    stand_in = Councils(councils_settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def jsaps_client(jsaps: MainframeServer, link: Link) -> Iterator[LinkClient]:
    with LinkClient(link, jsaps.port) as connection:
        yield connection


@pytest.fixture(scope="module")
def pscs_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def maker(copybooks: Path) -> Maker:
    return Maker(copybooks)


@pytest.fixture
def pscs_settings(tmp_path: Path, copybooks: Path, pscs_keys: dict[str, Path]) -> PscsSettings:
    """The cycle is run by the control door."""
    return read_settings(
        PscsSettings,
        port=0,
        control_port=0,
        data=tmp_path / "pscs",
        copybooks=copybooks,
        host_key=pscs_keys["host_key"],
        authorized_keys=pscs_keys["authorized_keys"],
        cycle_seconds=3600,
        clock_offset_file=tmp_path / "offset",
    )


@pytest.fixture
def pscs(pscs_settings: PscsSettings) -> Iterator[Pscs]:
    stand_in = Pscs(pscs_settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def pscs_client(pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path]) -> Iterator[SftpClient]:
    with SftpClient(pscs_settings, pscs_keys, pscs.port) as session:
        yield session
