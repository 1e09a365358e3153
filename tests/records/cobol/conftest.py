"""Builds records by a COBOL program that GnuCOBOL compiles from the gateway's copybooks."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from legacy_gateway.records import FILLER, Field, Kind, Record, layouts

_VALUE_BYTES = 1_000
_RECORD_BYTES = 4_000
"""The longest field and the longest record fit in."""
_SIGNED_DIGITS = 17
"""Characters of a number in the program's input: a sign, fifteen digits and two decimals."""

_PROGRAM = """
IDENTIFICATION DIVISION.
PROGRAM-ID. BUILDER.
ENVIRONMENT DIVISION.
INPUT-OUTPUT SECTION.
FILE-CONTROL.
    SELECT GIVEN-FILE ASSIGN TO "given.dat" ORGANIZATION SEQUENTIAL.
    SELECT BUILT-FILE ASSIGN TO "built.dat" ORGANIZATION SEQUENTIAL.
DATA DIVISION.
FILE SECTION.
FD GIVEN-FILE.
01 GIVEN-LINE.
    05 GIVEN-VALUE PIC X({value_bytes}).
    05 GIVEN-NUMBER REDEFINES GIVEN-VALUE PIC S9(15)V99 SIGN LEADING SEPARATE.
FD BUILT-FILE.
01 BUILT-RECORD PIC X({record_bytes}).
WORKING-STORAGE SECTION.
01 FIELD-POINTER USAGE POINTER.
01 FIELD-ADDRESS REDEFINES FIELD-POINTER PIC 9(18) COMP-5.
01 RECORD-ADDRESS PIC 9(18) COMP-5.
01 FIELD-OFFSET PIC 9(5).
01 FIELD-LENGTH PIC 9(5).
01 AT-END-FLAG PIC X VALUE 'N'.
{copies}
PROCEDURE DIVISION.
MAIN-PARAGRAPH.
{reports}
    OPEN INPUT GIVEN-FILE OUTPUT BUILT-FILE.
    PERFORM TAKE-PARAGRAPH.
    PERFORM UNTIL AT-END-FLAG = 'Y'
        EVALUATE GIVEN-VALUE
{choices}
        END-EVALUATE
        WRITE BUILT-RECORD
        PERFORM TAKE-PARAGRAPH
    END-PERFORM.
    CLOSE GIVEN-FILE BUILT-FILE.
    STOP RUN.
TAKE-PARAGRAPH.
    READ GIVEN-FILE AT END MOVE 'Y' TO AT-END-FLAG END-READ.
{paragraphs}
"""

_REPORT = """
    SET FIELD-POINTER TO ADDRESS OF {name}.
    COMPUTE FIELD-OFFSET = FIELD-ADDRESS - RECORD-ADDRESS.
    MOVE LENGTH OF {name} TO FIELD-LENGTH.
    DISPLAY '{label} ' FIELD-OFFSET ' ' FIELD-LENGTH.
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One elementary item of a record: a field, or an entry of a table from 1."""

    field: Field
    entry: int | None = None
    table: Field | None = None
    """The table of which it is an entry, or in which it lies."""

    @property
    def extent(self) -> "Extent":
        """The place of the item in the gateway's layout."""
        before = (self.entry - 1) * self.table.length if self.entry and self.table else 0
        return Extent(offset=self.field.offset + before, length=self.field.length)

    @property
    def reference(self) -> str:
        """The item's name in COBOL, qualified by its record."""
        return self.field.name if self.entry is None else f"{self.field.name}({self.entry})"

    def value(self, values: Mapping[str, Any]) -> Any:
        """The item's value in a record's values; None where there is none."""
        if self.entry is None or self.table is None:
            return values.get(self.field.name)
        entries = values.get(self.table.name) or ()
        one = entries[self.entry - 1] if self.entry <= len(entries) else None
        return one.get(self.field.name) if isinstance(one, Mapping) else one


def places(fields: Sequence[Field], *, within: Place | None = None) -> Iterator[Place]:
    """Lists every elementary item but FILLER, with the entries of a table one after the other."""
    for field in fields:
        for place in _entries(field, within):
            if field.kind is Kind.GROUP:
                yield from places(field.fields, within=place)
            elif field.name != FILLER:
                yield place


def _entries(field: Field, within: Place | None) -> Iterator[Place]:
    """Checks that no table lies inside a table, as in the interfaces."""
    if field.occurs is None:
        yield replace(within, field=field) if within else Place(field=field)
    else:
        yield from (Place(field=field, entry=entry, table=field) for entry in range(1, field.occurs + 1))


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The place of an item in COBOL's record: bytes from the start, and length."""

    offset: int
    length: int


@dataclass(frozen=True, kw_only=True)
class CobolProgram:
    """The compiled program in its folder, with the places that it reported for the items of every record."""

    folder: Path
    extents: Mapping[str, Mapping[str, Extent]]

    def length(self, record: str) -> int:
        """Builds the bytes of a record."""
        return self.extents[record][record].length

    def build(self, record: Record, values: Sequence[Mapping[str, Any]]) -> list[bytes]:
        """Builds records of these values by the program's own MOVEs, in the code page of the outside systems."""
        given = b"".join(_given(record, one) for one in values)
        (self.folder / "given.dat").write_bytes(given)
        subprocess.run([self.folder / "builder"], cwd=self.folder, check=True, capture_output=True)
        built = (self.folder / "built.dat").read_bytes()
        whole = [built[start : start + _RECORD_BYTES] for start in range(0, len(built), _RECORD_BYTES)]
        return [self._translated(record, one[: self.length(record.name)]) for one in whole]

    def _translated(self, record: Record, native: bytes) -> bytes:
        """Encodes text and zoned digits in code page 285 at COBOL's places, and leaves packed numbers as they are."""
        # A byte that the code page lacks belongs to a packed number, and is put back.
        translated = bytearray(native.decode("latin-1").encode("cp285", errors="replace"))
        for place in places(record.fields):
            if place.field.kind is Kind.PACKED:
                extent = self.extents[record.name][place.reference]
                end = extent.offset + extent.length
                translated[extent.offset : end] = native[extent.offset : end]
        return bytes(translated)


def _given(record: Record, values: Mapping[str, Any]) -> bytes:
    lines = [record.name.encode(), *(_given_value(place, place.value(values)) for place in places(record.fields))]
    return b"".join(line.ljust(_VALUE_BYTES) for line in lines)


def _given_value(place: Place, value: Any) -> bytes:
    if place.field.kind is Kind.TEXT:
        return str(value or "").encode("latin-1")
    hundredths = int(Decimal(value or 0).scaleb(2))
    return f"{'-' if hundredths < 0 else '+'}{abs(hundredths):0{_SIGNED_DIGITS}d}".encode()


@pytest.fixture(scope="session")
def cobol(tmp_path_factory: pytest.TempPathFactory, copybooks: Path) -> CobolProgram:
    """Compiles one program for all records, once."""
    folder = tmp_path_factory.mktemp("cobol")
    (folder / "builder.cob").write_text(_source(copybooks))
    command = ["cobc", "-x", "-free", "-std=ibm", "-I", str(copybooks), "-o", "builder", "builder.cob"]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "given.dat").write_bytes(b"")
    told = subprocess.run([folder / "builder"], cwd=folder, check=True, capture_output=True, text=True).stdout
    extents: dict[str, dict[str, Extent]] = {}
    for line in told.splitlines():
        record, name, offset, length = line.split()
        extents.setdefault(record, {})[name] = Extent(offset=int(offset), length=int(length))
    return CobolProgram(folder=folder, extents=extents)


def _source(copybooks: Path) -> str:
    records = list(layouts().values())
    buildable = [record for record in records if record.length <= _RECORD_BYTES]
    return _PROGRAM.format(
        value_bytes=_VALUE_BYTES,
        record_bytes=_RECORD_BYTES,
        copies="\n".join(f"COPY '{path.name}'." for path in sorted(copybooks.glob("*.cpy")) if path.stem != "common"),
        reports="".join(_reports(record) for record in records),
        choices="\n".join(
            f"            WHEN '{record.name}' PERFORM BUILD-{number}" for number, record in enumerate(buildable)
        ),
        paragraphs="".join(_paragraph(number, record) for number, record in enumerate(buildable)),
    )


def _reports(record: Record) -> str:
    begin = f"    SET FIELD-POINTER TO ADDRESS OF {record.name}.\n    MOVE FIELD-ADDRESS TO RECORD-ADDRESS.\n"
    whole = _REPORT.format(name=record.name, label=f"{record.name} {record.name}")
    parts = (
        _REPORT.format(name=_qualified(place.reference, record), label=f"{record.name} {place.reference}")
        for place in places(record.fields)
    )
    return begin + whole + "".join(parts)


def _paragraph(number: int, record: Record) -> str:
    moves = "".join(
        "    PERFORM TAKE-PARAGRAPH.\n"
        f"    MOVE {'GIVEN-VALUE' if place.field.kind is Kind.TEXT else 'GIVEN-NUMBER'} "
        f"TO {_qualified(place.reference, record)}.\n"
        for place in places(record.fields)
    )
    return f"BUILD-{number}.\n    MOVE SPACES TO {record.name}.\n{moves}    MOVE {record.name} TO BUILT-RECORD.\n"


def _qualified(reference: str, record: Record) -> str:
    """Writes an item's name in COBOL, with the subscript behind the qualification."""
    name, bracket, entry = reference.partition("(")
    return f"{name} OF {record.name}{' ' if bracket else ''}{bracket}{entry}"


@pytest.fixture(name="places", scope="session")
def places_of_layouts() -> Any:
    """Writes the paragraph that reports the places of a record's fields."""
    return places
