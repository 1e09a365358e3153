"""A client that calls any method of a running service through either door, with the same bodies and the same replies.

client = Client(process=process, service="cms.intake.v1.IntakeService", token=tokens.issue("OPERATOR"), door="grpc")
client.call("GetClaim", claimRef=CLAIM).reason     # "CLAIM_UNKNOWN"
client.once("StartCall", purpose="CALL_PURPOSE_NEW")   # with a new requestId; the body, AssertionError if refused
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import grpc
import httpx
from google.protobuf import descriptor_pool, json_format
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import contract
from chassis.runtime import Process
from chassis.testing.tls import holder_of, open_channel

Door = Literal["grpc", "http"]

HTTP = httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
"""Shared, with tests that ask a door again and again too: making one loads the system's certificates, which takes longer
than a call. It keeps no connection, for which a service that ends would wait a second."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A response as JSON (`code` is `ok`), or an error: its code, its reason and the fields at fault.

    `text` is all that the caller can read.
    """

    code: str = "ok"
    reason: str = ""
    fields: frozenset[str] = frozenset()
    text: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Client:
    """A caller with a token; an empty one is not sent. Bodies are in the JSON form of the contract by either door."""

    process: Process
    service: str
    token: str = ""
    door: Door = "http"
    metadata: Mapping[str, str] = field(default_factory=dict)

    def call(self, method: str, **body: Any) -> Reply:
        """The reply to a call. One of the platform's services calls by gRPC in any case: the HTTP door takes no such call."""
        by_http = self.door == "http" and holder_of(self.token) not in contract.packages()
        return self._by_http(method, body) if by_http else self._by_grpc(method, body)

    def get(self, method: str, **body: Any) -> Any:
        """The body of a response. Raises AssertionError with the error where the call is refused."""
        reply = self.call(method, **body)
        assert reply.code == "ok", reply
        return reply.body

    def once(self, method: str, **body: Any) -> Any:
        """The body of a response to a method that changes something, as a request of its own."""
        return self.get(method, **{"requestId": str(uuid4()), **body})

    def _headers(self) -> dict[str, str]:
        return {**self.metadata, **({"authorization": f"Bearer {self.token}"} if self.token else {})}

    def _by_http(self, method: str, body: Mapping[str, Any]) -> Reply:
        url = f"http://127.0.0.1:{self.process.http.port}/{self.service}/{method}"
        response = HTTP.post(url, json=body, headers=self._headers())
        found = response.json()
        if response.status_code == 200:
            return Reply(body=found, text=response.text)
        details = [detail["debug"] for detail in found["details"]]
        return Reply(
            code=found["code"],
            reason=details[0]["reason"],
            fields=frozenset(fault["field"] for detail in details for fault in detail.get("fieldViolations", [])),
            text=response.text,
        )

    def _by_grpc(self, method: str, body: Mapping[str, Any]) -> Reply:
        descriptor = descriptor_pool.Default().FindServiceByName(self.service).methods_by_name[method]
        request = json_format.ParseDict(dict(body), GetMessageClass(descriptor.input_type)())
        with open_channel(self.process, self.token) as channel:
            unary: Any = channel.unary_unary
            stub = unary(
                f"/{self.service}/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=GetMessageClass(descriptor.output_type).FromString,
            )
            try:
                response = stub(request, metadata=tuple(self._headers().items()), timeout=20)
            except grpc.RpcError as error:
                return _refusal(error)
        found = json_format.MessageToDict(response, always_print_fields_with_no_presence=True)
        return Reply(body=found, text=str(response))


def _refusal(error: Any) -> Reply:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        detail.Unpack(info) or detail.Unpack(bad)
    return Reply(
        code=error.code().name.lower(),
        reason=info.reason,
        fields=frozenset(fault.field for fault in bad.field_violations),
        text=f"{error.details()} {info} {bad}",
    )
