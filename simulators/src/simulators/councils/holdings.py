"""The notices that the councils hold: in memory to be asked, in the ledger to be kept, which names no person.

Memory and the ledger's queue change under one lock; nobody is told before the ledger is on disk.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from simulators.ledger import Ledger

RECEIVED, LOADED, REFUSED = "RECEIVED", "LOADED", "REFUSED"


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
        self._stopping = False
        for entry in ledger.entries():
            self._apply(entry)

    def receive(self, notice: Mapping[str, Any], *, body_sha256: str, refusal: str) -> Receipt:
        """Hold a version and give its receipt; again, the same receipt.

        Raises LaterVersionHeldError, and OtherContentError for a number or notice that was used for something else.
        """
        with self._lock:
            receipt = self._known(notice, body_sha256)
            repeated = receipt is not None
            if receipt is None:
                receipt = f"HB{self._ledger.next_sequence:010d}"
                self._record(self._received(notice, body_sha256, receipt, refusal))
                self._lock.notify_all()
        self._ledger.settle()
        return Receipt(receipt=receipt, repeated=repeated)

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

    def _apply(self, entry: Mapping[str, Any]) -> None:
        key = (entry["authority_code"], entry["notice_id"])
        if entry["event"] == RECEIVED:
            self._keep(key, entry)
        else:
            held = self._versions[key]
            held[entry["version"]] = replace(held[entry["version"]], state=entry["event"], reason=entry["reason"])
            self._loads[entry["claim_ref"], key[0], entry["version"]] += entry["event"] == LOADED
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
            "versions": [
                {name: getattr(version, name) for name in ("version", "kind", "state", "reason", "receipt", "received")}
                for version in held
            ],
            "loaded_version": max(loaded, default=None),
            "most_loads_of_a_version": max((self._loads[claim_ref, key[0], number] for number in loaded), default=0),
        }

    def _loads_of(self, claims: Mapping[str, Any]) -> list[int]:
        with self._lock:
            return [count for (claim, _, _), count in self._loads.items() if claim in claims]
