"""The contract as the documents need it: services, messages, enumerations and their comments.

Descriptors come from the generated code, which leaves comments out; these come from the compiler.
"""

import pkgutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc_tools
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.type import date_pb2

import cms
from chassis import contract
from cms.common.v1 import common_pb2

PROTO = Path(__file__).resolve().parents[3] / "proto"
_LIST = PROTO.parent / "deploy" / "services.toml"


@cache
def files() -> tuple[FileDescriptor, ...]:
    """Every file of the contract."""
    names = [module.name for module in pkgutil.walk_packages(cms.__path__, "cms.") if module.name.endswith("_pb2")]
    return tuple(import_module(name).DESCRIPTOR for name in sorted(names))


@cache
def listed() -> tuple[Mapping[str, Any], ...]:
    """The services of the list, in their order."""
    return tuple(tomllib.loads(_LIST.read_text())["services"])


def services() -> list[ServiceDescriptor]:
    """Every service of the contract, in the order of the list; what each of these serves beside its own comes last."""
    found = [service for file in files() for service in file.services_by_name.values()]
    order = [entry["contract"] for entry in listed()]
    return sorted(found, key=lambda one: order.index(one.full_name) if one.full_name in order else len(order))


@dataclass(frozen=True)
class Use:
    """The messages and enumerations that requests and responses hold, by full name."""

    requests: dict[str, Descriptor]
    responses: dict[str, Descriptor]
    enums: dict[str, EnumDescriptor]


def use() -> Use:
    """Finds what the methods of all services send and receive."""
    found = Use({}, {}, {})
    for service in services():
        for method in service.methods:
            _collect(method.input_type, found.requests, found.enums)
            _collect(method.output_type, found.responses, found.enums)
    return found


def _collect(message: Descriptor, into: dict[str, Descriptor], enums: dict[str, EnumDescriptor]) -> None:
    if message.full_name in into or not message.full_name.startswith("cms."):
        return
    into[message.full_name] = message
    for field in message.fields:
        if field.enum_type is not None:
            enums[field.enum_type.full_name] = field.enum_type
        elif field.message_type is not None:
            _collect(field.message_type, into, enums)


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request without the field is refused."""
    return field in contract.required_fields(field.containing_type)


def roles(method: MethodDescriptor) -> list[str]:
    """Names of the roles that may call the method, in the contract's order of roles."""
    allowed = contract.allowed_roles(method)
    names = [value.name.removeprefix("ROLE_") for value in common_pb2.Role.DESCRIPTOR.values]
    return [name for name in names if name in allowed]


@cache
def comments() -> dict[str, str]:
    """The comment of every element of the contract, by its full name."""
    return {name: text for file in _compiled().file for name, text in _comments(file)}


def _compiled() -> FileDescriptorSet:
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "cms").rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as scratch:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "grpc_tools.protoc",
                f"-I{PROTO}",
                f"-I{Path(date_pb2.__file__).parents[2]}",
                f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
                "--include_source_info",
                f"--descriptor_set_out={scratch.name}",
                *sources,
            ],
            check=True,
            cwd=PROTO,
        )
        return FileDescriptorSet.FromString(Path(scratch.name).read_bytes())


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_names(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name and location.leading_comments:
            yield name, " ".join(line.strip() for line in location.leading_comments.strip().splitlines())


def _names(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """The full name of each element by its place: numbers of fields of descriptor.proto, and indexes."""
    yield (FileDescriptorProto.PACKAGE_FIELD_NUMBER,), file.package
    for at, message in enumerate(file.message_type):
        yield from _of_message((FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER, at), file.package, message)
    for at, kind in enumerate(file.enum_type):
        yield from _of_enum((FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER, at), file.package, kind)
    for at, service in enumerate(file.service):
        place = (FileDescriptorProto.SERVICE_FIELD_NUMBER, at)
        yield place, f"{file.package}.{service.name}"
        for index, method in enumerate(service.method):
            yield (*place, 2, index), f"{file.package}.{service.name}.{method.name}"


def _of_message(
    place: tuple[int, ...], package: str, message: DescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{package}.{message.name}"
    yield place, name
    for at, field in enumerate(message.field):
        yield (*place, DescriptorProto.FIELD_FIELD_NUMBER, at), f"{name}.{field.name}"
    for at, nested in enumerate(message.nested_type):
        yield from _of_message((*place, DescriptorProto.NESTED_TYPE_FIELD_NUMBER, at), name, nested)
    for at, kind in enumerate(message.enum_type):
        yield from _of_enum((*place, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, at), name, kind)


def _of_enum(place: tuple[int, ...], package: str, kind: EnumDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    yield place, f"{package}.{kind.name}"
    for at, value in enumerate(kind.value):
        yield (*place, EnumDescriptorProto.VALUE_FIELD_NUMBER, at), f"{package}.{kind.name}.{value.name}"
