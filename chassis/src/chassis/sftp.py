"""Files at another party's SFTP server: every wait has a deadline, everything that is read a bound.

    client = SftpClient(SftpServer(host=..., port=..., user=..., key_file=..., host_key_file=...))
    with client.within(seconds=30) as files:
        files.write_whole("in/NAME.DAT", content)

Whatever goes wrong is one error, `SftpAway`, with a fault of a closed list; the connection is closed then, and the next
block opens a new one. What was under way when it broke off may have been done or not: callers repeat what may be repeated.
"""

import base64
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import paramiko

from chassis import crash
from chassis.errors import Unavailable

_CONNECT_SECONDS = 10.0
_OWN_TRAFFIC = 1_000_000
"""Bytes that a block may take for the protocol itself, beside what it reads."""
_NEVER = float("inf")

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it logs each failure in a dozen lines, and raises it to us


class Fault(StrEnum):
    """The kind of a failure, fit for the label of a metric."""

    NOT_CONNECTED = "NOT_CONNECTED"
    HOST_KEY = "HOST_KEY"
    NOT_ADMITTED = "NOT_ADMITTED"
    TIMED_OUT = "TIMED_OUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    REFUSED = "REFUSED"
    TOO_LONG = "TOO_LONG"


class SftpAway(Unavailable):
    """The server could not be used. The message never holds what was written or read."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__("SFTP_AWAY", message, metadata={"fault": fault})
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class SftpServer:
    """The address of a server, and the keys by which both sides know each other.

    `key_file` is our private key as ssh-keygen writes it, `host_key_file` the server's public key: `type base64 comment`.
    `part` ends the name of a file that is not whole yet, by the interface of the other party.
    """

    host: str
    port: int
    user: str
    key_file: Path
    host_key_file: Path
    part: str = ".PART"


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A reader knows by these that a file was replaced.

    `changed` is in whole seconds of the server's clock, because SFTP has no smaller unit: two versions of one size that
    were written within a second look the same.
    """

    changed: int
    size: int


class SftpClient:
    """A connection that is kept between blocks, for one thread at a time: a second one waits."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._one = threading.Lock()
        self._open: _Open | None = None

    @contextmanager
    def within(self, *, seconds: float, most_bytes: int = 0) -> Iterator["Files"]:
        """A block that takes no longer than `seconds`, connecting included, and reads no more than `most_bytes` of files.

        Raises SftpAway.
        """
        with self._one:
            try:
                yield self._ready(_Allowance(until=time.monotonic() + seconds, bytes=most_bytes + _OWN_TRAFFIC))
                self._rest()
            except BaseException:
                self._drop()
                raise

    def reset(self) -> None:
        """Ends what is under way, with CONNECTION_LOST, and closes the connection; a later block opens a new one."""
        opened = self._open
        if opened is not None:
            opened.line.end()

    def close(self) -> None:
        """Closes the connection once the block under way has ended."""
        self.reset()
        with self._one:
            self._drop()

    def _ready(self, allowance: "_Allowance") -> "Files":
        if self._open is not None and (self._open.line.fault or not self._open.transport.is_active()):
            self._drop()
        if self._open is None:
            self._open = _opened(self._server, allowance)
        self._open.line.allowance = allowance
        return Files(self._open)

    def _rest(self) -> None:
        if self._open is not None:
            self._open.line.allowance = _Allowance(until=_NEVER, bytes=_OWN_TRAFFIC)

    def _drop(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.line.end()
            opened.transport.close()


@dataclass
class _Allowance:
    """How long the line may be used, on time.monotonic()'s scale, and how many bytes may come over it."""

    until: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class _Open:
    """A connection with a session."""

    line: "_Line"
    part: str
    transport: paramiko.Transport
    session: paramiko.SFTPClient


class _Line:
    """A socket to paramiko, which asks it ten times a second: it ends when the time or the bytes are used up.

    Every wait of paramiko's ends with its line, so that none needs a deadline of its own.
    """

    def __init__(self, connection: socket.socket, allowance: _Allowance) -> None:
        self._connection = connection
        self.allowance = allowance
        self.fault: Fault | None = None
        self._closed = False

    def recv(self, size: int) -> bytes:
        """The bytes that came, at most `size`; none at the end."""
        if self._is_over():
            return b""
        received = self._connection.recv(size)
        self.allowance.bytes -= len(received)
        return received

    def send(self, content: bytes) -> int:
        """The number of bytes that went. Raises OSError at the end."""
        if self._is_over():
            raise ConnectionAbortedError("the line has ended")
        return self._connection.send(content)

    def end(self) -> None:
        """Ends it; whoever waits on it gets the end."""
        self.fault = self.fault or Fault.CONNECTION_LOST

    def settimeout(self, seconds: float) -> None:
        """The longest wait of one call."""
        self._connection.settimeout(seconds)

    def close(self) -> None:
        """Closes the socket."""
        self._closed = True
        self._connection.close()

    def _is_over(self) -> bool:
        if self.fault is None and time.monotonic() >= self.allowance.until:
            self.fault = Fault.TIMED_OUT
        if self.fault is None and self.allowance.bytes <= 0:
            self.fault = Fault.TOO_LONG
        return self.fault is not None


class Files:
    """The server's files, inside a block. Paths are relative to the user's folder. Everything raises SftpAway."""

    def __init__(self, opened: _Open) -> None:
        self._session = opened.session
        self._line = opened.line
        self._part = opened.part

    def state(self, path: str) -> FileState | None:
        """The state of a file; None where there is none."""
        with _told(self._line):
            try:
                return _state(self._session.stat(path))
            except FileNotFoundError:
                return None

    def read(self, path: str, *, most_bytes: int) -> tuple[FileState, bytes] | None:
        """A file with the state of just this version; None where there is none. TOO_LONG beyond `most_bytes`."""
        with _told(self._line):
            try:
                opened = self._session.open(path, "rb")
            except FileNotFoundError:
                return None
            with opened:
                state = _state(opened.stat())
                content = opened.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise SftpAway(Fault.TOO_LONG, f"{path} has more than {most_bytes} bytes")
        return state, content

    def write_whole(self, path: str, content: bytes) -> None:
        """Writes a file under the name of one that is not whole, looks at its size, and renames it to `path`.

        An older file of that name is replaced.
        """
        part = path + self._part
        # Removed and not written over: a process that was stopped while it wrote may have the old file open.
        self.remove(part)
        with _told(self._line):
            self._session.putfo(io.BytesIO(content), part)
            crash.point("sftp.after_part")
            self._session.posix_rename(part, path)

    def remove(self, path: str) -> bool:
        """Removes a file; False where there is none."""
        with _told(self._line):
            try:
                self._session.remove(path)
            except FileNotFoundError:
                return False
        return True


@contextmanager
def _told(line: _Line) -> Iterator[None]:
    """Tells every failure of the library as SftpAway."""
    try:
        yield
    except SftpAway:
        raise
    except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
        fault = line.fault or _fault_of(error)
        raise SftpAway(fault, f"SFTP: {fault}: {type(error).__name__}") from error


def _fault_of(error: Exception) -> Fault:
    # paramiko tells what the server refuses as a plain OSError, and what happened to the line as one of its subclasses.
    refused = type(error) is OSError or isinstance(error, PermissionError)
    return Fault.REFUSED if refused else Fault.CONNECTION_LOST


def _connected(server: SftpServer, until: float) -> socket.socket:
    seconds = min(_CONNECT_SECONDS, until - time.monotonic())
    if seconds <= 0:
        raise SftpAway(Fault.TIMED_OUT, "SFTP: no time was left to connect")
    try:
        return socket.create_connection((server.host, server.port), timeout=seconds)
    except OSError as error:
        raise SftpAway(Fault.NOT_CONNECTED, f"SFTP: {type(error).__name__}") from error


def _opened(server: SftpServer, allowance: _Allowance) -> _Open:
    host_key, own_key = _public_key(server.host_key_file), paramiko.PKey.from_path(server.key_file)
    line = _Line(_connected(server, allowance.until), allowance)
    transport = paramiko.Transport(line)  # type: ignore[arg-type]  # it is like a socket
    try:
        transport.connect(hostkey=host_key, username=server.user, pkey=own_key)
        session = paramiko.SFTPClient.from_transport(transport)
        if session is None:
            raise SftpAway(Fault.CONNECTION_LOST, "SFTP: the server opens no session")
    except paramiko.AuthenticationException as error:
        transport.close()
        raise SftpAway(line.fault or Fault.NOT_ADMITTED, "SFTP: the server does not admit us") from error
    except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
        fault = line.fault or _fault_of_login(transport, host_key)
        transport.close()
        raise SftpAway(fault, f"SFTP: {fault}: {type(error).__name__}") from error
    return _Open(line=line, part=server.part, transport=transport, session=session)


def _fault_of_login(transport: paramiko.Transport, host_key: paramiko.PKey) -> Fault:
    try:
        given = transport.get_remote_server_key()
    except paramiko.SSHException:
        return Fault.CONNECTION_LOST
    return Fault.CONNECTION_LOST if given == host_key else Fault.HOST_KEY


def _public_key(path: Path) -> paramiko.PKey:
    kind, content, *_ = path.read_text(encoding="ascii").split()
    return paramiko.PKey.from_type_string(kind, base64.b64decode(content, validate=True))


def _state(attributes: paramiko.SFTPAttributes) -> FileState:
    if attributes.st_mtime is None or attributes.st_size is None:
        raise SftpAway(Fault.REFUSED, "SFTP: the server tells no time of change or size")
    return FileState(changed=attributes.st_mtime, size=attributes.st_size)
