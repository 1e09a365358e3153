"""The gRPC door: bytes in, bytes out, the chain between; with health and a graceful drain.

An event loop receives a call and its message; only then a thread takes it. So a call without a message holds no thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined]  # its types leave it out
from grpc_status import rpc_status

from chassis import grpc_reflection, refusals, requests, tracing
from chassis.chain import CONCURRENT_CALLS, Chain, Method
from chassis.details import details_of
from chassis.errors import CmsError, InvalidArgument, Unimplemented
from chassis.grpc_bounds import Bounds, Places, WaitingRoom, address_of
from chassis.loops import LoopThread
from chassis.tls import Certificate, names_of, server_credentials

Context = Any  # grpc.aio.ServicerContext, whose types do not know that bytes are read and written
Messages = AsyncIterator[Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Handlers = dict[str, Handler]

_DOOR = "grpc"
_STREAMS_OF_A_CONNECTION = 128
_LARGEST_METADATA_BYTES = 16 * 1024
_REFUSED_WITH_REASON = 4
"""A message up to so many times too large is refused by the door, a larger one by the library, which gives no reason."""
_COMPRESSED_FROM_BYTES = 4096
"""Smaller responses are not worth the processor that it takes."""
_LAST_SECONDS = 1.0
"""How long a drain waits for the message of a call that has begun, and for clients to close their connections."""
_LOOK_SECONDS = 0.05


def _options(bounds: Bounds, largest_bytes: int) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.max_receive_message_length", largest_bytes),  # as it comes, and unpacked
        ("grpc.max_metadata_size", _LARGEST_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _LARGEST_METADATA_BYTES),
        ("grpc.max_concurrent_streams", _STREAMS_OF_A_CONNECTION),
        ("grpc.max_allowed_incoming_connections", bounds.connections),
        ("grpc.server_handshake_timeout_ms", int(bounds.message_seconds * 1000)),
        ("grpc.default_compression_level", 1),  # for clients that accept it
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.max_connection_idle_ms", 300_000),
        ("grpc.max_connection_age_ms", 600_000),
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.so_reuseport", 0),
    )


@cache
def _loop() -> LoopThread:
    """The event loop of all doors of a process: for an event of one door the library wakes every loop that it knows."""
    return LoopThread("grpc")


class GrpcDoor:
    """A gRPC server for the services of a chain, for callers with a certificate of the authority.

    With `reflection` it describes them to whoever asks.
    """

    def __init__(
        self, chain: Chain, *, host: str, port: int, certificate: Certificate, bounds: Bounds, reflection: bool
    ) -> None:
        self._chain = chain
        self._certificate = certificate
        self._bounds = bounds
        self._open = Places(self._bounds.calls, of_a_peer=self._bounds.calls_of_a_peer)
        self._served = Places(CONCURRENT_CALLS * 2, of_a_peer=CONCURRENT_CALLS * 2)
        self._threads = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="grpc")
        self._services = sorted({method.service for method in chain.methods.values()})
        self._reflection = reflection
        self.port = _loop().run(self._made(f"{host}:{port}"))

    def start(self) -> None:
        """Serves, and says that it does."""
        _loop().run(self._start())

    def stop(self, drain_seconds: float) -> None:
        """Refuses new calls, and lets those in flight finish for at most `drain_seconds`."""
        _loop().run(self._stop(drain_seconds))
        self._threads.shutdown(wait=False)

    async def _made(self, address: str) -> int:
        bounds = self._bounds
        self._begun = WaitingRoom(bounds.begun, of_a_peer=bounds.begun_of_a_peer, seconds=bounds.message_seconds)
        self._streams = WaitingRoom(bounds.streams, of_a_peer=bounds.streams, seconds=bounds.stream_seconds)
        self._health = health_aio.HealthServicer()
        largest = max(method.largest_bytes for method in self._chain.methods.values())
        self._server = grpc.aio.server(options=_options(bounds, _REFUSED_WITH_REASON * largest))
        self._server.add_generic_rpc_handlers([_Handlers(self._handlers(), _unary(self._unknown))])
        return self._server.add_secure_port(address, server_credentials(self._certificate))

    async def _start(self) -> None:
        await self._server.start()
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def _stop(self, drain_seconds: float) -> None:
        await self._health.enter_graceful_shutdown()
        self._begun.hurry(_LAST_SECONDS)
        self._streams.hurry(_LAST_SECONDS)
        stopping = asyncio.ensure_future(self._server.stop(drain_seconds))
        # Clients close when they are told to; others would keep the server until the end of its time.
        await asyncio.wait([stopping], timeout=_LAST_SECONDS)
        while self._open.taken and not stopping.done():
            await asyncio.sleep(_LOOK_SECONDS)
        await self._server.stop(0)
        await stopping

    def _handlers(self) -> Handlers:
        handlers = {path: _unary(partial(self._serve, method)) for path, method in self._chain.methods.items()}
        handlers[f"/{health.SERVICE_NAME}/Check"] = _unary(self._check_health)
        handlers[f"/{health.SERVICE_NAME}/Watch"] = self._stream(self._watch_health, health_pb2.HealthCheckRequest)
        if self._reflection:
            self._described = grpc_reflection.servicer((*self._services, health.SERVICE_NAME))
            for name in (grpc_reflection.V1, grpc_reflection.ALPHA):
                handlers[f"/{name}/ServerReflectionInfo"] = self._stream(self._reflect, grpc_reflection.Request)
        return handlers

    async def _serve(self, method: Method, context: Context) -> bytes:
        metadata = _enter(context)
        try:
            message = await self._message(context)
            method.expect_size(len(message))
            serving = self._begin(method, message, metadata, context)
        except CmsError as refused:
            return await _refuse(context, refused)
        try:
            response = await serving
        except CmsError as error:
            await _abort(context, error)
        if len(response) < _COMPRESSED_FROM_BYTES:
            context.disable_next_message_compression()
        return response

    async def _message(self, context: Context) -> bytes:
        """Returns the call's message. Raises ResourceExhausted, DeadlineExceeded, InvalidArgument."""
        address = address_of(context.peer())
        context.add_done_callback(self._open.take(address))
        async with self._begun.seat(address):
            message = await context.read()
        if message is grpc.aio.EOF:  # type: ignore[attr-defined]  # its types leave it out
            raise InvalidArgument(requests.MALFORMED, "the call has no message")
        return bytes(message)

    def _begin(
        self, method: Method, message: bytes, metadata: Mapping[str, str], context: Context
    ) -> "asyncio.Future[bytes]":
        """Has a thread serve the call. Raises ResourceExhausted if too many wait for one."""
        place = self._served.take("")
        handle = partial(
            self._chain.handle,
            method,
            partial(requests.parse_binary, method.request, message),
            metadata,
            context.time_remaining(),
            names=names_of(context.auth_context()),
        )
        serving = self._threads.submit(_served, handle)
        serving.add_done_callback(place)
        return asyncio.wrap_future(serving)

    async def _unknown(self, context: Context) -> bytes:
        _enter(context)
        return await _refuse(context, Unimplemented("NO_SUCH_METHOD", "this service has no such method"))

    async def _check_health(self, context: Context) -> bytes:
        _enter(context)
        try:
            request = health_pb2.HealthCheckRequest.FromString(await self._message(context))
        except DecodeError:
            return await _refuse(context, InvalidArgument(requests.MALFORMED, "the body is not a HealthCheckRequest"))
        except CmsError as refused:
            return await _refuse(context, refused)
        found = await self._health.Check(request, context)
        return _serialised(found)

    async def _watch_health(self, messages: Messages, context: Context) -> None:
        async for request in messages:
            await self._health.Watch(request, context)

    async def _reflect(self, messages: Messages, context: Context) -> None:
        async for response in self._described.ServerReflectionInfo(messages, context):
            await context.write(response)

    def _stream(self, serve: Callable[[Messages, Context], Awaitable[None]], request: type[Message]) -> Handler:
        async def stream(messages: Messages, context: Context) -> None:
            _enter(context)
            try:
                async with self._streams.seat(address_of(context.peer())):
                    await serve(messages, context)
            except CmsError as refused:
                await _refuse(context, refused)

        return grpc.stream_stream_rpc_method_handler(stream, request.FromString, _serialised)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its types alone
    """Handlers by the path of a method, and one for every other path."""

    def __init__(self, by_path: Handlers, unknown: Handler) -> None:
        self._by_path = by_path
        self._unknown = unknown

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Returns the handler of a call."""
        return self._by_path.get(handler_call_details.method, self._unknown)


def _unary(serve: Callable[[Context], Awaitable[bytes]]) -> Handler:
    """A handler of single messages. It is told to the library as one of a stream, which lets it wait for the message itself."""

    async def unary(_messages: Messages, context: Context) -> bytes:
        return await serve(context)

    return grpc.stream_unary_rpc_method_handler(unary)


def _serialised(message: Message) -> bytes:
    return message.SerializeToString()


def _served(handle: Callable[[], Message]) -> bytes:
    return handle().SerializeToString()


def _enter(context: Context) -> dict[str, str]:
    """Enters the call's trace, and returns its metadata in which the chain finds it."""
    metadata: dict[str, str] = {}
    for key, value in context.invocation_metadata():
        if isinstance(value, str):  # repeated ones are joined, as by the HTTP door: none passes for the only one
            metadata[key] = f"{metadata[key]},{value}" if key in metadata else value
    tracing.enter(tracing.child_of(metadata.get("traceparent")))
    context.set_trailing_metadata((("traceparent", tracing.current()),))
    return {**metadata, "traceparent": tracing.current()}


async def _refuse(context: Context, error: CmsError) -> NoReturn:
    """Ends a call before the chain has seen it."""
    refusals.note(error, door=_DOOR)
    await _abort(context, error)


async def _abort(context: Context, error: CmsError) -> NoReturn:
    status = rpc_status.to_status(_status(error))
    await context.abort(status.code, status.details, (*status.trailing_metadata, ("traceparent", tracing.current())))
    raise AssertionError("abort raises")


def _status(error: CmsError) -> status_pb2.Status:
    packed = []
    for detail in details_of(error):
        wrapped = AnyMessage()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message, details=packed)
