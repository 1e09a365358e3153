"""Reflection by both of its names: `grpc.reflection.v1`, and `v1alpha`, for which older clients still ask.

The library knows v1alpha alone. v1 is the same service with the same messages in a package of another name.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

ALPHA: str = reflection.SERVICE_NAME
V1 = ALPHA.replace("v1alpha", "v1")

Request = reflection_pb2.ServerReflectionRequest


def servicer(names: Iterable[str]) -> Any:
    """Returns what describes these services, and reflection by both names."""
    _describe_v1()
    return reflection.aio.ReflectionServicer((*names, V1, ALPHA))  # type: ignore[attr-defined]  # its types leave it out


@cache
def _describe_v1() -> None:
    """Adds the descriptor of v1 to those that reflection finds."""
    described = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(described)
    named = json_format.MessageToJson(described).replace("v1alpha", "v1")
    v1 = json_format.Parse(named, FileDescriptorProto())
    descriptor_pool.Default().AddSerializedFile(v1.SerializeToString())
