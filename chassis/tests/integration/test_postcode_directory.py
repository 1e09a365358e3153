"""The whole directory, built from its package: some seconds, once for the module."""

import csv
import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from chassis.postcodes import Postcodes, build_extract, ensure

pytestmark = pytest.mark.xdist_group("postcode-directory")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A directory that took the place of one from another source, and the progress that was shown meanwhile."""

    path: Path
    is_built: bool
    told: list[tuple[int, int]]


@pytest.fixture(scope="module")
def build_again(tmp_path_factory: pytest.TempPathFactory) -> Built:
    path, told = tmp_path_factory.mktemp("directory") / "postcodes.sqlite", list[tuple[int, int]]()
    build_extract(path)
    is_built = ensure(path, progress=lambda done, parts: told.append((done, parts)))
    return Built(path=path, is_built=is_built, told=told)


@pytest.fixture(scope="module")
def built(build_again: Built) -> Path:
    return build_again.path


@pytest.fixture
def directory(built: Path) -> Iterator[Postcodes]:
    with Postcodes(built) as opened:
        yield opened


def test_the_directory_is_compact(built: Path) -> None:
    assert built.stat().st_size < 100_000_000


def test_the_directory_holds_every_placed_postcode_of_the_kingdom(built: Path) -> None:
    with closing(sqlite3.connect(built)) as connection:
        number = connection.execute("SELECT count(*) FROM place").fetchone()[0]

    assert number == 2_720_556 - 11_007 - 7_052 - 6_100  # less the blanks, the Channel Islands, Man


def test_the_extract_agrees_with_the_directory(directory: Postcodes, tmp_path: Path) -> None:
    build_extract(tmp_path / "extract.sqlite")
    lines = resources.files("chassis").joinpath("data", "postcodes_extract.csv").read_text(encoding="utf-8")
    listed = [line["postcode"] for line in csv.DictReader(lines.splitlines())]

    with Postcodes(tmp_path / "extract.sqlite") as extract:
        assert [extract.find(postcode) for postcode in listed] == [directory.find(postcode) for postcode in listed]
        assert extract.authority_codes() == directory.authority_codes()


def test_many_readers_of_the_directory_take_little_memory(directory: Postcodes, built: Path) -> None:
    with closing(sqlite3.connect(built)) as connection:
        some = [row[0] for row in connection.execute("SELECT postcode FROM place WHERE easting % 80 = 0")]
    shares = [some[number::16] for number in range(16)]

    def look_up_all(postcodes: list[str]) -> int:
        return sum(directory.find(postcode) is not None for postcode in postcodes)

    with ThreadPoolExecutor(len(shares)) as pool:
        before = resident_mib()
        found = list(pool.map(look_up_all, shares))
        growth = resident_mib() - before

    assert found == [len(share) for share in shares]
    assert growth < 8  # two for each thread, if each held what SQLite would let it


def resident_mib() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_a_directory_of_the_installed_package_is_not_built_again(built: Path) -> None:
    before = built.stat().st_ino

    assert not ensure(built)
    assert built.stat().st_ino == before


def test_a_directory_of_another_source_is_built_again_and_shows_progress(
    build_again: Built, directory: Postcodes
) -> None:
    assert build_again.is_built
    assert build_again.told == [(number, 23) for number in range(1, 24)]
    assert directory.find("ZE1 0AA") is not None
