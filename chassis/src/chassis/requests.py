"""Checks of a request by the contract alone, before any code of a service sees it.

The doors refuse what is too large (`Method.expect_size`). Then comes the body, whose bounds are held as it is parsed:

    request = parse_json(method.request, body)      # or parse_binary
    check(request)                                  # required fields, enumerations, times, characters
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from chassis import bounds, check_digit, contract, conversions, enums, json_bodies
from chassis.errors import InvalidArgument, Text
from chassis.faults import NUL, Faults, Path

MALFORMED = json_bodies.MALFORMED
_REQUIRED = Text(en="is required", cy="mae'n ofynnol")
_NOT_A_REFERENCE = Text(en="is not in the form of a claim reference", cy="nid yw ar ffurf cyfeirnod cais")


def parse_binary(message: type[Message], body: bytes) -> Message:
    """Parses a gRPC request. Raises InvalidArgument if the body is not that message, or a field is beyond its bounds."""
    try:
        request = message.FromString(body)
    except DecodeError as cause:
        raise InvalidArgument(MALFORMED, "the body is not the method's request message") from cause
    try:
        bounds.check_message(request)
    except InvalidArgument as refused:
        refused.request = request
        raise
    return request


def parse_json(message: type[Message], body: bytes) -> Message:
    """Parses a JSON request. Raises InvalidArgument naming each field that is not of its type, or beyond its bounds."""
    return json_bodies.parse(message, body)


def check(request: Message) -> None:
    """Writes claim references in their canonical form, so that no later code meets any other.

    Raises InvalidArgument naming each required field that is absent and each value that cannot be stored.
    """
    faults = Faults()
    _search_message(faults, request, None)
    faults.refuse()


Search = Callable[[Faults, Any, Path], None]


def _search_message(faults: Faults, message: Message, path: Path) -> None:
    plan = _plan(message.DESCRIPTOR)
    for name, has_presence in plan.required:
        if not (message.HasField(name) if has_presence else getattr(message, name)):
            faults.add((path, name), _REQUIRED)
    for name in plan.texts:
        if "\x00" in getattr(message, name):
            faults.add((path, name), NUL)
    for name in plan.claim_refs:
        if given := getattr(message, name):
            _write_claim_ref(faults, message, name, check_digit.canonical(given), path)
    for name, has_presence, search in plan.others:
        if message.HasField(name) if has_presence else getattr(message, name):
            search(faults, getattr(message, name), (path, name))


class _Plan(NamedTuple):
    """The fields to check in one kind of message; the flag says whether the field has presence."""

    required: tuple[tuple[str, bool], ...]
    texts: tuple[str, ...]
    claim_refs: tuple[str, ...]
    others: tuple[tuple[str, bool, Search], ...]


@cache
def _plan(descriptor: Descriptor) -> _Plan:
    claim_refs = tuple(part.name for part in descriptor.fields if part.name == "claim_ref")
    searches = [
        (part, search)
        for part in descriptor.fields
        if part.name not in claim_refs and (search := _search(part)) is not None
    ]
    return _Plan(
        required=tuple((part.name, part.has_presence) for part in contract.required_fields(descriptor)),
        texts=tuple(part.name for part, search in searches if search is _search_text),
        claim_refs=claim_refs,
        others=tuple((part.name, part.has_presence, search) for part, search in searches if search is not _search_text),
    )


def _search(part: FieldDescriptor) -> Search | None:
    """Returns the check of a field's value; None if no value can be at fault."""
    search = _search_one(part)
    return _each(search) if search and part.is_repeated else search


def _search_one(part: FieldDescriptor) -> Search | None:
    if part.message_type is not None:
        return _IN_MESSAGES.get(part.message_type.full_name, _search_message)
    if part.enum_type is not None:
        return _search_enum(part.enum_type)
    if part.type == FieldDescriptor.TYPE_STRING:
        return _search_text
    if part.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return _search_number
    return None


def _each(search: Search) -> Search:
    def search_all(faults: Faults, values: Any, path: Path) -> None:
        for index, value in enumerate(values):
            search(faults, value, (path, index))

    return search_all


def _search_enum(kind: EnumDescriptor) -> Search:
    def search_kind(faults: Faults, value: Any, path: Path) -> None:
        if value not in kind.values_by_number:
            faults.add(path, enums.permitted(kind))

    return search_kind


def _search_text(faults: Faults, value: Any, path: Path) -> None:
    if "\x00" in value:
        faults.add(path, NUL)


def _write_claim_ref(faults: Faults, message: Message, name: str, canonical: str | None, path: Path) -> None:
    # Before it is looked for: an error about a record names its reference, and this may be anything.
    if canonical is None:
        faults.add((path, name), _NOT_A_REFERENCE)
    else:
        setattr(message, name, canonical)


def _search_number(faults: Faults, value: Any, path: Path) -> None:
    if not math.isfinite(value):
        faults.add(path, bounds.NOT_FINITE)


def _search_time(faults: Faults, value: Any, path: Path) -> None:
    if not conversions.is_time(value):
        faults.add(path, conversions.NOT_A_TIME)


def _seen_already(_faults: Faults, _value: Any, _path: Path) -> None:
    """For JSON values, which were looked into for their bounds."""


_IN_MESSAGES = {"google.protobuf.Value": _seen_already, "google.protobuf.Timestamp": _search_time}
