"""The protocols of the HTTP door: Connect's unary form by POST and by GET, and gRPC-Web; messages in JSON or binary.

https://connectrpc.com/docs/protocol and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md say what is sent. A
protocol reads the message of a request, and writes a response or an error; what happens between is the chain's.
"""

import base64
import binascii
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol as Interface
from urllib.parse import parse_qs, quote

from flask import Request, Response
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

from chassis import compression, requests
from chassis.compression import Encoding
from chassis.details import details_of
from chassis.errors import CmsError, InvalidArgument, Unimplemented, Violation

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""The status of each code, as the Connect protocol sets it."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""The headers of every response."""
_JSON = "application/json"
_GRPC_WEB = "application/grpc-web"
_CONNECT_TIMEOUT = re.compile(r"[0-9]{1,10}")
_GRPC_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_GRPC_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_GZIP = Encoding.GZIP.value
_FRAME = struct.Struct(">BI")
_COMPRESSED, _TRAILERS = 0x01, 0x80
_FLAGS = {Encoding.IDENTITY: 0, Encoding.GZIP: _COMPRESSED}


class UnknownMediaType(Unimplemented):
    """The content type of a POST, or the encoding that a GET names, is none that a method takes."""

    def __init__(self, taken: str) -> None:
        super().__init__("MEDIA_TYPE", taken)


@dataclass(frozen=True)
class Format:
    """How a message is written."""

    name: str
    parse: Callable[[type[Message], bytes], Message]
    write: Callable[[Message], bytes]


def _to_json(message: Message) -> bytes:
    return json_format.MessageToJson(
        message, always_print_fields_with_no_presence=True, indent=None, ensure_ascii=False
    ).encode()


def _to_binary(message: Message) -> bytes:
    return message.SerializeToString()


FORMATS = {
    "json": Format("json", requests.parse_json, _to_json),
    "proto": Format("proto", requests.parse_binary, _to_binary),
}


class Protocol(Interface):
    """Reads one request and writes its response."""

    timeout_seconds: float | None
    """The caller's own limit."""

    def read(self, kind: type[Message], *, largest_bytes: int) -> Message:
        """Returns the request's message. Raises ResourceExhausted, InvalidArgument."""

    def respond(self, message: Message) -> Response:
        """Returns the response with this message."""

    def refuse(self, error: CmsError) -> Response:
        """Returns the response with this error."""


def protocol_of(request: Request) -> Protocol:
    """Returns the protocol that a request speaks.

    Raises UnknownMediaType if it is none of ours, InvalidArgument and Unimplemented for headers that it does not take.
    """
    if request.method == "GET":
        return _ConnectGet(request)
    if request.mimetype in _GRPC_WEB_TYPES:
        return _GrpcWeb(request)
    message_format = _CONNECT_TYPES.get(request.mimetype)
    if message_format is None or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise UnknownMediaType(f"send one of these content types: {', '.join(CONTENT_TYPES)}")
    return _Connect(request, message_format)


def refusal(request: Request, error: CmsError, *, status: int | None = None) -> Response:
    """Returns an error in the form that the caller can read, whether or not the rest of the request is understood.

    `status` is the HTTP status where it is not the one of the error's code; gRPC-Web always has 200.
    """
    if request.mimetype in _GRPC_WEB_TYPES:
        return _grpc_web_error(error, content_type=request.mimetype)
    return connect_error(error, status=status)


def connect_error(error: CmsError, *, status: int | None = None) -> Response:
    """Returns an error in the Connect protocol's form."""
    details = [
        {
            "type": detail.DESCRIPTOR.full_name,
            "value": base64.b64encode(detail.SerializeToString()).decode().rstrip("="),
            "debug": json_format.MessageToDict(detail),
        }
        for detail in details_of(error)
    ]
    body = {"code": error.code.lower(), "message": error.message, "details": details}
    return Response(json.dumps(body), status=status or HTTP_STATUS[error.code], mimetype=_JSON)


class _Connect:
    """Connect's unary form by POST: the body is the message."""

    def __init__(self, request: Request, message_format: Format) -> None:
        self._request = request
        self._format = message_format
        self._encoding = compression.encoding_of(request.headers.get("Content-Encoding", ""))
        self.timeout_seconds = _connect_timeout(request)
        if request.headers.get("Connect-Protocol-Version", "1") != "1":
            raise _bad_field("Connect-Protocol-Version", "must be 1")

    def read(self, kind: type[Message], *, largest_bytes: int) -> Message:
        """Returns the message in the body."""
        body = compression.decoded(self._request.get_data(), self._encoding, largest_bytes=largest_bytes)
        return self._format.parse(kind, body)

    def respond(self, message: Message) -> Response:
        """Returns the message, in gzip if the caller takes that and it is large enough."""
        body = self._format.write(message)
        response = Response(body, mimetype=f"application/{self._format.name}")
        response.vary.add("Accept-Encoding")
        if compression.is_worth_it(body) and self._request.accept_encodings[_GZIP] > 0:
            response.set_data(compression.compressed(body))
            response.content_encoding = _GZIP
        return response

    def refuse(self, error: CmsError) -> Response:
        """Returns the error, which is always JSON."""
        return connect_error(error)


class _ConnectGet(_Connect):
    """Connect's unary form by GET: the message is in the query."""

    def __init__(self, request: Request) -> None:
        self._query = _query_of(request)
        message_format = FORMATS.get(self._query.get("encoding", ""))
        if message_format is None:
            raise UnknownMediaType("send encoding=json or encoding=proto in the query, with the message in message")
        super().__init__(request, message_format)
        self._encoding = compression.encoding_of(self._query.get("compression", ""))
        if self._query.get("connect", "v1") != "v1":
            raise _bad_field("connect", "must be v1")
        if "message" not in self._query:
            raise _bad_field("message", "is required")

    def read(self, kind: type[Message], *, largest_bytes: int) -> Message:
        """Returns the message in the query."""
        message = self._query["message"].encode()
        if self._query.get("base64") == "1":
            message = _from_base64(message, altchars=b"-_")
        return self._format.parse(kind, compression.decoded(message, self._encoding, largest_bytes=largest_bytes))


class _GrpcWeb:
    """gRPC-Web: a frame with the message, and one with the status. The text form is the same in base64."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._format, self._is_text = _GRPC_WEB_TYPES[request.mimetype]
        self._encoding = compression.encoding_of(request.headers.get("Grpc-Encoding", ""))
        self.timeout_seconds = _grpc_timeout(request)

    def read(self, kind: type[Message], *, largest_bytes: int) -> Message:
        """Returns the message in the body's only frame."""
        body = self._request.get_data()
        if self._is_text:
            body = _from_base64(body)
        if len(body) < _FRAME.size:
            raise _not_one_frame()
        flags, length = _FRAME.unpack_from(body)
        message = body[_FRAME.size :]
        encoding = self._encoding if flags else Encoding.IDENTITY
        if flags not in (0, _FLAGS[encoding]) or length != len(message):
            raise _not_one_frame()
        return self._format.parse(kind, compression.decoded(message, encoding, largest_bytes=largest_bytes))

    def respond(self, message: Message) -> Response:
        """Returns the message and the status OK."""
        body, flags = self._format.write(message), 0
        accepted = self._request.headers.get("Grpc-Accept-Encoding", "").lower().replace(" ", "").split(",")
        if compression.is_worth_it(body) and _GZIP in accepted:
            body, flags = compression.compressed(body), _COMPRESSED
        frames = _frame(flags, body) + _trailers({"grpc-status": "0"})
        response = _grpc_web(frames, content_type=self._request.mimetype)
        if flags:
            response.headers["Grpc-Encoding"] = _GZIP
        return response

    def refuse(self, error: CmsError) -> Response:
        """Returns the error as the status."""
        return _grpc_web_error(error, content_type=self._request.mimetype)


_CONNECT_TYPES = {f"application/{name}": message_format for name, message_format in FORMATS.items()}
_GRPC_WEB_TYPES: Mapping[str, tuple[Format, bool]] = {
    f"{_GRPC_WEB}{text}{suffix}": (FORMATS[suffix.removeprefix("+") or "proto"], bool(text))
    for text in ("", "-text")
    for suffix in ("", "+proto", "+json")
}
CONTENT_TYPES = (*_CONNECT_TYPES, *_GRPC_WEB_TYPES)


def _connect_timeout(request: Request) -> float | None:
    given = request.headers.get("Connect-Timeout-Ms")
    if given is None:
        return None
    if not _CONNECT_TIMEOUT.fullmatch(given):
        raise _bad_field("Connect-Timeout-Ms", "must be at most ten digits")
    return int(given) / 1000


def _grpc_timeout(request: Request) -> float | None:
    given = request.headers.get("Grpc-Timeout")
    if given is None:
        return None
    found = _GRPC_TIMEOUT.fullmatch(given)
    if found is None:
        raise _bad_field("Grpc-Timeout", "must be at most eight digits and a unit")
    return int(found[1]) * _GRPC_UNITS[found[2]]


def _packed(detail: Message) -> Any:
    wrapped = Any()
    wrapped.Pack(detail)
    return wrapped


def _grpc_web_error(error: CmsError, *, content_type: str) -> Response:
    code = code_pb2.Code.Value(error.code)
    status = status_pb2.Status(code=code, message=error.message, details=[_packed(one) for one in details_of(error)])
    trailers = {
        "grpc-status": str(code),
        "grpc-message": quote(error.message, safe=" !#$&'()*+,/:;=?@[]"),
        "grpc-status-details-bin": base64.b64encode(status.SerializeToString()).decode().rstrip("="),
    }
    return _grpc_web(_trailers(trailers), content_type=content_type)


def _grpc_web(frames: bytes, *, content_type: str) -> Response:
    _, is_text = _GRPC_WEB_TYPES[content_type]
    return Response(base64.b64encode(frames) if is_text else frames, content_type=content_type)


def _frame(flags: int, body: bytes) -> bytes:
    return _FRAME.pack(flags, len(body)) + body


def _trailers(trailers: Mapping[str, str]) -> bytes:
    return _frame(_TRAILERS, "".join(f"{name}: {value}\r\n" for name, value in trailers.items()).encode())


def _query_of(request: Request) -> Mapping[str, str]:
    """Returns the query's parameters. Raises InvalidArgument if one comes twice or is not in UTF-8."""
    try:
        found = parse_qs(
            request.query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16
        )
    except ValueError:
        raise InvalidArgument(requests.MALFORMED, "the query cannot be read") from None
    if any(len(values) > 1 for values in found.values()):
        raise InvalidArgument(requests.MALFORMED, "a parameter of the query comes twice")
    return {name: values[0] for name, values in found.items()}


def _from_base64(text: bytes, *, altchars: bytes | None = None) -> bytes:
    """Returns the bytes. Padding may be absent; anything else that is not base64 is refused."""
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars, validate=True)
    except binascii.Error:
        raise InvalidArgument(requests.MALFORMED, "the message is not in base64") from None


def _not_one_frame() -> InvalidArgument:
    return InvalidArgument(requests.MALFORMED, "the body is not one whole frame of gRPC-Web")


def _bad_field(name: str, description: str) -> InvalidArgument:
    return InvalidArgument.of(Violation(field=name, description=description))
