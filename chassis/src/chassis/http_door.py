"""The HTTP door: the same methods as JSON by the Connect protocol's unary form."""

import base64
import json
import re
import threading
from collections.abc import Callable

from flask import Blueprint, Flask, Response, request
from google.protobuf import json_format
from google.protobuf.message import Message

from chassis import requests
from chassis.chain import CONCURRENT_CALLS, Chain, Method
from chassis.details import details_of
from chassis.errors import CmsError, InvalidArgument, ResourceExhausted, Unimplemented, Violation
from chassis.http_server import HttpServer

_STATUS = {
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
_TIMEOUT = re.compile(r"[0-9]{1,10}")
_JSON = "application/json"


def connect_blueprint(chain: Chain) -> Blueprint:
    """A route for every method of the chain."""
    blueprint = Blueprint("connect", __name__)

    @blueprint.post("/<service>/<name>")
    def unary(service: str, name: str) -> Response:
        try:
            return _answer(chain, service, name)
        except CmsError as error:
            return error_response(error)

    return blueprint


def _answer(chain: Chain, service: str, name: str) -> Response:
    method = chain.methods.get(f"/{service}/{name}")
    if method is None:
        raise Unimplemented("NO_SUCH_METHOD", "this service has no such method")
    if request.mimetype != _JSON or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        return Response(status=415, headers={"Accept-Post": _JSON})
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Unimplemented("CONTENT_ENCODING", "compressed bodies are not taken")
    metadata = {key.lower(): value for key, value in request.headers.items()}
    response = chain.handle(method, _reader(method), metadata, _timeout_seconds())
    return Response(
        json_format.MessageToJson(response, always_print_fields_with_no_presence=True, indent=None, ensure_ascii=False),
        mimetype=_JSON,
    )


def _reader(method: Method) -> Callable[[], Message]:
    def read() -> Message:
        if (request.content_length or 0) > requests.LARGEST_REQUEST_BYTES:
            raise ResourceExhausted("TOO_LARGE", "the body is over 1 MiB")
        body = request.stream.read(requests.LARGEST_REQUEST_BYTES + 1)
        if len(body) > requests.LARGEST_REQUEST_BYTES:
            raise ResourceExhausted("TOO_LARGE", "the body is over 1 MiB")
        return requests.parse_json(method.request, body)

    return read


def _timeout_seconds() -> float | None:
    given = request.headers.get("Connect-Timeout-Ms")
    if given is None:
        return None
    if not _TIMEOUT.fullmatch(given):
        raise InvalidArgument.of(Violation(field="Connect-Timeout-Ms", description="must be at most ten digits"))
    return int(given) / 1000


def error_response(error: CmsError) -> Response:
    """An error in the Connect protocol's form."""
    details = [
        {
            "type": detail.DESCRIPTOR.full_name,
            "value": base64.b64encode(detail.SerializeToString()).decode().rstrip("="),
            "debug": json_format.MessageToDict(detail),
        }
        for detail in details_of(error)
    ]
    body = {"code": error.code.lower(), "message": error.message, "details": details}
    return Response(json.dumps(body), status=_STATUS[error.code], mimetype=_JSON)


def _not_found(_error: Exception) -> Response:
    response = error_response(Unimplemented("NO_SUCH_METHOD", "this service has no such method"))
    response.status_code = 404
    return response


class HttpDoor:
    """Waitress in a thread of the service's process."""

    def __init__(self, chain: Chain, *, host: str, port: int) -> None:
        app = Flask("cms3", static_folder=None)
        app.register_blueprint(connect_blueprint(chain))
        app.register_error_handler(404, _not_found)
        self._server = HttpServer(
            app,
            host=host,
            port=port,
            threads=CONCURRENT_CALLS,
            connection_limit=CONCURRENT_CALLS * 4,
            # Far above our own limit, which answers in the protocol's form; Waitress answers in a form of its own.
            max_request_body_size=16 * requests.LARGEST_REQUEST_BYTES,
            ident=None,
            asyncore_use_poll=True,  # select() knows no file descriptor above 1023
            clear_untrusted_proxy_headers=True,
        )
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def start(self) -> None:
        """Serves."""
        self._thread.start()

    def stop(self, drain_seconds: float) -> None:
        """Refuses new connections, answers requests on open ones, and ends after at most `drain_seconds`."""
        self._server.drain(drain_seconds)
