"""The servers of one machine are started from processes that are busy with gRPC."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis import embedded

STARTS = 200


@pytest.fixture
def busy_with_grpc() -> Iterator[None]:
    """Three threads of this process call a server in this process without pause."""
    server = grpc.server(ThreadPoolExecutor(4))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = threading.Event()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        def call() -> None:
            while not done.is_set():
                stub.Check(health_pb2.HealthCheckRequest(), timeout=10)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        yield
        done.set()
        for thread in threads:
            thread.join()
    server.stop(None).wait()


@pytest.mark.usefixtures("busy_with_grpc")
def test_a_process_busy_with_grpc_starts_the_servers_programs_every_time() -> None:
    command = embedded.as_server_user(["/bin/true"])
    for _ in range(STARTS):
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
        assert (done.returncode, done.stderr) == (0, b"")
