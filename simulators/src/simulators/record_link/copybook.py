"""Reads COBOL copybooks as files: from the text of a record to its fields with their places.

It knows what the interface's copybooks use and refuses everything else: levels, PIC X and 9, S9 with COMP-3, V, OCCURS
(one level deep), COPY, FILLER, and level 88, which it passes over.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path

from simulators.errors import CopybookError

_COPY = re.compile(r"\bCOPY\s+'([^']+)'\s*\.")
_SENTENCE = re.compile(r"\.(?:\s+|$)")
_CLAUSES = re.compile(
    r"(?P<level>\d\d)\s+(?P<name>[A-Z0-9-]+)"
    r"(?:\s+PIC\s+(?P<picture>\S+?))?(?P<packed>\s+COMP-3)?(?:\s+OCCURS\s+(?P<occurs>\d+)\s+TIMES)?"
)
_PICTURE = re.compile(
    r"(?P<signed>S)?(?P<kind>[X9])(?:\((?P<length>\d+)\))?(?:V(?P<fraction>9+)(?:\((?P<places>\d+)\))?)?"
)


class Kind(Enum):
    """How a field's bytes are to be read."""

    TEXT = "text"
    ZONED = "zoned"
    PACKED = "packed"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: `offset`, `length` and `stride` (between entries) in bytes; `decimals` digits after the point."""

    name: str
    kind: Kind
    offset: int
    length: int
    decimals: int = 0
    occurs: int | None = None
    stride: int = 0

    @cached_property
    def places(self) -> list[slice]:
        """The place of each entry in the record; one place when it is no table."""
        starts = [self.offset + self.stride * entry for entry in range(self.occurs or 1)]
        return [slice(start, start + self.length) for start in starts]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A record: its length in bytes and its fields by name, fillers left out."""

    name: str
    length: int
    fields: Mapping[str, Field]


@dataclass
class _Item:
    level: int
    name: str
    kind: Kind | None = None
    length: int = 0
    decimals: int = 0
    occurs: int | None = None
    children: list["_Item"] = field(default_factory=list)

    def size(self) -> int:
        """Bytes of one entry."""
        return sum(child.size() * (child.occurs or 1) for child in self.children) if self.children else self.length


def read_layouts(folder: Path, *names: str) -> dict[str, Layout]:
    """The records of these copybook files by record name. Raises CopybookError."""
    items = [item for name in names for item in _records(_expanded(folder, name))]
    return {item.name: _layout(item) for item in items}


def _expanded(folder: Path, name: str) -> str:
    """A copybook's text without comments, with what it copies in its place."""
    path = folder / name
    if not path.is_file():
        raise CopybookError(f"there is no copybook {name}")
    lines = path.read_text(encoding="ascii").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("*>"))
    return _COPY.sub(lambda copy: _expanded(folder, copy[1]), text)


def _records(text: str) -> list[_Item]:
    """The level 01 items with everything below them."""
    records: list[_Item] = []
    path: list[_Item] = []
    for item in _items(text):
        while path and path[-1].level >= item.level:
            path.pop()
        siblings = path[-1].children if path else records
        siblings.append(item)
        path.append(item)
    return records


def _items(text: str) -> Iterator[_Item]:
    for sentence in filter(None, map(str.strip, _SENTENCE.split(text))):
        if not sentence.startswith("88 "):
            yield _item(" ".join(sentence.split()))


def _item(sentence: str) -> _Item:
    clauses = _CLAUSES.fullmatch(sentence)
    if clauses is None:
        raise CopybookError(f"not understood: {sentence}")
    item = _Item(level=int(clauses["level"]), name=clauses["name"])
    item.occurs = int(clauses["occurs"]) if clauses["occurs"] else None
    if clauses["picture"]:
        _describe(item, clauses["picture"], packed=bool(clauses["packed"]))
    return item


def _describe(item: _Item, picture: str, *, packed: bool) -> None:
    """Set an item's kind and length from its picture."""
    parts = _PICTURE.fullmatch(picture)
    if parts is None or bool(parts["signed"]) != packed or (parts["kind"] == "X" and (packed or parts["fraction"])):
        raise CopybookError(f"{item.name}: picture not understood: {picture}")
    item.decimals = int(parts["places"] or len(parts["fraction"] or ""))
    digits = int(parts["length"] or 1) + item.decimals
    item.kind = Kind.PACKED if packed else Kind.TEXT if parts["kind"] == "X" else Kind.ZONED
    item.length = digits // 2 + 1 if packed else digits


def _layout(record: _Item) -> Layout:
    fields = {found.name: found for found in _fields(record, offset=0) if found.name != "FILLER"}
    return Layout(name=record.name, length=record.size(), fields=fields)


def _fields(group: _Item, *, offset: int, table: _Item | None = None) -> Iterator[Field]:
    for item in group.children:
        if item.occurs and table:
            raise CopybookError(f"{item.name}: a table inside a table")
        around = item if item.occurs else table
        if item.children:
            yield from _fields(item, offset=offset, table=around)
        elif item.kind is None:
            raise CopybookError(f"{item.name}: neither a picture nor anything below it")
        else:
            yield Field(
                name=item.name,
                kind=item.kind,
                offset=offset,
                length=item.length,
                decimals=item.decimals,
                occurs=around.occurs if around else None,
                stride=around.size() if around else 0,
            )
        offset += item.size() * (item.occurs or 1)
