"""Finds what was changed in an access log since it was sealed: `cms accesslog verify`.

The chain shows a changed row by its own hash. Whoever can change the database can make the chain anew; then the seals do not
fit it, for they are signed, and the copy at the second place names the row.
"""

import base64
import bisect
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chassis.seals import FIRST, FORM, Seal, row_hash, row_text
from chassis.signatures import BadSignature, UnknownKey, service_of, verify_statement

LONGEST_TRANSACTION = timedelta(seconds=120)
"""Between a row's time and its commit lies at most so much: each statement and each pause of a transaction is bounded."""

_READING = timedelta(seconds=10)
"""Rows are read after a seal's `read_time`, in one statement."""
Span = tuple[datetime | None, datetime]

Kind = Literal["altered", "missing", "inserted", "misdated", "seal broken", "seal missing", "no copy"]

ROWS = "SELECT * FROM access_log WHERE place IS NOT NULL ORDER BY place"
UNSEALED = "SELECT * FROM access_log WHERE place IS NULL ORDER BY access_id"
SEALS = "SELECT * FROM access_log_seals ORDER BY number"
NOW = "SELECT clock_timestamp() AS now"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it was sealed. `row` is an access_id; of a seal it is the seal's number."""

    service: str
    kind: Kind
    row: int | None
    detail: str


@dataclass
class Copy:
    """The second place's copy of a log: a digest of each row, and its seals."""

    rows: dict[int, bytes] = field(default_factory=dict)
    seals: dict[int, set[bytes]] = field(default_factory=dict)
    """The digests of the seals of each number: a seal whose commit failed left one that nobody else has."""
    read_times: dict[int, datetime] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)
    """The numbers of seals whose signature is bad."""
    changed: list[int] = field(default_factory=list)
    """Rows that the copy holds in two forms."""


def read_copy(paths: Iterable[Path], keys: Mapping[str, Ed25519PublicKey]) -> Copy:
    """Reads the files of the second place. A line that a dying process left without its end says nothing. Raises OSError."""
    copy = Copy()
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                _take_line(copy, line, keys)
    return copy


def _take_line(copy: Copy, line: bytes, keys: Mapping[str, Ed25519PublicKey]) -> None:
    try:
        content = json.loads(line)
        seal = Seal.from_text(content["seal"])
        key_id, signature = content["key_id"], base64.b64decode(content["signature"])
        rows = [(row[0], _digest(row)) for row in content["rows"]]
    except (ValueError, KeyError, TypeError, IndexError):
        return
    if _fault_of(seal, key_id, signature, keys) == "bad":
        copy.broken.append(seal.number)
    copy.seals.setdefault(seal.number, set()).add(seal.digest)
    copy.read_times[seal.number] = seal.read_time
    for access_id, digest in rows:
        if copy.rows.setdefault(access_id, digest) != digest:
            copy.changed.append(access_id)


def _digest(text: Sequence[Any]) -> bytes:
    return hashlib.sha256(json.dumps(text, ensure_ascii=False).encode()).digest()


def _fault_of(
    seal: Seal, key_id: str, signature: bytes, keys: Mapping[str, Ed25519PublicKey]
) -> Literal["bad", "unknown", "none"]:
    if service_of(key_id) != seal.service:
        return "bad"
    try:
        verify_statement(keys, FORM, seal.content, key_id=key_id, signature=signature)
    except BadSignature:
        return "bad"
    except UnknownKey:
        return "unknown"
    return "none"


def check(
    service: str,
    *,
    rows: Iterable[Mapping[str, Any]],
    unsealed: Iterable[Mapping[str, Any]],
    seals: Iterable[Mapping[str, Any]],
    now: datetime,
    copy: Copy,
    keys: Mapping[str, Ed25519PublicKey],
) -> list[Finding]:
    """Holds a log against its chain, its seals and its copy. Rows and seals come as the queries of this module give them."""
    seen = _Seen(service, copy)
    sealed = list(seals)
    seen.take_rows(rows, [Seal.from_row(service, row) for row in sealed])
    seen.take_unsealed(unsealed, now)
    seen.take_seals(sealed, keys)
    seen.take_copy()
    return sorted(seen.findings, key=lambda found: (found.row is None, found.row or 0, found.kind))


class _Seen:
    """The rows and seals of a log that were seen so far, and the findings."""

    def __init__(self, service: str, copy: Copy) -> None:
        self._service = service
        self._copy = copy
        self._ids: set[int] = set()
        self._named: set[tuple[int | None, str]] = set()
        self._numbers: set[int] = set()
        self.findings: list[Finding] = []

    def _find(self, kind: Kind, row: int | None, detail: str) -> None:
        if row is None or (row, kind) not in self._named:
            self._named.add((row, kind))
            self.findings.append(Finding(service=self._service, kind=kind, row=row, detail=detail))

    def take_rows(self, rows: Iterable[Mapping[str, Any]], seals: Sequence[Seal]) -> None:
        """Follows the chain from its first row. A row is held against the hash that the row before it has."""
        head, place, spans = FIRST, 0, _Spans(seals)
        heads = {seal.last_place: seal for seal in seals if seal.last_place}
        for row in rows:
            missing = row["place"] - place - 1
            if missing:
                self._find("missing", None, f"{missing} row(s) from place {place + 1} of the chain")
            text = row_text(row)
            place = row["place"]
            if not missing and row_hash(head, place, text) != row["hash"]:
                self._find("altered", row["access_id"], "the row does not fit its hash")
            head = bytes(row["hash"] or b"")
            if place in heads and heads[place].head != head:
                self._find("seal broken", heads[place].number, f"the chain was made anew up to place {place}")
            self._hold_against_copy(row, text)
            self._look_at_time(row, spans.of(place))
        if seals and place < seals[-1].last_place:
            self._find("missing", None, f"{seals[-1].last_place - place} row(s) from place {place + 1} of the chain")

    def _hold_against_copy(self, row: Mapping[str, Any], text: Sequence[Any]) -> None:
        access_id = row["access_id"]
        self._ids.add(access_id)
        known = self._copy.rows.get(access_id)
        if known is None:
            if self._copy.rows or self._copy.seals:
                self._find("inserted", access_id, "the second place has no such row")
        elif known != _digest(text):
            self._find("altered", access_id, "the row is another one at the second place")

    def _look_at_time(self, row: Mapping[str, Any], span: Span | None) -> None:
        written = row["written_time"]
        if span is None:
            self._find("inserted", row["access_id"], "no seal covers the row")
        elif written is not None:
            earliest, latest = span
            if written > latest or (earliest is not None and written < earliest - LONGEST_TRANSACTION):
                self._find("misdated", row["access_id"], f"its time {written.isoformat()} is not that of its seal")

    def take_unsealed(self, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
        """Looks at rows without a place: they are sealed within seconds, if the service runs."""
        for row in rows:
            self._ids.add(row["access_id"])
            known = self._copy.rows.get(row["access_id"])
            if known is not None and known != _digest(row_text(row)):
                self._find("altered", row["access_id"], "the row is another one at the second place")
            if row["written_time"] is not None and row["written_time"] > now:
                self._find("misdated", row["access_id"], "its time is to come")

    def take_seals(self, seals: Sequence[Mapping[str, Any]], keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Follows the seals. One whose key was withdrawn is vouched for by the seals after it."""
        previous, number, trusted = FIRST, 0, True
        for row in seals:
            seal = Seal.from_row(self._service, row)
            self._numbers.add(seal.number)
            if seal.number != number + 1:
                self._find("seal missing", number + 1, f"{seal.number - number - 1} seal(s)")
            elif seal.previous != previous:
                self._find("seal broken", seal.number, "it does not name the seal before it")
            fault = _fault_of(seal, row["key_id"], bytes(row["signature"]), keys)
            if fault == "bad":
                self._find("seal broken", seal.number, "its signature is bad")
            if self._copy.seals and seal.digest not in self._copy.seals.get(seal.number, ()):
                self._find("seal broken", seal.number, "it is another one at the second place")
            previous, number, trusted = seal.digest, seal.number, fault == "none"
        if seals and not trusted:
            self._find("seal broken", number, "no seal by a known key vouches for the newest rows")

    def take_copy(self) -> None:
        """Looks for what the copy has and the log has not."""
        if self._numbers and not self._copy.seals:
            self._find("no copy", None, "the second place has nothing of this log")
        for access_id in self._copy.rows.keys() - self._ids:
            self._find("missing", access_id, "the second place has the row")
        for access_id in self._copy.changed:
            self._find("altered", access_id, "the second place has two forms of the row")
        for number in self._copy.broken:
            self._find("seal broken", number, "its signature at the second place is bad")
        newest = max(self._numbers, default=0)
        # The newest of all may be one whose commit failed: the next seal takes its number.
        for number in self._copy.seals.keys() - self._numbers:
            if number != newest + 1:
                self._find("seal missing", number, "the second place has the seal")


class _Spans:
    """The time in which the rows of each seal can have been written: since the last seal that left no row behind."""

    def __init__(self, seals: Sequence[Seal]) -> None:
        self._places = [seal.last_place for seal in seals]
        self._spans = list(_spans(seals))

    def of(self, place: int) -> Span | None:
        """The earliest and the latest time of the row at this place; None where no seal covers it."""
        number = bisect.bisect_left(self._places, place)
        return self._spans[number] if number < len(self._spans) else None


def _spans(seals: Sequence[Seal]) -> Iterator[Span]:
    earliest: datetime | None = None
    for seal in seals:
        yield earliest, seal.read_time + _READING
        if seal.complete:
            earliest = seal.read_time
