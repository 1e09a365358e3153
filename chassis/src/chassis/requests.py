"""What must hold of every request message, by the contract alone: checked before any code of a service sees it."""

import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
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
        for index, item in enumerate(value) if field.is_repeated and not _is_map(field) else [(None, value)]:
            yield from _value_faults(field, item, path + field.name + ("" if index is None else f"[{index}]"))


def _value_faults(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if _is_map(field):
        # Keys are the caller's own words: they are not part of the path.
        keys, values = cast(Descriptor, field.message_type).fields
        for key in value:
            yield from _value_faults(keys, key, path)
            yield from _value_faults(values, value[key], path)
    elif field.message_type is not None:
        yield from _faults(value, path + ".")
    elif field.enum_type is not None:
        if value not in field.enum_type.values_by_number:
            yield Violation(field=path, description="is not a value of the enumeration")
    elif isinstance(value, str) and "\x00" in value:
        yield Violation(field=path, description="holds a NUL character")
    elif field.name == "claim_ref" and not _CLAIM_REF.fullmatch(value):
        # Before it is looked for: an error about a record names its reference, and this may be anything.
        yield Violation(field=path, description="is not in the form of a claim reference")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Violation(field=path, description="is not a finite number")


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_absent(message: Message, field: FieldDescriptor) -> bool:
    if field.has_presence:
        return not message.HasField(field.name)
    return not getattr(message, field.name)
