"""The notices that the councils hold: in memory to be asked, in the ledger to be kept, which names no person.

Memory and the ledger's queue change under one lock; nobody is told before the ledger is on disk.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from simulators.councils.batch import FileName, Outcome
from simulators.ledger import Ledger

_TOLD = ("version", "kind", "state", "reason", "receipt", "received", "way")
RECEIVED, LOADED, REFUSED = "RECEIVED", "LOADED", "REFUSED"
API, SFTP, POST = "api", "sftp", "post"
LATER_VERSION = "LATER VERSION HELD"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a notice as a council holds it. `refusal` is the reason it is going to be refused for."""

    authority_code: str
    notice_id: str
    version: int
    kind: str
    claim_ref: str
    body_sha256: str
    receipt: str
    received: str
    refusal: str
    state: str = RECEIVED
    reason: str = ""
    way: str = API
    """How it came."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The answer to a notice: a new receipt, or the one it already had."""

    receipt: str
    repeated: bool


class LaterVersionHeldError(Exception):
    """A later version of the notice is already held."""


class OtherContentError(Exception):
    """The notice is held with other content: `field` tells where they differ."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


NoticeKey = tuple[str, str]
"""Authority code and notice id."""


@dataclass(frozen=True, kw_only=True)
class Filed:
    """A row of a file to be held: `unfit` is why it cannot be, `refusal` why it is going to be refused though it is held."""

    notice: Mapping[str, Any]
    sha256: str
    unfit: str = ""
    refusal: str = ""


class Holdings:
    """All notices of all authorities. Its methods raise LedgerError when the disk fails."""

    def __init__(self, ledger: Ledger, *, load_seconds: float, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._load_seconds = load_seconds
        self._now = now
        self._lock = threading.Condition()
        self._versions: dict[NoticeKey, dict[int, Version]] = defaultdict(dict)
        self._by_claim: dict[str, list[NoticeKey]] = defaultdict(list)
        self._loads: Counter[tuple[str, str, int]] = Counter()
        self._due: dict[NoticeKey, float] = {}
        self._files: dict[FileName, list[Outcome]] = {}
        self._tokens: dict[str, FileName] = {}
        self._counted: Counter[str] = Counter()
        self._stopping = False
        for entry in ledger.entries():
            self._apply(entry)

    def receive(self, notice: Mapping[str, Any], *, body_sha256: str, refusal: str, way: str = API) -> Receipt:
        """Hold a version that came by `api` or `post`, and give its receipt; again, the same receipt.

        Raises LaterVersionHeldError, and OtherContentError for a number or notice that was used for something else.
        """
        with self._lock:
            receipt = self._known(notice, body_sha256)
            repeated = receipt is not None
            if receipt is None:
                receipt = f"HB{self._ledger.next_sequence:010d}"
                self._record(self._received(notice, body_sha256, receipt, refusal) | {"way": way})
                self._lock.notify_all()
        self._ledger.settle()
        return Receipt(receipt=receipt, repeated=repeated)

    def take_file(self, name: FileName, rows: Iterable[Filed], *, token: str, refusal: str = "") -> list[Outcome]:
        """Hold the rows of a file, all at once, and give what its acknowledgement says of each. `refusal` is of the whole file.

        A file is taken once: again, under whatever token, what was said of it before.
        """
        with self._lock:
            if name in self._files:
                if self._tokens.get(token) != name:
                    self._file_event("FILE_AGAIN", name, token=token)
            else:
                received = self._now().isoformat()
                told = [self._file_row(name, row, received) for row in rows]
                self._file_event("FILE", name, token=token, received=received, refusal=refusal, rows=told)
            outcomes = self._files[name]
        self._ledger.settle()
        return outcomes

    def acknowledged(self, name: FileName) -> list[Outcome] | None:
        """The outcomes in the acknowledgement of a file; None when there was no such file."""
        with self._lock:
            return self._files.get(name)

    def latest(self, authority_code: str, notice_id: str) -> Version | None:
        """The latest version held of a notice."""
        with self._lock:
            held = self._versions.get((authority_code, notice_id))
            found = held[max(held)] if held else None
        self._ledger.settle()
        return found

    def load_when_due(self) -> None:
        """Load each notice when its time has come, until `stop`: the work of a thread of its own."""
        with self._lock:
            while not self._stopping:
                now = time.monotonic()
                for key in [key for key, due in self._due.items() if due <= now]:
                    self._load(key)
                self._lock.wait(min(self._due.values(), default=now + 60) - now)

    def stop(self) -> None:
        """End the loading."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()

    def summary(self, claim_ref: str | None) -> dict[str, Any]:
        """The ledger in numbers, and what is held for each claim."""
        with self._lock:
            chosen = self._by_claim if claim_ref is None else {claim_ref: self._by_claim.get(claim_ref, [])}
            claims = {claim: [self._notice(key) for key in keys] for claim, keys in chosen.items() if keys}
        self._ledger.settle()
        notices = [notice for found in claims.values() for notice in found]
        versions = [version for notice in notices for version in notice["versions"]]
        states = Counter(version["state"] for version in versions)
        return {
            "notices": len(notices),
            "versions": {state: states[state] for state in (RECEIVED, LOADED, REFUSED)},
            "files": {name: self._counted[name] for name in ("taken", "refused", "repeated")},
            "duplicates": sum(max(0, load - 1) for load in self._loads_of(claims)),
            "claims": claims,
        }

    def _known(self, notice: Mapping[str, Any], body_sha256: str) -> str | None:
        """The receipt that this version already has."""
        held = self._versions.get((notice["authority_code"], notice["notice_id"]), {})
        if any(version.claim_ref != notice["claim_ref"] for version in held.values()):
            raise OtherContentError("claim_ref")
        same = held.get(notice["version"])
        if same is None:
            if held and max(held) > notice["version"]:
                raise LaterVersionHeldError
            return None
        if same.body_sha256 != body_sha256:
            raise OtherContentError("version")
        return same.receipt

    def _received(self, notice: Mapping[str, Any], body_sha256: str, receipt: str, refusal: str) -> dict[str, Any]:
        names = ("authority_code", "notice_id", "version", "kind", "claim_ref")
        return {
            "event": RECEIVED,
            **{name: notice[name] for name in names},
            "body_sha256": body_sha256,
            "receipt": receipt,
            "received": self._now().isoformat(),
            "refusal": refusal,
        }

    def _load(self, key: NoticeKey) -> None:
        """Load the latest version of a notice; those before it, not yet loaded, never are."""
        version = self._versions[key][max(self._versions[key])]
        self._record(
            {
                "event": REFUSED if version.refusal else LOADED,
                "authority_code": version.authority_code,
                "notice_id": version.notice_id,
                "version": version.version,
                "claim_ref": version.claim_ref,
                "reason": version.refusal,
                "at": self._now().isoformat(),
            }
        )

    def _record(self, entry: Mapping[str, Any]) -> None:
        self._ledger.append(entry)
        self._apply(entry)

    def _file_row(self, name: FileName, row: Filed, received: str) -> dict[str, Any]:
        """Hold a row in memory, and give its entry."""
        state, reason, held = self._verdict(row)
        entry = {
            "notice_id": row.notice["notice_id"],
            "version": row.notice["version"],
            "kind": str(row.notice.get("kind", "")),
            "claim_ref": str(row.notice.get("claim_ref", "")),
            "body_sha256": row.sha256,
            "state": state,
            "reason": reason,
            "held": held,
        }
        self._hold_row(name, entry, received)
        return entry

    def _verdict(self, row: Filed) -> tuple[str, str, bool]:
        """State, reason, and whether the row is one that is to be held."""
        if row.unfit:
            return REFUSED, row.unfit, False
        try:
            known = self._known(row.notice, row.sha256)
        except LaterVersionHeldError:
            return REFUSED, LATER_VERSION, False
        except OtherContentError as error:
            return REFUSED, f"{error.field}: is held with other content", False
        if known is None:
            return (REFUSED, row.refusal, True) if row.refusal else (LOADED, "", True)
        versions = self._versions[row.notice["authority_code"], row.notice["notice_id"]]
        same = versions[row.notice["version"]]
        if same.state == RECEIVED and max(versions) > same.version:
            return REFUSED, LATER_VERSION, False
        return (REFUSED, same.reason, False) if same.state == REFUSED else (LOADED, "", False)

    def _hold_row(self, name: FileName, row: Mapping[str, Any], received: str) -> None:
        if row["held"]:
            key = (name.authority_code, row["notice_id"])
            self._keep(
                key,
                {
                    **row,
                    "authority_code": key[0],
                    "receipt": name.stem,
                    "received": received,
                    "way": SFTP,
                    "refusal": "",
                },
            )
            self._settle_version(key, row["version"], row["claim_ref"], state=row["state"])

    def _file_event(self, event: str, name: FileName, **facts: Any) -> None:
        entry = {"event": event, "authority_code": name.authority_code, "file": name.sequence, **facts}
        self._ledger.append(entry)
        self._note_file(name, entry)

    def _note_file(self, name: FileName, entry: Mapping[str, Any]) -> None:
        self._tokens[entry["token"]] = name
        if entry["event"] == "FILE_AGAIN":
            self._counted["repeated"] += 1
            return
        self._counted["refused" if entry["refusal"] else "taken"] += 1
        names = ("notice_id", "version", "claim_ref", "state", "reason")
        self._files[name] = [Outcome(**{name: row[name] for name in names}) for row in entry["rows"]]

    def _apply(self, entry: Mapping[str, Any]) -> None:
        if entry["event"].startswith("FILE"):
            name = FileName(authority_code=entry["authority_code"], sequence=entry["file"])
            for row in entry.get("rows", []):
                self._hold_row(name, row, entry["received"])
            self._note_file(name, entry)
            return
        key = (entry["authority_code"], entry["notice_id"])
        if entry["event"] == RECEIVED:
            self._keep(key, entry)
        else:
            held = self._versions[key]
            held[entry["version"]] = replace(held[entry["version"]], state=entry["event"], reason=entry["reason"])
            self._settle_version(key, entry["version"], entry["claim_ref"], state=entry["event"])

    def _settle_version(self, key: NoticeKey, number: int, claim_ref: str, *, state: str) -> None:
        self._loads[claim_ref, key[0], number] += state == LOADED
        self._due.pop(key, None)

    def _keep(self, key: NoticeKey, entry: Mapping[str, Any]) -> None:
        names = Version.__dataclass_fields__.keys() & entry.keys()
        if key not in self._versions:
            self._by_claim[entry["claim_ref"]].append(key)
        self._versions[key][entry["version"]] = Version(**{name: entry[name] for name in names})
        self._due[key] = time.monotonic() + self._load_seconds

    def _notice(self, key: NoticeKey) -> dict[str, Any]:
        held = [version for _, version in sorted(self._versions[key].items())]
        loaded = [version.version for version in held if version.state == LOADED]
        claim_ref = held[0].claim_ref
        return {
            "notice_id": key[1],
            "authority_code": key[0],
            "versions": [{name: getattr(version, name) for name in _TOLD} for version in held],
            "loaded_version": max(loaded, default=None),
            "most_loads_of_a_version": max((self._loads[claim_ref, key[0], number] for number in loaded), default=0),
        }

    def _loads_of(self, claims: Mapping[str, Any]) -> list[int]:
        with self._lock:
            return [count for (claim, _, _), count in self._loads.items() if claim in claims]
