"""The HTTP door: the same methods by the Connect protocol and by gRPC-Web, for browsers, curl and other clients.

Beside them stand the pages of a service, for programs that only fetch a link.
"""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

from flask import Flask, Response, request
from google.protobuf.message import Message
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from chassis import http_protocols, logs, refusals, requests, tracing
from chassis.chain import CONCURRENT_CALLS, Chain, Method
from chassis.contract import USUAL_LARGEST_BYTES
from chassis.errors import CmsError, Internal, InvalidArgument, PermissionDenied, ResourceExhausted, Unimplemented
from chassis.http_connections import Bounds
from chassis.http_protocols import CONTENT_TYPES, UnknownMediaType
from chassis.http_server import HttpServer
from chassis.http_tls import HttpTls
from chassis.origins import Origins
from chassis.plain_pages import Page, Pages
from chassis.wsgi_bridge import NAMES_OF_CALLER, REFUSAL, WsgiBridge

_WIRE = 2
"""A body may be so many times as long as its message: in base64, or in a frame."""


class HttpDoor:
    """Flask on a server in a thread of the service's process."""

    def __init__(
        self,
        chain: Chain,
        *,
        host: str,
        port: int,
        origins: Origins,
        bounds: Bounds,
        pages: Sequence[Page] = (),
        tls: HttpTls | None = None,
    ) -> None:
        def largest_body(path: str) -> int:
            method = chain.methods.get(path)
            return _WIRE * (method.largest_bytes if method else USUAL_LARGEST_BYTES)

        bridge = WsgiBridge(
            application(chain, origins, pages),
            threads=CONCURRENT_CALLS,
            largest_body=largest_body,
            bounds=bounds,
        )
        self._server = HttpServer(bridge, name="http", host=host, port=port, bounds=bounds, tls=tls)
        self.port = self._server.port

    @property
    def is_serving(self) -> bool:
        """Whether the door has been opened and its server has not ended."""
        return self._server.is_serving

    def start(self) -> None:
        """Serves."""
        self._server.start()

    def stop(self, drain_seconds: float) -> None:
        """Refuses new connections, answers requests on open ones, and ends after at most `drain_seconds`."""
        self._server.stop(drain_seconds)


def application(chain: Chain, origins: Origins, pages: Sequence[Page] = ()) -> Flask:
    """Returns the application: a route for every method of the chain, and one for each page."""
    app = Flask("cms3", static_folder=None)
    app.url_map.merge_slashes = False

    @app.before_request
    def begin() -> Response | None:
        tracing.enter(tracing.child_of(request.headers.get("Traceparent")))
        if REFUSAL in request.environ:
            raise request.environ[REFUSAL]
        return _preflight(origins)

    @app.route("/<service>/<name>", methods=("GET", "POST"), provide_automatic_options=False)
    def unary(service: str, name: str) -> Response:  # noqa: ARG001 - the chain knows methods by their path
        return _answer(chain)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(http_protocols.HEADERS)
        response.headers["Traceparent"] = tracing.current()
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        response.vary.update(origins.vary)
        response.headers.update(origins.headers(request.headers.get("Origin")))
        return response

    _add_pages(app, Pages(pages))
    _refuse_in_form(app, chain)
    return app


def _add_pages(app: Flask, pages: Pages) -> None:
    """Has each page answered at its path."""

    def view(page: Page, key: str) -> Response:
        try:
            document = pages.answer(page, key)
        except CmsError as error:  # counted and logged with the pages
            response = http_protocols.connect_error(error)
            if isinstance(error, ResourceExhausted):
                response.headers["Retry-After"] = str(page.retry_after_seconds)
            return response
        return Response(document.body, content_type=document.content_type)

    for page in pages.pages:
        app.add_url_rule(page.path, endpoint=page.path, view_func=partial(view, page), provide_automatic_options=False)


def _refuse_in_form(app: Flask, chain: Chain) -> None:
    """Has every refusal answered in the caller's protocol, whoever finds it."""

    @app.errorhandler(CmsError)
    def refuse(error: CmsError) -> Response:
        return _refuse(error)

    @app.errorhandler(UnknownMediaType)
    def refuse_media_type(error: UnknownMediaType) -> Response:
        response = _refuse(error, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        response.headers["Accept-Post"] = ", ".join(CONTENT_TYPES)
        return response

    @app.errorhandler(MethodNotAllowed)
    def refuse_verb(_error: MethodNotAllowed) -> Response:
        method = chain.methods.get(request.path)
        if method is None:
            return _refuse(_no_such_method())
        allowed = ", ".join(_verbs(method))
        response = _refuse(Unimplemented("VERB", f"this path takes {allowed}"), status=HTTPStatus.METHOD_NOT_ALLOWED)
        response.headers["Allow"] = allowed
        return response

    @app.errorhandler(NotFound)
    def refuse_path(_error: NotFound) -> Response:
        return _refuse(_no_such_method(), status=HTTPStatus.NOT_FOUND)

    @app.errorhandler(HTTPException)
    def refuse_by_http(_error: HTTPException) -> Response:
        return _refuse(InvalidArgument(requests.MALFORMED, "the request cannot be read"))

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        logs.get().error("HTTP door failed", error=type(error).__name__, location=logs.location_of(error))
        return _refuse(Internal("DEFECT", f"a defect of the platform, trace {tracing.trace_id()}"))


def _answer(chain: Chain) -> Response:
    method = _method_of(chain)
    if request.method not in _verbs(method):
        raise MethodNotAllowed
    protocol = http_protocols.protocol_of(request)
    metadata = {name.lower(): value for name, value in request.headers.items()}

    def read() -> Message:
        return protocol.read(method.request, largest_bytes=method.largest_bytes)

    try:
        return protocol.respond(
            chain.handle(method, read, metadata, protocol.timeout_seconds, names=request.environ.get(NAMES_OF_CALLER))
        )
    except CmsError as error:  # counted and logged by the chain
        return protocol.refuse(error)


def _method_of(chain: Chain) -> Method:
    method = chain.methods.get(request.path)
    if method is None:
        raise _no_such_method()
    return method


def _no_such_method() -> Unimplemented:
    return Unimplemented("NO_SUCH_METHOD", "this service has no such method")


def _verbs(method: Method) -> Sequence[str]:
    return ("GET", "POST") if method.only_reads else ("POST",)


def _refuse(error: CmsError, *, status: int | None = None) -> Response:
    refusals.note(error, door="http")
    return http_protocols.refusal(request, error, status=status)


def _preflight(origins: Origins) -> Response | None:
    """Answers a browser that asks whether a page may call; None for every other request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    if not origins.allow(request.headers.get("Origin")):
        raise PermissionDenied("ORIGIN", "pages of this origin may not call: see CMS_CORS_ORIGINS")
    return Response(status=HTTPStatus.NO_CONTENT, headers=origins.preflight_headers())
