"""Handlers that do nothing, on the servers of both doors, in a process as a service's: what a call costs without us.

It prints both ports and serves until its standard input ends.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from flask import Flask, Response

from chassis import tls
from chassis.chain import CONCURRENT_CALLS
from chassis.http_connections import Bounds
from chassis.http_server import HttpServer
from chassis.loops import LoopThread
from chassis.testing import certificate_of
from chassis.wsgi_bridge import WsgiBridge

_SWITCH_SECONDS = 0.0005
"""The same interval as in `chassis.runtime`."""


async def serve_grpc() -> int:
    """Serves one method by gRPC, and returns the port."""
    server = grpc.aio.server(migration_thread_pool=ThreadPoolExecutor(CONCURRENT_CALLS))
    nothing = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bare.v1.Bare", {"Nothing": nothing})])
    port = server.add_secure_port("127.0.0.1:0", tls.server_credentials(certificate_of("intake-svc")))
    await server.start()
    servers.append(server)
    return port


def serve_http() -> int:
    """Serves one route by Flask, and returns the port."""
    app = Flask("bare", static_folder=None)

    @app.post("/bare.v1.Bare/Nothing")
    def nothing() -> Response:
        return Response("{}", mimetype="application/json")

    bridge = WsgiBridge(app, threads=CONCURRENT_CALLS, largest_body=lambda _path: 64 * 1024, bounds=Bounds())
    server = HttpServer(bridge, name="http", host="127.0.0.1", port=0, bounds=Bounds())
    server.start()
    return server.port


servers: list[grpc.aio.Server] = []
"""Kept, for the library ends a server that nobody holds."""

if __name__ == "__main__":
    sys.setswitchinterval(_SWITCH_SECONDS)
    print(LoopThread("grpc").run(serve_grpc()), serve_http(), flush=True)
    sys.stdin.read()
