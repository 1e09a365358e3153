"""Reads the part of COBOL's copybook language that the outside systems' layouts use.

It knows level numbers 01 to 49, groups, `PIC X`, `PIC 9` and `PIC S9 … COMP-3` with `V`, `OCCURS n TIMES`, 88 levels
with one literal, `FILLER`, `COPY 'file'`, comments from `*>`. Anything else is refused with its file and line: a layout
that is read wrongly would send money to the wrong place.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from chassis.errors import InvalidArgument

FILLER = "FILLER"
MOST_DIGITS = 18
"""The longest number of standard COBOL."""

_TOKEN = re.compile(
    r"""(?P<skipped>\s+|\*>.*)
      | (?P<literal>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<end>\.(?=\s|$))
      | (?P<word>(?:[^\s'".]|\.(?=\S))+)
      | (?P<stray>.)""",
    re.VERBOSE,
)
_COPY = re.compile(r"COPY (?P<literal>['\"].+)")
_CONDITION = re.compile(r"88 (?P<name>[A-Z0-9-]+) VALUE (?P<literal>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")
_ENTRY = re.compile(
    r"(?P<level>\d\d) (?P<name>[A-Z0-9-]+)"
    r"(?: PIC (?P<picture>\S+))?(?P<packed> COMP-3)?(?: OCCURS (?P<occurs>[1-9]\d*) TIMES)?"
)
_REPEATED = re.compile(r"([X9])\((\d{1,4})\)")
_NUMBER = re.compile(r"(?P<sign>S?)(?P<whole>9+)(?:V(?P<fraction>9+))?")


class CopybookError(InvalidArgument):
    """A copybook has something that this reader does not know. The message names the file and the line."""


class Kind(StrEnum):
    """How a field's bytes are to be read."""

    TEXT = "TEXT"
    ZONED = "ZONED"
    PACKED = "PACKED"
    GROUP = "GROUP"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """An 88 level: the name of one value of the field above it."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """One item of a record. Offset and length are bytes; the offset is the first entry's, from the record's start.

    `length` is that of one entry; `occurs` is None unless the item is a table; `digits` counts a number's digits with
    its `scale` decimals; `fields` are those of a group.
    """

    name: str
    kind: Kind
    offset: int
    length: int
    digits: int = 0
    scale: int = 0
    occurs: int | None = None
    conditions: tuple[Condition, ...] = ()
    fields: tuple["Field", ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all its entries."""
        return self.length * (self.occurs or 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """An 01 level. `length` is in bytes. Records are compared by identity, because each layout is read once."""

    name: str
    length: int
    fields: tuple[Field, ...]

    def walk(self) -> Iterator[Field]:
        """Every field in the order of the copybook, a group before what it holds."""
        return _walk(self.fields)


def read_copybook(path: Path) -> Mapping[str, Record]:
    """The 01 levels of the file by name. Files that it copies must lie beside it.

    Raises CopybookError for anything outside the language above, for a name used twice, and for fields outside an 01.
    """
    entries = deque(_entries(path))
    records: dict[str, Record] = {}
    while entries:
        top = entries.popleft()
        if top.level != 1 or top.picture or top.occurs:
            raise top.statement.refusal("a record begins with an 01 level that is a group")
        if top.name in records:
            raise top.statement.refusal(f"{top.name} is there twice")
        records[top.name] = _record(top, entries)
    return records


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """The words before a full stop, separated by one blank, in upper case except for literals."""

    file: str
    line: int
    text: str

    def refusal(self, why: str) -> CopybookError:
        return CopybookError("COPYBOOK_NOT_UNDERSTOOD", f"{self.file}, line {self.line}: {why}")


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A statement with a level number that has no place in the tree yet."""

    statement: _Statement
    level: int
    name: str
    picture: str | None
    packed: bool
    occurs: int | None
    conditions: tuple[Condition, ...] = ()


def _walk(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _walk(field.fields)


def _statements(path: Path) -> Iterator[_Statement]:
    words: list[str] = []
    first_line = 0
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), start=1):
        if not line.isascii():
            raise _Statement(file=path.name, line=number, text="").refusal("a character that is not ASCII")
        for token in _TOKEN.finditer(line):
            if token.lastgroup == "skipped":
                continue
            if not words:
                first_line = number
            if token.lastgroup == "stray":
                raise _Statement(file=path.name, line=number, text="").refusal("a literal is not closed")
            if token.lastgroup == "end":
                yield _Statement(file=path.name, line=first_line, text=" ".join(words))
                words = []
            else:
                words.append(token[0] if token.lastgroup == "literal" else token[0].upper())
    if words:
        raise _Statement(file=path.name, line=first_line, text="").refusal("the full stop is missing")


def _entries(path: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    for statement in _copied_in(path, within=()):
        if condition := _CONDITION.fullmatch(statement.text):
            if not entries or entries[-1].picture is None:
                raise statement.refusal("an 88 level stands under a field with a picture")
            entries[-1] = _with_condition(entries[-1], condition)
        else:
            entries.append(_entry(statement))
    return entries


def _copied_in(path: Path, *, within: tuple[str, ...]) -> Iterator[_Statement]:
    """The file's statements; each COPY is replaced by the statements of the file that it names."""
    for statement in _statements(path):
        copy = _COPY.fullmatch(statement.text)
        if copy is None:
            yield statement
            continue
        name = _unquoted(copy["literal"])
        copied = path.with_name(name) if name == Path(name).name else None
        if copied is None or not copied.is_file():
            raise statement.refusal(f"there is no {name} beside this file")
        if name in (*within, path.name):
            raise statement.refusal(f"{name} copies itself")
        yield from _copied_in(copied, within=(*within, path.name))


def _unquoted(literal: str) -> str:
    quote = literal[0]
    return literal[1:-1].replace(quote * 2, quote)


def _with_condition(entry: _Entry, condition: re.Match[str]) -> _Entry:
    named = Condition(name=condition["name"], value=_unquoted(condition["literal"]))
    return replace(entry, conditions=(*entry.conditions, named))


def _entry(statement: _Statement) -> _Entry:
    parts = _ENTRY.fullmatch(statement.text)
    if parts is None or not 1 <= int(parts["level"]) <= 49:
        raise statement.refusal(f"not understood: {statement.text}")
    return _Entry(
        statement=statement,
        level=int(parts["level"]),
        name=parts["name"],
        picture=parts["picture"],
        packed=parts["packed"] is not None,
        occurs=int(parts["occurs"]) if parts["occurs"] else None,
    )


def _record(top: _Entry, entries: deque[_Entry]) -> Record:
    fields = _fields_below(top, entries, offset=0)
    record = Record(name=top.name, length=sum(field.size for field in fields), fields=fields)
    names = [field.name for field in record.walk() if field.name != FILLER]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise top.statement.refusal(f"{top.name} has fields of one name: {', '.join(twice)}")
    return record


def _fields_below(parent: _Entry, entries: deque[_Entry], *, offset: int) -> tuple[Field, ...]:
    fields: list[Field] = []
    level = entries[0].level if entries else 0
    while entries and entries[0].level > parent.level:
        entry = entries.popleft()
        if entry.level != level:
            raise entry.statement.refusal(f"level {entry.level:02} stands among fields of level {level:02}")
        below = _fields_below(entry, entries, offset=offset)
        fields.append(_group(entry, below, offset=offset) if below else _elementary(entry, offset=offset))
        offset += fields[-1].size
    if not fields and parent.picture is None:
        raise parent.statement.refusal(f"{parent.name} has neither a picture nor fields")
    return tuple(fields)


def _group(entry: _Entry, fields: tuple[Field, ...], *, offset: int) -> Field:
    if entry.picture or entry.packed:
        raise entry.statement.refusal(f"{entry.name} has both a picture and fields")
    return Field(
        name=entry.name,
        kind=Kind.GROUP,
        offset=offset,
        length=sum(field.size for field in fields),
        occurs=entry.occurs,
        fields=fields,
    )


def _elementary(entry: _Entry, *, offset: int) -> Field:
    picture = _REPEATED.sub(lambda part: part[1] * int(part[2]), entry.picture or "")
    number = _NUMBER.fullmatch(picture)
    if number is not None:
        return _number(entry, number, offset=offset)
    if entry.packed or not picture or picture.strip("X"):
        raise entry.statement.refusal(f"{entry.name}: the picture is not understood")
    return Field(
        name=entry.name,
        kind=Kind.TEXT,
        offset=offset,
        length=len(picture),
        occurs=entry.occurs,
        conditions=entry.conditions,
    )


def _number(entry: _Entry, picture: re.Match[str], *, offset: int) -> Field:
    if entry.packed != bool(picture["sign"]):
        raise entry.statement.refusal(f"{entry.name}: a number is PIC 9, or PIC S9 with COMP-3")
    scale = len(picture["fraction"] or "")
    digits = len(picture["whole"]) + scale
    if digits > MOST_DIGITS:
        raise entry.statement.refusal(f"{entry.name}: more than {MOST_DIGITS} digits")
    return Field(
        name=entry.name,
        kind=Kind.PACKED if entry.packed else Kind.ZONED,
        offset=offset,
        length=digits // 2 + 1 if entry.packed else digits,
        digits=digits,
        scale=scale,
        occurs=entry.occurs,
        conditions=entry.conditions,
    )
