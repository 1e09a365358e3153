"""Checks of a request by the contract alone, before any code of a service sees it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast

from google.protobuf import json_format, struct_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from chassis import check_digit, contract
from chassis.errors import InvalidArgument, Violation

LARGEST_REQUEST_BYTES = 1024 * 1024
MALFORMED = "MALFORMED"
"""Reason of the error for a body that cannot be parsed."""
_FIELD_IN_ERROR = re.compile(r"Failed to parse (\w+) field: ")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_UNKNOWN_FIELD = re.compile(r'Message type "[\w.]+" has no field named "(\w+)"')
_MOST_FAULTS = 500
_NUL = "holds a NUL character"


def parse_binary(message: type[Message], body: bytes) -> Message:
    """Parses a gRPC request. Raises InvalidArgument if the body is not that message."""
    try:
        return message.FromString(body)
    except DecodeError as cause:
        raise InvalidArgument(MALFORMED, "the body is not the method's request message") from cause


def parse_json(message: type[Message], body: bytes) -> Message:
    """Parses a JSON request. Raises InvalidArgument, naming the field if the parser does, and never the value."""
    try:
        if not body.lstrip().startswith(b"{"):
            raise ValueError("not an object")
        return json_format.Parse(body.decode("utf-8"), message())
    except json_format.ParseError as cause:
        raise _named(str(cause)) from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InvalidArgument(MALFORMED, "the body is not JSON of the method's request message") from None


def _named(text: str) -> InvalidArgument:
    # The parser's text quotes the value, which may be written to look like that text: names are taken from its head.
    names, at = [], 0
    while found := _FIELD_IN_ERROR.match(text, at):
        names.append(found[1])
        at = found.end()
    unknown = _UNKNOWN_FIELD.match(text, at)
    if unknown and _PLAIN_NAME.fullmatch(unknown[1]):
        return InvalidArgument.of(Violation(field=unknown[1], description="no such field"), reason=MALFORMED)
    if names:
        return InvalidArgument.of(Violation(field=".".join(names), description="not of its type"), reason=MALFORMED)
    return InvalidArgument(MALFORMED, "the body is not JSON of the method's request message")


def check(request: Message) -> None:
    """Raises InvalidArgument naming each required field that is absent and each value that cannot be stored.

    It stops when one error could not name more.
    """
    faults = _Faults()
    _search_message(faults, request, None)
    if faults.found:
        faults.refuse()


Path: TypeAlias = "tuple[Path | None, str | int] | None"
"""The place of a value: its parent's place, and a field name or a list index. It becomes text only for a fault."""


@dataclass
class _Faults:
    """The faults found so far."""

    found: list[Violation] = field(default_factory=list)

    def add(self, path: Path, description: str) -> None:
        self.found.append(Violation(field=_written(path), description=description))
        if len(self.found) == _MOST_FAULTS:
            self.refuse()

    def refuse(self) -> None:
        raise InvalidArgument.of(*self.found)


def _written(path: Path) -> str:
    parts: list[str] = []
    while path is not None:
        path, part = path
        parts.append(f"[{part}]" if isinstance(part, int) else f".{part}")
    return "".join(reversed(parts)).removeprefix(".")


Search = Callable[[_Faults, Any, Path], None]


def _search_message(faults: _Faults, message: Message, path: Path) -> None:
    plan = _plan(message.DESCRIPTOR)
    for name, has_presence in plan.required:
        if not (message.HasField(name) if has_presence else getattr(message, name)):
            faults.add((path, name), "is required")
    for name in plan.texts:
        if "\x00" in getattr(message, name):
            faults.add((path, name), _NUL)
    for name, has_presence, search in plan.others:
        if message.HasField(name) if has_presence else getattr(message, name):
            search(faults, getattr(message, name), (path, name))


def _search_value(faults: _Faults, value: struct_pb2.Value, path: Path) -> None:
    """Checks a JSON value, the commonest message in requests."""
    match value.WhichOneof("kind"):
        case "bool_value":
            pass
        case "string_value":
            _search_text(faults, value.string_value, (path, "string_value"))
        case "number_value":
            _search_number(faults, value.number_value, (path, "number_value"))
        case _:
            _search_message(faults, value, path)


class _Plan(NamedTuple):
    """The fields to check in one kind of message; the flag says whether the field has presence."""

    required: tuple[tuple[str, bool], ...]
    texts: tuple[str, ...]
    others: tuple[tuple[str, bool, Search], ...]


@cache
def _plan(descriptor: Descriptor) -> _Plan:
    searches = [(part, search) for part in descriptor.fields if (search := _search(part)) is not None]
    return _Plan(
        required=tuple((part.name, part.has_presence) for part in contract.required_fields(descriptor)),
        texts=tuple(part.name for part, search in searches if search is _search_text),
        others=tuple((part.name, part.has_presence, search) for part, search in searches if search is not _search_text),
    )


def _search(part: FieldDescriptor) -> Search | None:
    """Returns the check of a field's value; None if no value can be at fault."""
    if _is_map(part):
        return _search_map(cast(Descriptor, part.message_type))
    search = _search_one(part)
    return _each(search) if search and part.is_repeated else search


def _search_one(part: FieldDescriptor) -> Search | None:
    if part.message_type is not None:
        return _search_value if part.message_type.full_name == "google.protobuf.Value" else _search_message
    if part.enum_type is not None:
        return _search_enum(part.enum_type)
    if part.type == FieldDescriptor.TYPE_STRING:
        return _search_claim_ref if part.name == "claim_ref" else _search_text
    if part.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return _search_number
    return None


def _each(search: Search) -> Search:
    def search_all(faults: _Faults, values: Any, path: Path) -> None:
        for index, value in enumerate(values):
            search(faults, value, (path, index))

    return search_all


def _search_map(entry: Descriptor) -> Search:
    # Keys are the caller's own words: they are not part of the path.
    in_key, in_value = (_search_one(part) for part in entry.fields)

    def search_entries(faults: _Faults, values: Any, path: Path) -> None:
        for key, value in values.items():
            if in_key:
                in_key(faults, key, path)
            if in_value:
                in_value(faults, value, path)

    return search_entries


def _search_enum(kind: EnumDescriptor) -> Search:
    def search_kind(faults: _Faults, value: Any, path: Path) -> None:
        if value not in kind.values_by_number:
            faults.add(path, "is not a value of the enumeration")

    return search_kind


def _search_text(faults: _Faults, value: Any, path: Path) -> None:
    if "\x00" in value:
        faults.add(path, _NUL)


def _search_claim_ref(faults: _Faults, value: Any, path: Path) -> None:
    # Before it is looked for: an error about a record names its reference, and this may be anything.
    if not check_digit.has_form(value):
        faults.add(path, "is not in the form of a claim reference")


def _search_number(faults: _Faults, value: Any, path: Path) -> None:
    if not math.isfinite(value):
        faults.add(path, "is not a finite number")


def _is_map(part: FieldDescriptor) -> bool:
    return part.message_type is not None and bool(part.message_type.GetOptions().map_entry)
