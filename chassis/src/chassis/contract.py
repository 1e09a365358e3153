"""The contract's own rules: who may call a method, who hears an event, personal fields, the bounds of a request.

Read from the descriptors of the generated code, so that there is one place to change.
"""

import importlib.util
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import cms
from cms.common.v1 import common_pb2
from cms.options.v1 import options_pb2

USUAL_LARGEST_BYTES = 64 * 1024
"""The largest request of a method that names no other bound."""


@dataclass(frozen=True, kw_only=True)
class EventType:
    """An event of the contract. `name` is short and unique over the platform (`ClaimSubmitted`)."""

    name: str
    source: str
    heard_by: tuple[str, ...]
    message: type[Message]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The most that a field of a request may hold; 0 where the contract says nothing."""

    length: int
    """Characters of a text, bytes of a bytes field; in a Value, of each text and key."""
    entries: int
    """Entries of a repeated field; in a Value, of each list and object."""
    depth: int
    """Levels of lists and objects in a Value."""
    nodes: int
    """Values in a Value."""


@cache
def packages() -> dict[str, str]:
    """The name of each service's package in the contract, by the identity that its `events.proto` gives as `source`."""
    names = [module.name for module in pkgutil.iter_modules(cms.__path__)]
    declared = [name for name in names if importlib.util.find_spec(f"cms.{name}.v1.events_pb2")]
    return {_events_of(name).GetOptions().Extensions[options_pb2.source]: name for name in declared}


def _events_of(package: str) -> FileDescriptor:
    descriptor: FileDescriptor = importlib.import_module(f"cms.{package}.v1.events_pb2").DESCRIPTOR
    return descriptor


@cache
def events() -> dict[str, EventType]:
    """Every event of the contract by its short name."""
    found: dict[str, EventType] = {}
    for service, package in packages().items():
        for descriptor in _events_of(package).message_types_by_name.values():
            heard_by = tuple(descriptor.GetOptions().Extensions[options_pb2.heard_by])
            found[descriptor.name] = EventType(
                name=descriptor.name, source=service, heard_by=heard_by, message=GetMessageClass(descriptor)
            )
    return found


def events_heard_by(service: str) -> dict[str, EventType]:
    """The events that this service hears, by short name."""
    return {name: event for name, event in events().items() if service in event.heard_by}


def sources_heard_by(service: str) -> list[str]:
    """The services whose events this one hears."""
    return sorted({event.source for event in events_heard_by(service).values()})


def allowed_roles(method: MethodDescriptor) -> frozenset[str]:
    """Names of the roles that may call the method (`OPERATOR`); empty: nobody."""
    allow = method.GetOptions().Extensions[options_pb2.allow]
    return frozenset(common_pb2.Role.Name(role).removeprefix("ROLE_") for role in allow)


def called_by(method: MethodDescriptor) -> frozenset[str]:
    """The services and systems that may call the method as themselves, by the subject of their token."""
    return frozenset(method.GetOptions().Extensions[options_pb2.called_by])


def delegated_to(method: MethodDescriptor) -> frozenset[str]:
    """The services that may call the method for a person."""
    return frozenset(method.GetOptions().Extensions[options_pb2.delegated_to])


@cache
def services_called_by(subject: str) -> tuple[str, ...]:
    """The services that have a method which this service or system may call: it has a token for each of them."""
    return tuple(sorted(service for service, package in packages().items() if _may_call(subject, package)))


def _may_call(subject: str, package: str) -> bool:
    file: FileDescriptor = importlib.import_module(f"cms.{package}.v1.{package}_pb2").DESCRIPTOR
    methods = (method for service in file.services_by_name.values() for method in service.methods)
    return any(subject in called_by(method) | delegated_to(method) for method in methods)


def only_reads(method: MethodDescriptor) -> bool:
    """Whether the method changes nothing (`idempotency_level` NO_SIDE_EFFECTS); rows of the access log do not count."""
    return method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS


def largest_bytes(method: MethodDescriptor) -> int:
    """The largest request of the method, in bytes."""
    return int(method.GetOptions().Extensions[options_pb2.largest_bytes]) or USUAL_LARGEST_BYTES


@cache
def bounds(field: FieldDescriptor) -> Bounds:
    """The bounds of a field."""
    given = field.GetOptions().Extensions
    return Bounds(
        length=given[options_pb2.max_length],
        entries=given[options_pb2.max_entries],
        depth=given[options_pb2.max_depth],
        nodes=given[options_pb2.max_nodes],
    )


@cache
def required_fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Fields of a message that carry `field_behavior` REQUIRED."""
    behaviour = field_behavior_pb2.field_behavior
    return tuple(
        field for field in descriptor.fields if field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[behaviour]
    )


@cache
def holds_fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Fields of a message that are messages of the contract themselves."""
    return tuple(
        field
        for field in descriptor.fields
        if field.message_type is not None and field.message_type.full_name.startswith("cms.")
    )


def children(message: Message) -> Iterator[tuple[str, Message]]:
    """The messages of the contract that are set in this one, each with its path (`answers[2]`)."""
    for field in holds_fields(message.DESCRIPTOR):
        if field.is_repeated:
            for index, item in enumerate(getattr(message, field.name)):
                yield f"{field.name}[{index}]", item
        elif message.HasField(field.name):
            yield field.name, getattr(message, field.name)


def is_personal(descriptor: Descriptor) -> bool:
    """Whether the contract marks the message as personal."""
    return bool(descriptor.GetOptions().Extensions[options_pb2.personal])


@cache
def may_hold_personal(descriptor: Descriptor) -> bool:
    """Whether the message or any below it is marked as personal."""
    return is_personal(descriptor) or any(may_hold_personal(field.message_type) for field in holds_fields(descriptor))


def carries_personal(message: Message) -> bool:
    """Whether this message carries anything personal, itself or in a message below it."""
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    if not may_hold_personal(descriptor):
        return False
    return is_personal(descriptor) or any(carries_personal(child) for _, child in children(message))
