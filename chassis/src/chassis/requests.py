"""What must hold of every request message, by the contract alone: checked before any code of a service sees it."""

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from chassis import contract
from chassis.errors import InvalidArgument, Violation

LARGEST_REQUEST_BYTES = 1024 * 1024
MALFORMED = "MALFORMED"
"""Reason of the error for a body that cannot be parsed."""
_FIELD_IN_ERROR = re.compile(r"Failed to parse (\w+) field: ")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_UNKNOWN_FIELD = re.compile(r'Message type "[\w.]+" has no field named "(\w+)"')
_MOST_FAULTS = 500
_CLAIM_REF = re.compile(r"C[0-9A-HJKMNP-TV-Z]{11}")


def parse_binary(message: type[Message], body: bytes) -> Message:
    """The message of a gRPC request. Raises InvalidArgument for what is no such message."""
    try:
        return message.FromString(body)
    except DecodeError as cause:
        raise InvalidArgument(MALFORMED, "the body is not the method's request message") from cause


def parse_json(message: type[Message], body: bytes) -> Message:
    """The message of a JSON request. Raises InvalidArgument that names the field, where the parser does; never a value."""
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
    """Raises InvalidArgument naming each required field that is absent, and each with a value that nothing can hold.

    It stops looking where one error could not name more.
    """
    violations = list(islice(_faults(request, ""), _MOST_FAULTS))
    if violations:
        raise InvalidArgument.of(*violations)


def _faults(message: Message, path: str) -> Iterator[Violation]:
    for field in contract.required_fields(message.DESCRIPTOR):
        if _is_absent(message, field):
            yield Violation(field=path + field.name, description="is required")
    for field, value in message.ListFields():
        find = _search(field)
        if find is not None:
            yield from find(field, value, path + field.name)


Search = Callable[[FieldDescriptor, Any, str], Iterator[Violation]]


@cache
def _search(field: FieldDescriptor) -> Search | None:
    """How faults are found in a field's value; None where there can be none."""
    if _is_map(field):
        return _map_faults
    find = _search_one(field)
    return _each(find) if find and field.is_repeated else find


def _search_one(field: FieldDescriptor) -> Search | None:
    if field.message_type is not None:
        return lambda _field, value, path: _faults(value, path + ".")
    if field.enum_type is not None:
        return _enum_faults
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text_faults
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return _number_faults
    return None


def _each(find: Search) -> Search:
    def of_all(field: FieldDescriptor, values: Any, path: str) -> Iterator[Violation]:
        for index, value in enumerate(values):
            yield from find(field, value, f"{path}[{index}]")

    return of_all


def _map_faults(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    # Keys are the caller's own words: they are not part of the path.
    for part, given in zip(cast(Descriptor, field.message_type).fields, (value, value.values()), strict=True):
        find = _search_one(part)
        for one in given if find else ():
            yield from cast(Search, find)(part, one, path)


def _enum_faults(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if value not in cast(EnumDescriptor, field.enum_type).values_by_number:
        yield Violation(field=path, description="is not a value of the enumeration")


def _text_faults(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if "\x00" in value:
        yield Violation(field=path, description="holds a NUL character")
    elif field.name == "claim_ref" and not _CLAIM_REF.fullmatch(value):
        # Before it is looked for: an error about a record names its reference, and this may be anything.
        yield Violation(field=path, description="is not in the form of a claim reference")


def _number_faults(_field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if not math.isfinite(value):
        yield Violation(field=path, description="is not a finite number")


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_absent(message: Message, field: FieldDescriptor) -> bool:
    if field.has_presence:
        return not message.HasField(field.name)
    return not getattr(message, field.name)
