"""Calls any method by either door with raw bytes, for tests that send what no generated client would."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any, Literal

import grpc
import httpx
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import contract
from chassis.testing.tls import holder_of
from cms.operations.v1 import operations_pb2
from cms_local.doors import SERVICE_NAMES
from cms_local.layout import Layout
from tests.support.tls import platform_channel

Door = Literal["json", "grpc"]
_OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["OperationsService"]
_SERVICES = {full_name: service for service, full_name in SERVICE_NAMES.items()}
_SERVICES[_OPERATIONS.full_name] = "scheduling-svc"  # every service serves it; these tests ask one
_PATIENCE_SECONDS = 20.0
_UNKNOWN = "no such field"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The outcome of a call, in the same form for both doors.

    `code` is lower_snake, `ok` for a response, `http_<status>` for what is not the protocol's; `fields` are those at
    fault, `unknown_fields` those of them that the contract does not have; `text` is all that the door said; `body` is the
    response as JSON.
    """

    code: str
    reason: str = ""
    fields: frozenset[str] = frozenset()
    unknown_fields: frozenset[str] = frozenset()
    text: str = ""
    body: Mapping[str, Any] | None = None

    @property
    def refusal(self) -> tuple[str, str, frozenset[str]]:
        """Code, reason and fields."""
        return self.code, self.reason, self.fields


@cache
def methods() -> Mapping[str, MethodDescriptor]:
    """Every method of the contract, by name: no two services have one of the same name."""
    modules = [import_module(f"cms.{package}.v1.{package}_pb2") for package in contract.packages().values()]
    services = [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]
    return {method.name: method for service in [*services, _OPERATIONS] for method in service.methods}


class RawDoors:
    """Both doors of every service of a platform."""

    def __init__(self, layout: Layout) -> None:
        self._client = httpx.Client(timeout=_PATIENCE_SECONDS)
        self._http = {
            name: f"http://127.0.0.1:{layout.http_port(service)}/{name}" for name, service in _SERVICES.items()
        }
        self._layout = layout
        self._channels: dict[tuple[str, str], grpc.Channel] = {}

    def __enter__(self) -> "RawDoors":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()
        for channel in self._channels.values():
            channel.close()

    def ask(self, door: Door, method: str, request: Mapping[str, Any], **metadata: str) -> Answer:
        """Sends a request that is given as JSON; over gRPC it must fit the method's message.

        As one of the platform's services it goes by gRPC in any case: the HTTP door takes no such call.
        """
        token = metadata.get("authorization", "").rpartition(" ")[2]
        if door == "json" and holder_of(token) not in contract.packages():
            return self.by_json(method, json.dumps(request).encode(), **metadata)
        message = GetMessageClass(methods()[method].input_type)()
        return self.by_grpc(method, json_format.ParseDict(dict(request), message).SerializeToString(), **metadata)

    def by_json(self, method: str, body: bytes, **metadata: str) -> Answer:
        """Sends these bytes to the JSON door. Names of `metadata` have underscores for hyphens."""
        headers = {name.replace("_", "-"): value for name, value in metadata.items()}
        answer = self._client.post(
            f"{self._http[methods()[method].containing_service.full_name]}/{method}",
            content=body,
            headers={"Content-Type": "application/json"} | headers,
        )
        return _of_response(answer)

    def by_grpc(self, method: str, body: bytes, **metadata: str) -> Answer:
        """Sends these bytes to the gRPC door."""
        descriptor = methods()[method]
        service = descriptor.containing_service.full_name
        unary: Any = self._channel(service, metadata.get("authorization", "")).unary_unary
        pairs = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        try:
            given = unary(f"/{service}/{method}")(body, timeout=_PATIENCE_SECONDS, metadata=pairs)
        except grpc.RpcError as error:
            return _of_error(error)
        message = GetMessageClass(descriptor.output_type).FromString(given)
        shown = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
        return Answer(code="ok", text=json.dumps(shown), body=shown)

    def _channel(self, service: str, authorization: str) -> grpc.Channel:
        """The channel of the owner of a token to a service, which is opened once."""
        token = authorization.rpartition(" ")[2]
        found = (service, holder_of(token))
        if found not in self._channels:
            self._channels[found] = platform_channel(self._layout, _SERVICES[service], token=token)
        return self._channels[found]


def _of_response(answer: httpx.Response) -> Answer:
    if answer.headers.get("content-type") != "application/json":
        return Answer(code=f"http_{answer.status_code}", text=answer.text)
    body = answer.json()
    if answer.status_code == httpx.codes.OK:
        return Answer(code="ok", text=answer.text, body=body)
    details = [detail["debug"] for detail in body["details"]]
    faults = [fault for detail in details for fault in detail.get("fieldViolations", [])]
    return Answer(
        code=body["code"],
        reason=details[0]["reason"],
        fields=frozenset(fault["field"] for fault in faults),
        unknown_fields=frozenset(fault["field"] for fault in faults if fault["description"] == _UNKNOWN),
        text=answer.text,
    )


def _of_error(error: Any) -> Answer:
    status: Any = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        detail.Unpack(info) or detail.Unpack(bad)
    return Answer(
        code=error.code().name.lower(),
        reason=info.reason,
        fields=frozenset(fault.field for fault in bad.field_violations),
        text=f"{error.details()} {info} {bad}",
    )
