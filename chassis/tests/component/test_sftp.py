"""The SFTP client against a real server that fails in every way that we know."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from chassis.sftp import Fault, SftpAway, SftpClient, SftpServer

USER = "cms3"


class _Admitting(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._key = key.convert_to_public()
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._key


class Served:
    """An SFTP server over a folder. `hang` stops its answers to reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "served"
        self.folder.mkdir()
        self.own_key, self.host_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.own_key.write_private_key(folder / "key")
        self.host_key.write_public_key(folder / "host.pub")
        self.hang = False
        self._connections: list[asyncssh.SSHServerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._listener = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.address = SftpServer(
            host="127.0.0.1",
            port=self._listener.get_port(),
            user=USER,
            key_file=folder / "key",
            host_key_file=folder / "host.pub",
        )

    async def _listen(self) -> Any:
        served = self

        class Server(asyncssh.SFTPServer):
            def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
                super().__init__(chan, chroot=str(served.folder).encode())

            async def read(self, file_obj: object, offset: int, size: int) -> bytes:
                while served.hang:
                    await asyncio.sleep(0.05)
                found: bytes = super().read(file_obj, offset, size)  # type: ignore[assignment]
                return found

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.host_key],
            server_factory=lambda: _Admitting(self.own_key, self._connections),
            sftp_factory=Server,
        )

    def stop(self) -> None:
        self.hang = False

        async def end() -> None:
            self._listener.close()
            await self._listener.wait_closed()
            for connection in self._connections:
                connection.abort()
                await connection.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def client(served: Served) -> Iterator[SftpClient]:
    opened = SftpClient(served.address)
    yield opened
    opened.close()


def fault_of(work: Callable[[], object]) -> Fault:
    with pytest.raises(SftpAway) as caught:
        work()
    return caught.value.fault


def read(client: SftpClient, *, seconds: float = 10.0, most_bytes: int = 100) -> bytes | None:
    with client.within(seconds=seconds, most_bytes=most_bytes) as files:
        found = files.read("file", most_bytes=most_bytes)
    return found[1] if found else None


def test_a_file_is_written_whole_and_read_back(client: SftpClient, served: Served) -> None:
    content = bytes(range(256)) * 1000

    with client.within(seconds=10, most_bytes=len(content)) as files:
        files.write_whole("file", b"older")
        files.write_whole("file", content)
        state, found = files.read("file", most_bytes=len(content)) or (None, b"")

    assert found == content
    assert state is not None
    assert state.size == len(content)
    assert [one.name for one in served.folder.iterdir()] == ["file"]


def test_a_file_that_is_not_there_is_none(client: SftpClient) -> None:
    with client.within(seconds=10) as files:
        assert files.state("file") is None
        assert files.read("file", most_bytes=10) is None
        assert files.remove("file") is False


def test_blocks_share_a_connection_and_outlive_its_end(client: SftpClient, served: Served) -> None:
    (served.folder / "file").write_bytes(b"1")
    assert read(client) == b"1"
    first = client._open
    assert read(client) == b"1"
    assert client._open is first

    client.reset()
    assert read(client) == b"1"
    assert client._open is not first


def test_a_server_that_does_not_answer_is_left_at_the_deadline(client: SftpClient, served: Served) -> None:
    (served.folder / "file").write_bytes(b"1")
    served.hang = True
    began = time.monotonic()

    assert fault_of(lambda: read(client, seconds=0.7)) is Fault.TIMED_OUT
    assert time.monotonic() - began < 5

    served.hang = False
    assert read(client) == b"1"


def test_a_file_that_is_too_long_is_not_read(client: SftpClient, served: Served) -> None:
    (served.folder / "file").write_bytes(b"1" * 101)

    assert fault_of(lambda: read(client)) is Fault.TOO_LONG


def test_a_read_ends_where_more_comes_than_the_block_allows(client: SftpClient, served: Served) -> None:
    (served.folder / "file").write_bytes(b"1" * 10_000_000)

    def greedy() -> None:
        with client.within(seconds=10, most_bytes=10) as files:
            files.read("file", most_bytes=10_000_000)

    assert fault_of(greedy) is Fault.TOO_LONG


def test_refusals_of_the_server_are_told_apart(client: SftpClient, served: Served) -> None:
    (served.folder / "file").mkdir()

    assert fault_of(lambda: read(client)) is Fault.REFUSED


def test_another_host_key_ends_the_login(served: Served, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_public_key(tmp_path / "other.pub")
    client = SftpClient(replace(served.address, host_key_file=tmp_path / "other.pub"))

    assert fault_of(lambda: read(client)) is Fault.HOST_KEY


def test_a_key_that_the_server_does_not_know_is_not_admitted(served: Served, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
    client = SftpClient(replace(served.address, key_file=tmp_path / "other"))

    assert fault_of(lambda: read(client)) is Fault.NOT_ADMITTED


def test_nobody_at_the_address_is_not_connected(served: Served) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = SftpClient(replace(served.address, port=free.getsockname()[1]))

        assert fault_of(lambda: read(client)) is Fault.NOT_CONNECTED


def test_a_port_that_accepts_and_says_nothing_is_left_at_the_deadline(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = SftpClient(replace(served.address, port=silent.getsockname()[1]))
        began = time.monotonic()

        assert fault_of(lambda: read(client, seconds=0.5)) is Fault.TIMED_OUT
        assert time.monotonic() - began < 5


def test_a_server_that_speaks_something_else_is_a_lost_connection(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def talk() -> None:
            taken, _ = other.accept()
            taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
            taken.close()

        thread = threading.Thread(target=talk)
        thread.start()
        client = SftpClient(replace(served.address, port=other.getsockname()[1]))

        assert fault_of(lambda: read(client, seconds=5)) is Fault.CONNECTION_LOST
        thread.join(5)
