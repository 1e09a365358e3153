"""For tests: keys, and a client of an SFTP door."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import asyncssh

from simulators.settings import SftpSettings

Result = TypeVar("Result")


def make_keys(folder: Path) -> dict[str, Path]:
    """The host's key and a user's: settings of a stand-in, and `client_key` and `known_hosts` for the client."""
    host, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    folder.mkdir(parents=True, exist_ok=True)
    paths = keys_in(folder)
    host.write_private_key(paths["host_key"])
    client.write_private_key(paths["client_key"])
    client.write_public_key(paths["authorized_keys"])
    paths["known_hosts"].write_bytes(b"* " + host.export_public_key())
    return paths


def keys_in(folder: Path) -> dict[str, Path]:
    """The files that `make_keys` has made in this folder."""
    return {name: folder / name for name in ("host_key", "authorized_keys", "client_key", "known_hosts")}


class SftpClient:
    """A session of SFTP; `patience` is in seconds, for each request."""

    def __init__(
        self,
        settings: SftpSettings,
        keys: Mapping[str, Path],
        port: int,
        *,
        user: str | None = None,
        patience: float = 10.0,
    ) -> None:
        self._patience = patience
        self._loop = asyncio.new_event_loop()
        self._open: AbstractAsyncContextManager[Any] = asyncssh.connect(
            "127.0.0.1",
            port,
            username=user or settings.user,
            client_keys=[str(keys["client_key"])],
            known_hosts=str(keys["known_hosts"]),
            config=None,
            agent_path=None,
        )

    def __enter__(self) -> Self:
        try:
            self._connection = self._wait(self._open.__aenter__())
            self._sftp: asyncssh.SFTPClient = self._wait(self._connection.start_sftp_client())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.abort()
        self._wait(self._connection.wait_closed())
        self._loop.close()

    def upload(self, name: str, content: bytes, *, part: str = ".PART") -> None:
        """Write a file in in/ under another name, and rename it."""
        self.write(f"{name}{part}", content)
        self._wait(self._sftp.rename(f"/in/{name}{part}", f"/in/{name}"))

    def write_pieces(self, name: str, *pieces: bytes) -> None:
        """Write a file in in/ under its own name, a piece a request."""
        self._wait(self._write_pieces(f"/in/{name}", pieces))

    def write(self, name: str, content: bytes, *, folder: str = "in") -> None:
        """Write a file."""
        self._wait(self._write(f"/{folder}/{name}", content))

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        return self._wait(self._read(path))

    def names(self, folder: str) -> list[str]:
        """The names in a folder."""
        return sorted(str(name) for name in self._wait(self._sftp.listdir(folder)) if str(name) not in {".", ".."})

    def changed(self, path: str) -> float:
        """A file's time of change."""
        return float(self._wait(self._sftp.stat(path)).mtime or 0)

    async def _write(self, path: str, content: bytes) -> None:
        async with self._sftp.open(path, "wb") as file:
            await file.write(content)

    async def _write_pieces(self, path: str, pieces: Sequence[bytes]) -> None:
        async with self._sftp.open(path, "wb") as file:
            for piece in pieces:
                await file.write(piece)

    async def _read(self, path: str) -> bytes:
        async with self._sftp.open(path, "rb") as file:
            return cast(bytes, await file.read())

    def _wait(self, asked: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(asyncio.wait_for(asked, timeout=self._patience))
