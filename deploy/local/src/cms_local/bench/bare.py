"""The measure: `bench.bare DATABASE_URL [PROCESSOR]` serves a handler that commits one INSERT, no more, and tells its port."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from psycopg_pool import ConnectionPool

from chassis.chain import CONCURRENT_CALLS

_POOL_SIZE = 10


def serve(url: str) -> None:
    """Serves until SIGTERM: as many threads and as large a pool as a service of the platform has."""
    pool = ConnectionPool(url, min_size=_POOL_SIZE, max_size=_POOL_SIZE, open=True)

    def insert(body: bytes, _context: grpc.ServicerContext) -> bytes:
        with pool.connection() as conn:
            conn.execute("INSERT INTO bare (body) VALUES (%s)", [body])
        return b""

    server = grpc.server(ThreadPoolExecutor(CONCURRENT_CALLS), options=(("grpc.so_reuseport", 0),))
    handlers = {"Insert": grpc.unary_unary_rpc_method_handler(insert)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Bare", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    signal.signal(signal.SIGTERM, lambda *_: server.stop(1.0))
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
    pool.close()


if __name__ == "__main__":
    if sys.argv[2:]:
        os.sched_setaffinity(0, {int(sys.argv[2])})
    serve(sys.argv[1])
