"""JSON bodies of requests: read strictly, bounded before the message is made, faults told by the contract's field names."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis import bounds, json_types
from chassis.errors import InvalidArgument, Text
from chassis.faults import Faults, Path

MALFORMED = "MALFORMED"
"""Reason of the error for a body that cannot be parsed."""

NO_SUCH_FIELD = Text(en="no such field", cy="nid oes maes o'r enw hwn")

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_SHORT = 100
_LEAVES = "google.protobuf."
"""Messages of this package are a single value in JSON."""
_NOT_TAKEN = (json_format.ParseError, ValueError, RecursionError, SystemError)
"""The errors of the library for a body that it cannot take; the last where half of a surrogate pair stands for a name."""


def parse(message: type[Message], body: bytes) -> Message:
    """Parses a JSON request. Raises InvalidArgument naming each field at fault, and never a value."""
    given = _load(body)
    try:
        bounds.check_json(cast(Descriptor, message.DESCRIPTOR), given)
        return _message_of(message, given)
    except InvalidArgument as refused:
        refused.request = _readable_part(message, given)
        raise


def _message_of(message: type[Message], given: dict[str, Any]) -> Message:
    try:
        return json_format.ParseDict(given, message())
    except _NOT_TAKEN:
        _tell_faults(cast(Descriptor, message.DESCRIPTOR), given)
        raise _malformed("the message is not JSON of the method's request message") from None


def _readable_part(message: type[Message], given: dict[str, Any]) -> Message:
    """The message with those short texts and values of enumerations that are sound."""
    known = bounds.fields_by_json_name(cast(Descriptor, message.DESCRIPTOR))
    found = {
        known[name].json_name: value
        for name, value in given.items()
        if name in known
        and isinstance(value, str | int)
        and len(str(value)) <= _SHORT
        and known[name].message_type is None
        and not known[name].is_repeated
        and _is_taken(known[name], value)
    }
    return json_format.ParseDict(found, message())


def _load(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _malformed("the message is not JSON") from None
    if not isinstance(given, dict):
        raise _malformed("the message is not a JSON object")
    return given


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("an object of the message has a name twice")
    return found


def _no_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _malformed(text: str) -> InvalidArgument:
    return InvalidArgument(MALFORMED, text)


def _tell_faults(descriptor: Descriptor, given: Any) -> None:
    """Raises InvalidArgument naming the fields that the library could not take. Its own texts quote the caller's values."""
    faults = Faults(reason=MALFORMED)
    _message_faults(faults, descriptor, given, None)
    faults.refuse()


def _message_faults(faults: Faults, descriptor: Descriptor, given: Mapping[str, Any], path: Path) -> None:
    known = bounds.fields_by_json_name(descriptor)
    for name, value in given.items():
        part = known.get(name)
        if part is None:
            _unknown_field(faults, name, path)
        elif value is not None:
            _field_faults(faults, part, value, (path, part.name))


def _unknown_field(faults: Faults, name: str, path: Path) -> None:
    # Only what could be a misspelt name is repeated: anything else may be a claimant's words.
    if _PLAIN_NAME.fullmatch(name):
        faults.add((path, name), NO_SUCH_FIELD)
    elif path:
        faults.add(path, NO_SUCH_FIELD)


def _field_faults(faults: Faults, part: FieldDescriptor, value: Any, path: Path) -> None:
    if not part.is_repeated:
        _one_fault(faults, part, value, path)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            _one_fault(faults, part, entry, (path, index))
    else:
        faults.add(path, json_types.A_LIST)


def _one_fault(faults: Faults, part: FieldDescriptor, value: Any, path: Path) -> None:
    inner = part.message_type
    if inner is None or inner.full_name.startswith(_LEAVES):
        if not _is_taken(part, value):
            faults.add(path, json_types.expected(part))
    elif isinstance(value, Mapping):
        _message_faults(faults, inner, value, path)
    else:
        faults.add(path, json_types.expected(part))


def _is_taken(part: FieldDescriptor, value: Any) -> bool:
    """Whether the library takes the value alone."""
    try:
        json_format.ParseDict({part.json_name: [value] if part.is_repeated else value}, _message_with(part))
    except _NOT_TAKEN:
        return False
    return True


def _message_with(part: FieldDescriptor) -> Message:
    return _class_of(part.containing_type)()


@cache
def _class_of(descriptor: Descriptor) -> type[Message]:
    return GetMessageClass(descriptor)
