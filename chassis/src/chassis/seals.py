"""Seals of the access log: its rows are chained by hash, the chain is signed, and both go to a second place.

A row is written in the transaction of its call. A moment later one worker of the service gives the rows that have come their
places in the chain, each with a hash over the row and the hash before it. It signs the chain's head, appends rows and seal to
the second place, and commits. A read therefore never waits for another's row. `chassis.seal_check` finds what was changed
since. docs/adr/0082-the-access-log-is-sealed.md says what follows from it.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from chassis import crash
from chassis.database import Connection, Database, Row
from chassis.signatures import Signatures

BATCH = 1000
QUIET_SECONDS = 300.0
"""How long a chain without new rows goes without a seal. A row cannot be dated back behind the last seal unseen."""
FORM = "access log seal 1"
"""The kind of statement that a seal is: see `Signatures.sign`."""
_LOCK = 0x636D7335
"""One above the lock of housekeeping: one replica seals at a time."""
WAIT_FOR_LOCK = f"SELECT pg_advisory_lock({_LOCK})"
UNLOCK = f"SELECT pg_advisory_unlock({_LOCK})"
"""Keep the sealer out for as long as a session looks at log and copy."""
FIRST = b""
"""Stands before the first row, and before the first seal."""

COLUMNS = (
    "at",
    "subject",
    "roles",
    "office",
    "method",
    "claim_ref",
    "purpose",
    "outcome",
    "reason",
    "traceparent",
)
"""The columns of a row that the service writes. All else is the database's."""
_HASHED = ("access_id", "written_time", *COLUMNS)

_LAST_SEAL = "SELECT * FROM access_log_seals ORDER BY number DESC LIMIT 1"
_NOW = "SELECT clock_timestamp() AS now"
_TO_SEAL = "SELECT * FROM access_log_to_seal(%s)"
_GIVE_PLACES = "SELECT access_log_give_places(%s, %s, %s)"
_ADD_SEAL = """
    INSERT INTO access_log_seals (number, last_place, head, read_time, complete, previous, key_id, signature)
    VALUES (%(number)s, %(last_place)s, %(head)s, %(read_time)s, %(complete)s, %(previous)s, %(key_id)s, %(signature)s)
"""


@dataclass(frozen=True, kw_only=True)
class Seal:
    """The statement that a service signs: up to this place the chain is this."""

    service: str
    number: int
    last_place: int
    head: bytes
    read_time: datetime
    """The database's time just before the rows were read."""
    complete: bool
    """Whether no row was left for the next seal."""
    previous: bytes
    """The digest of the seal before it."""

    @classmethod
    def from_row(cls, service: str, row: Mapping[str, Any]) -> Self:
        """The seal of a row of `access_log_seals`."""
        names = ("number", "last_place", "head", "read_time", "complete", "previous")
        return cls(service=service, **{name: row[name] for name in names})

    @classmethod
    def from_text(cls, content: Mapping[str, Any]) -> Self:
        """The seal of a line of the second place. Raises KeyError, TypeError or ValueError."""
        return cls(
            service=content["service"],
            number=content["number"],
            last_place=content["last_place"],
            head=bytes.fromhex(content["head"]),
            read_time=datetime.fromisoformat(content["read_time"]),
            complete=content["complete"],
            previous=bytes.fromhex(content["previous"]),
        )

    def as_text(self) -> dict[str, Any]:
        """The seal in the types of JSON."""
        return {
            "service": self.service,
            "number": self.number,
            "last_place": self.last_place,
            "head": self.head.hex(),
            "read_time": _time_text(self.read_time),
            "complete": self.complete,
            "previous": self.previous.hex(),
        }

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return _canonical(self.as_text())

    @property
    def digest(self) -> bytes:
        """Names this seal in the next one."""
        return hashlib.sha256(self.content).digest()


def row_text(row: Mapping[str, Any]) -> list[Any]:
    """A row in the types of JSON, in the order in which it is hashed."""
    return [_time_text(row[name]) if isinstance(row[name], datetime) else row[name] for name in _HASHED]


def row_hash(previous: bytes, place: int, text: Sequence[Any]) -> bytes:
    """The hash of a row at its place, behind the row whose hash is `previous`."""
    return hashlib.sha256(_canonical([previous.hex(), place, *text])).digest()


def _time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


class SecondPlace(Protocol):
    """Keeps a copy of the log where whoever can change the database cannot."""

    def add(self, line: bytes) -> None:
        """Keeps the line for good before it returns; it has no line break. Raises OSError if it cannot."""


class AppendedFile:
    """A second place: a file that grows by lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, line: bytes) -> None:
        """Appends the line, and waits until it is on the disk. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            # A process that died in the middle of a line left it without its end.
            broken = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            whole = (b"\n" if broken else b"") + line + b"\n"
            if file.write(whole) != len(whole):
                raise OSError(f"{self._path.name}: a line was not written whole")
            os.fsync(descriptor)


def exported_file(folder: Path) -> Path:
    """The file of a service's access log in its folder."""
    return folder / "access-log.jsonl"


class Sealer:
    """Seals the rows of the access log that have come since the last seal."""

    def __init__(self, service: str, database: Database, signatures: Signatures, second_place: SecondPlace) -> None:
        self._service = service
        self._database = database
        self._signatures = signatures
        self._second_place = second_place

    def seal(self) -> bool:
        """Seals a batch of rows, or after some minutes none; returns whether there may be more.

        Raises OSError where the second place does not take them: they then stay unsealed, and are tried again.
        """
        with self._database.transaction() as conn:
            if not _is_ours(conn):
                return False
            last = conn.execute(_LAST_SEAL).fetchone()
            before = Seal.from_row(self._service, last) if last else None
            [now] = conn.execute(_NOW).fetchall()
            rows = conn.execute(_TO_SEAL, [BATCH]).fetchall()
            if not rows and before and (now["now"] - before.read_time).total_seconds() < QUIET_SECONDS:
                return False
            self._seal(conn, before, rows, now["now"])
            # Rows and seal are at the second place before the commit. If it fails, the same rows go there once more.
            crash.point("access_log.before_commit")
        return len(rows) == BATCH

    def _seal(self, conn: Connection, before: Seal | None, rows: Sequence[Row], now: datetime) -> None:
        texts = [row_text(row) for row in rows]
        first = before.last_place + 1 if before else 1
        hashes = _chained(before.head if before else FIRST, first, texts)
        seal = Seal(
            service=self._service,
            number=before.number + 1 if before else 1,
            last_place=first + len(rows) - 1,
            head=hashes[-1] if hashes else before.head if before else FIRST,
            read_time=now,
            complete=len(rows) < BATCH,
            previous=before.digest if before else FIRST,
        )
        key_id, signature = self._signatures.sign(FORM, seal.content)
        if rows:
            conn.execute(_GIVE_PLACES, [[row["access_id"] for row in rows], first, hashes])
        values = {"key_id": key_id, "signature": signature}
        conn.execute(_ADD_SEAL, {**seal.__dict__, **values})
        self._second_place.add(line_of(seal, key_id, signature, texts))


def line_of(seal: Seal, key_id: str, signature: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """The line of the second place for a seal and its rows."""
    signed = {"seal": seal.as_text(), "key_id": key_id, "signature": base64.b64encode(signature).decode()}
    return _canonical({**signed, "rows": list(rows)})


def _chained(head: bytes, first: int, texts: Sequence[Sequence[Any]]) -> list[bytes]:
    hashes = []
    for place, text in enumerate(texts, start=first):
        head = row_hash(head, place, text)
        hashes.append(head)
    return hashes


def _is_ours(conn: Connection) -> bool:
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS ours", [_LOCK]).fetchone()
    return bool(row and row["ours"])
