"""The SFTP door: one user with a key, a folder in/ (to be written), and others (to be read)."""

import asyncio
import contextlib
import os
import posixpath
import re
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar, cast

import asyncssh
import structlog

from simulators.failures import FailurePlan
from simulators.outage import Outage
from simulators.sftp.failures import DoorFailure, Place

log = structlog.get_logger()

Rule = TypeVar("Rule", bound=DoorFailure)
Watcher = Callable[[str], None]
"""Told the name of a file in in/ whenever a piece of it is written, and when it is renamed to it."""

_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC
_RESET = struct.pack("ii", 1, 0)
PATIENCE_SECONDS = 3600.0


class SftpDoor(Generic[Rule]):
    """Serves SFTP in a thread of its own. Port 0 takes a free one."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        user: str,
        host_key: Path,
        authorized_keys: Path,
        root: Path,
        plan: FailurePlan[Rule],
        outage: Outage[Rule],
        watcher: Watcher | None = None,
        writable: re.Pattern[str] | None = None,
    ) -> None:
        """`writable` is how the names of files in in/ must be, where the interface says so."""
        self._user, self._root, self._plan, self._outage = user, root, plan, outage
        self._watcher, self._writable = watcher, writable
        self._host_key = asyncssh.read_private_key(host_key)
        self._authorized = asyncssh.read_authorized_keys(authorized_keys)
        self._listener = socket.create_server(address, backlog=64)
        self._listener.settimeout(0.0)  # asyncio waits for it
        self._loop = asyncio.new_event_loop()
        self._serving = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name="sftp", daemon=True)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, and return when the thread has ended."""
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()
        self._listener.close()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as conversations:
            while True:
                connection, _ = await self._loop.sock_accept(self._listener)
                conversations.create_task(self._converse(connection))

    async def _converse(self, connection: socket.socket) -> None:
        """Serve one connection to its end. A sender that has gone, or who is not let in, is no error."""
        away = self._outage.starts()
        rule = None if away else self._plan.pick(lambda rule: rule.is_of_door("connection"))
        try:
            if away or (rule and rule.failure == "refuse"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            elif rule and rule.failure == "hang":
                await self._say_nothing(connection)
            else:
                await asyncio.sleep(rule.seconds if rule else 0)
                await self._speak(connection)
        except (asyncssh.Error, OSError) as error:
            log.info("the connection has ended", cause=type(error).__name__)
        except Exception:
            log.exception("unexpected")  # a defect of ours ends this conversation and no other
        finally:
            connection.close()

    async def _say_nothing(self, connection: socket.socket) -> None:
        while await self._loop.sock_recv(connection, 4096):
            pass

    async def _speak(self, connection: socket.socket) -> None:
        speaking = await asyncssh.run_server(
            connection,
            server_factory=lambda: _Entrance(self._user, self._authorized),
            server_host_keys=[self._host_key],
            sftp_factory=self._folders,
            allow_scp=False,
            login_timeout=PATIENCE_SECONDS,
        )
        try:
            await speaking.wait_closed()
        finally:
            speaking.abort()

    def _folders(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return _Folders(
            channel,
            self._root,
            plan=self._plan,
            outage=self._outage,
            watcher=self._watcher,
            writable=self._writable,
        )


class _Entrance(asyncssh.SSHServer):
    """Lets in the one user, by key alone."""

    def __init__(self, user: str, authorized: asyncssh.SSHAuthorizedKeys) -> None:
        self._user = user
        self._authorized = authorized
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    async def begin_auth(self, username: str) -> bool:
        if username == self._user and self._connection:
            self._connection.set_authorized_keys(self._authorized)
        return True

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return False


class _Folders(asyncssh.SFTPServer, Generic[Rule]):
    """The folders as one client sees them, with the failures in force."""

    def __init__(
        self,
        channel: asyncssh.SSHServerChannel[bytes],
        root: Path,
        *,
        plan: FailurePlan[Rule],
        outage: Outage[Rule],
        watcher: Watcher | None,
        writable: re.Pattern[str] | None,
    ) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._connection = channel.get_connection()
        self._plan = plan
        self._outage = outage
        self._watcher = watcher
        self._writable = writable

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a file: for writing in in/ alone."""
        if pflags & _WRITES:
            self._permit(path)
        return super().open(path, pflags, attrs)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write a piece."""
        path = _path_of(file_obj)
        rule = self._pick("write", path)
        if rule and rule.failure == "break_off":
            super().write(file_obj, offset, data[: len(data) // 2])
        await self._begin(rule)
        written = super().write(file_obj, offset, data)
        await self._tell(path)
        await self._end(rule)
        return cast(int, written)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read a piece."""
        rule = await self._begin_at("read", _path_of(file_obj))
        piece = super().read(file_obj, offset, size)
        await self._end(rule)
        return cast(bytes, piece)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file in in/ another name there, which must be free."""
        self._permit(oldpath, newpath)
        rule = await self._begin_at("rename", newpath)
        super().rename(oldpath, newpath)
        await self._tell(newpath)
        await self._end(rule)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file in in/ another name there, in the place of what had it."""
        self._permit(oldpath, newpath)
        rule = await self._begin_at("rename", newpath)
        super().posix_rename(oldpath, newpath)
        await self._tell(newpath)
        await self._end(rule)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """Lists the files in a folder."""
        rule = await self._begin_at("list", path)
        async for name in super().scandir(path):
            yield name
        await self._end(rule)

    def remove(self, path: bytes) -> None:
        """Remove a file from in/."""
        self._permit(path)
        super().remove(path)

    def _permit(self, *paths: bytes) -> None:
        """Raises SFTPPermissionDenied for a path outside in/, and for a name there that is none of the interface."""
        for path in paths:
            folder, name = posixpath.split(posixpath.normpath(posixpath.join(b"/", path)))
            if folder != b"/in":
                raise asyncssh.SFTPPermissionDenied("only in/ is yours to write")
            if self._writable and not self._writable.fullmatch(name.decode(errors="replace")):
                raise asyncssh.SFTPPermissionDenied("a file of this name is not of the interface")

    def _refuse(self, *_: Any, **__: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("folders, links, times and permissions are not yours to change")

    mkdir = rmdir = link = symlink = setstat = lsetstat = fsetstat = _refuse

    def _pick(self, place: Place, path: bytes) -> Rule | None:
        return self._plan.pick(lambda rule: rule.is_of_door(place, path.decode(errors="replace")))

    async def _begin_at(self, place: Place, path: bytes) -> Rule | None:
        rule = self._pick(place, path)
        await self._begin(rule)
        return rule

    async def _begin(self, rule: Rule | None) -> None:
        """Does what a rule wants before a request is carried out."""
        if self._outage.starts():
            self._reset()
        if rule is None:
            return
        if rule.failure == "hang":
            await self._connection.wait_closed()
        if rule.failure in {"hang", "break_off"}:
            self._reset()
        if rule.failure == "system_error":
            raise asyncssh.SFTPFailure("system error")

    async def _tell(self, path: bytes) -> None:
        if self._watcher:
            await asyncio.to_thread(self._watcher, posixpath.basename(path).decode(errors="replace"))

    async def _end(self, rule: Rule | None) -> None:
        """Does what a rule wants after a request was carried out."""
        if rule and rule.failure == "answer_late":
            await asyncio.sleep(rule.seconds)
        if rule and rule.failure == "lose_reply":
            self._reset()

    def _reset(self) -> NoReturn:
        self._connection.abort()
        raise asyncssh.SFTPConnectionLost("the connection is reset, as ordered")


def _path_of(file_obj: object) -> bytes:
    """The path of an open file on our disk."""
    return os.fsencode(cast(BinaryIO, file_obj).name)
