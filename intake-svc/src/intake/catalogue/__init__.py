"""Reads catalogues of questions from their folders: `<number>/catalogue.toml`, `questions/` and a file for each scheme."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from intake.catalogue import schema
from intake.catalogue.bank import bank, refuse_unless, text
from intake.catalogue.samples import try_rules
from intake.catalogue.schemes import schemes
from intake.domain.answers import CEL_TYPES
from intake.domain.catalogue import Catalogue, Catalogues
from intake.domain.rules import NUMBER, OF_THE_CLAIM, PENCE, TIMESTAMP, CelValue, RuleCompiler, timestamp
from intake.domain.script import DatedTable, ScriptError, Section

__all__ = ["CATALOGUES", "load_catalogue", "load_catalogues"]

CATALOGUES = Path(__file__).parent.parent / "catalogues"
"""The folder of this release's catalogues."""

T = TypeVar("T")
_UNITS: Mapping[str, tuple[Any, type]] = {"PENCE": (PENCE, int), "NUMBER": (NUMBER, float), "DATE": (TIMESTAMP, date)}
_ROW = re.compile(r"\$\.([a-z_]+)\[(\d+|\.\.\.)\]")


def load_catalogues(folder: Path = CATALOGUES) -> Catalogues:
    """The catalogues in the numbered folders of this one. Raises ScriptError as `load_catalogue` does."""
    return Catalogues(load_catalogue(part) for part in sorted(folder.iterdir()) if part.name.isdecimal())


def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue in a folder whose name is its number.

    Raises ScriptError, which names the file and the place, for anything missing, unknown, blank, doubled or of the wrong
    type, for a rule that does not compile against the questions' kinds, and for relevance that goes in a circle.
    """
    top = _read(folder / "catalogue.toml", schema.Top)
    place = f"{folder.name}/catalogue.toml"
    refuse_unless(place, str(top.number) == folder.name, "number must be the folder's name")
    refuse_unless(place, len({part.id for part in top.sections}) == len(top.sections), "two sections have one id")
    files = {path.stem: _read(path, schema.SectionFile) for path in sorted((folder / "questions").glob("*.toml"))}
    names = [section.id for section in top.sections]
    refuse_unless(place, set(names) == files.keys(), "each section needs a file in questions, and each file a section")
    compiler = _compiler(place, top, files)
    found = bank(((name, f"{folder.name}/questions/{name}.toml", files[name].questions) for name in names), compiler)
    rules = schemes(
        {
            path.stem: _read(path, schema.SchemeFile)
            for path in sorted(folder.glob("*.toml"))
            if path.name != "catalogue.toml"
        },
        found,
        compiler,
    )
    refuse_unless(place, rules, "there is no scheme")
    refuse_unless(
        place, top.claim_date is None or _is_date(found, top.claim_date), "claim_date must be a question for a DATE"
    )
    strangers = sorted(top.earlier.keys() - found.keys())
    refuse_unless(place, not strangers, f"earlier names no question: {', '.join(strangers)}")
    catalogue = Catalogue(
        number=top.number,
        released_on=top.released_on,
        claim_date=top.claim_date,
        sections=tuple(Section(id=part.id, name=text(part.name)) for part in top.sections),
        bank=found,
        decisions=top.decisions,
        tables={name: _table(f"{place}: tables.{name}", name, table) for name, table in top.tables.items()},
        earlier=top.earlier,
        schemes=rules,
        compiler=compiler,
    )
    try_rules(catalogue)
    _make_scripts(catalogue)
    return catalogue


def _make_scripts(catalogue: Catalogue) -> None:
    """Makes the script of every set of schemes: a circle or a contradiction may show only together, and no call waits."""
    for count in range(1, len(catalogue.schemes) + 1):
        for some in combinations(catalogue.schemes, count):
            catalogue.script_for(some)


def _compiler(place: str, top: schema.Top, files: Mapping[str, schema.SectionFile]) -> RuleCompiler:
    kinds = {question.id: CEL_TYPES[question.kind] for file in files.values() for question in file.questions}
    tables = {name: _UNITS[table.unit][0] for name, table in top.tables.items()}
    doubled = sorted((kinds.keys() & tables.keys()) | (OF_THE_CLAIM.keys() & tables.keys()))
    refuse_unless(place, not doubled, f"tables must not have the name of a question: {', '.join(doubled)}")
    return RuleCompiler({**OF_THE_CLAIM, **kinds, **tables})


def _is_date(found: Mapping[str, Any], name: str) -> bool:
    return name in found and found[name].kind == "DATE"


def _table(place: str, name: str, given: schema.TableOf) -> DatedTable:
    _, wanted = _UNITS[given.unit]
    rows: list[tuple[date, CelValue]] = []
    for row in given.rows:
        value = float(row.value) if wanted is float and isinstance(row.value, int) else row.value
        refuse_unless(place, type(value) is wanted, f"a value of {given.unit} must be a {wanted.__name__}")
        rows.append((row.first_day, timestamp(value) if isinstance(value, date) else value))
    days = [first for first, _ in rows]
    refuse_unless(place, days == sorted(set(days)), "rows must stand in the order of their days, each day once")
    return DatedTable(id=name, unit=given.unit, source=given.source, rows=tuple(rows))


def _read(path: Path, kind: type[T]) -> T:
    """A file, by its schema. Raises ScriptError with the file and the place."""
    name = str(path.relative_to(path.parents[2 if path.parent.name == "questions" else 1]))
    try:
        written = path.read_bytes()
        return msgspec.toml.decode(written, type=kind)
    except msgspec.ValidationError as fault:
        raise ScriptError(f"{name}: {_by_id(str(fault), tomllib.loads(written.decode()), kind)}") from fault
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ScriptError(f"{name}: {fault}") from fault


def _by_id(fault: str, data: Mapping[str, Any], kind: type) -> str:
    """The message with a row's id in the place of its number, and a key in the place of dots."""

    def named(found: re.Match[str]) -> str:
        name, at = found.groups()
        if at == "...":
            return f"$.{name}[{_faulty_key(name, data, kind)}]"
        row = data[name][int(at)]
        return f"$.{name}[{row.get('id', row.get('question', at))}]"

    return _ROW.sub(named, fault)


def _faulty_key(name: str, data: Mapping[str, Any], kind: type) -> str:
    """The first key of a table whose value does not fit the schema."""
    for key, value in data[name].items():
        try:
            msgspec.json.decode(msgspec.json.encode({**data, name: {key: value}}), type=kind)
        except msgspec.ValidationError:
            return str(key)
    return "..."
