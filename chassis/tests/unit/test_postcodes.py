import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis import postcodes
from chassis.errors import InvalidArgument
from chassis.postcodes import Country, DirectoryUnusable, MalformedPostcode, Place, Postcodes, build_extract, normalise

FORMS = ["B1 2ND", "M1 1AE", "CR0 1EA", "DN55 1PT", "W1A 0AX", "EC1A 1BB"]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def directory(extract: Path) -> Iterator[Postcodes]:
    with Postcodes(extract) as opened:
        yield opened


def test_a_postcode_is_found_with_its_authority_and_grid_reference(directory: Postcodes) -> None:
    assert directory.find("SW1A 1AA") == Place(
        postcode="SW1A 1AA", authority_code="E09000033", easting=529090, northing=179645
    )


@pytest.mark.parametrize(
    "typed",
    [
        "sw1a1aa",
        "SW1A1AA",
        " sw1a  1aa ",
        "SW1A\u00a01AA",
        "s w1a1 aa\t",
        "SW1A-1AA",
        "SW1A–1AA",
        "SW1A.1AA/",
        "\u200bSW1A\u202c1AA",
    ],
)
def test_a_postcode_is_found_however_it_is_spaced_and_cased(directory: Postcodes, typed: str) -> None:
    found = directory.find(typed)

    assert found is not None
    assert found.postcode == "SW1A 1AA"


@pytest.mark.parametrize(
    ("postcode", "country"),
    [
        ("M2 5PD", Country.ENGLAND),
        ("LL55 2AY", Country.WALES),
        ("IV1 1NH", Country.SCOTLAND),
        ("BT1 5GS", Country.NORTHERN_IRELAND),
    ],
)
def test_the_country_comes_from_the_authority(directory: Postcodes, postcode: str, country: Country) -> None:
    found = directory.find(postcode)

    assert found is not None
    assert found.country is country


@pytest.mark.parametrize("postcode", ["GY1 1AA", "AB11 3AG", "ZZ99 9ZZ"])
def test_a_postcode_outside_the_kingdom_never_placed_or_unknown_is_not_found(
    directory: Postcodes, postcode: str
) -> None:
    assert directory.find(postcode) is None


@pytest.fixture
def border(tmp_path: Path) -> Iterator[Postcodes]:
    """Seven postcodes in a row, 100 m apart, where two councils meet."""
    rows = [(f"AB12{chr(65 + n)}A", "E1" if n < 5 else "E2", 1000 + 100 * n, 0) for n in range(14)]
    path = tmp_path / "postcodes.sqlite"
    postcodes._write(
        path, source="test", rows=[*rows, ("AB129AA", "E3", 0, 0), ("AB13AA", "E4", 0, 0), ("ABC", "E5", 0, 0)]
    )
    with Postcodes(path) as opened:
        yield opened


def test_a_postcode_beside_another_council_may_be_split(border: Postcodes) -> None:
    beside, away = border.councils("AB1 2DA"), border.councils("AB1 2NA")

    assert (beside.is_listed, beside.is_certain, beside.codes) == (True, False, ("E1", "E2"))
    assert (away.is_listed, away.is_certain, away.codes) == (True, True, ("E2", "E1"))


@pytest.mark.parametrize(
    ("postcode", "codes"),
    [
        ("AB1 2ZZ", ("E2", "E1")),
        ("AB1 9ZZ", ("E2", "E1", "E4")),
        ("AB77 1AA", ("E2", "E1", "E3", "E4")),
        ("AC1 1AA", ()),
    ],
)
def test_a_postcode_that_is_not_listed_may_be_of_the_councils_around(
    border: Postcodes, postcode: str, codes: tuple[str, ...]
) -> None:
    found = border.councils(postcode)

    assert (found.is_listed, found.is_certain, found.codes) == (False, False, codes)


@pytest.mark.parametrize(
    ("postcode", "place"),
    [("AB1 2DA", (1300, 0)), ("AB1 2ZZ", (1650, 0)), ("AB77 1AA", (1443, 0)), ("AC1 1AA", None)],
)
def test_a_postcode_that_is_not_listed_lies_in_the_middle_of_those_around(
    border: Postcodes, postcode: str, place: tuple[int, int] | None
) -> None:
    assert border.locate(postcode) == place


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_postcode_is_normalised_to_itself(form: str) -> None:
    assert normalise(form) == form
    assert normalise(form.replace(" ", "").lower()) == form


@pytest.mark.parametrize(
    "typed",
    ["", "SW1A", "1AA SW1A", "SW1A 1A", "SW1A 1AAA", "SW1A_1AA", "SWA1 1AA", "SW1A 1AA; DROP", "ß1 1AA", "M１ 1AE"],
)
def test_a_malformed_postcode_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(MalformedPostcode) as refused:
        normalise(typed)

    assert isinstance(refused.value, InvalidArgument)
    assert refused.value.message == "invalid: postcode"
    assert [violation.field for violation in refused.value.violations] == ["postcode"]


@given(st.text(max_size=12))
@example("SW1A\n1AA")
def test_any_text_is_either_refused_or_normalised_for_good(typed: str) -> None:
    try:
        normal = normalise(typed)
    except MalformedPostcode:
        return

    assert normalise(normal) == normal
    assert normal.replace(" ", "") == "".join(filter(str.isalnum, typed)).upper()


def test_many_threads_share_one_directory(directory: Postcodes) -> None:
    together = threading.Barrier(4)

    def look() -> str | None:
        together.wait(timeout=5)
        found = directory.find("LS1 3AB")
        return found.authority_code if found else None

    with ThreadPoolExecutor(4) as pool:
        answers = [job.result() for job in [pool.submit(look) for _ in range(4)]]

    assert answers == ["E08000035"] * 4


def test_a_file_that_is_absent_or_no_directory_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnusable):
        Postcodes(tmp_path / "absent.sqlite")
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "text.sqlite").write_text("not a database at all, but long enough to look into" * 20)
    with pytest.raises(DirectoryUnusable):
        Postcodes(tmp_path / "text.sqlite")


def test_a_file_of_another_layout_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "postcodes.sqlite"
    build_extract(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {postcodes.FORMAT + 1}")

    with pytest.raises(DirectoryUnusable):
        Postcodes(path)


def test_building_again_replaces_the_file_under_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "postcodes.sqlite"
    build_extract(path)
    with Postcodes(path) as reader:
        reader.find("M2 5PD")

        build_extract(path)

        assert reader.find("M2 5PD") is not None
    assert [file.name for file in tmp_path.iterdir()] == ["postcodes.sqlite"]


def test_a_failed_build_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "postcodes.sqlite"
    build_extract(path)
    before = path.read_bytes()
    monkeypatch.setattr(postcodes, "_SCHEMA", "CREATE TABLE place (")

    with pytest.raises(sqlite3.OperationalError):
        build_extract(path)

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["postcodes.sqlite"]
