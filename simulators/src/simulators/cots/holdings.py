"""The applications that CMS-COTS holds: in memory to be asked, in the ledger to be kept, which names no person.

Memory and the ledger's queue change under one lock; nobody is told before the ledger is on disk.
"""

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from simulators.clock import london_day
from simulators.ledger import Ledger

PAGE_LENGTH = 100
REGISTERED = "REGISTERED"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """An application that is held. `body_sha256` is of its JSON in one order, so equal JSON has an equal one."""

    application_id: str
    transfer_id: str
    claim_ref: str
    body_sha256: str
    received: str


class OtherBodyError(Exception):
    """The key is held with another body."""


class UnknownApplicationError(Exception):
    """There is no application of this id."""


class Holdings:
    """All applications. Its methods return what is on disk, and raise LedgerError when that cannot be had."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._by_transfer: dict[str, Registered] = {}
        self._by_claim: dict[str, list[Registered]] = defaultdict(list)
        self._by_day: dict[date, list[Registered]] = defaultdict(list)
        self._lost: set[str] = set()
        for entry in ledger.entries():
            self._apply(entry)

    def register(self, body: Mapping[str, Any], *, received: datetime) -> tuple[Registered, bool]:
        """Hold an application, and whether it is new; the same key and body again give the first. Raises OtherBodyError."""
        sha256 = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self._lock:
            known = self._by_transfer.get(body["transfer_id"])
            if known and known.body_sha256 != sha256:
                raise OtherBodyError
            found = known or Registered(
                application_id=f"CC{self._ledger.next_sequence:010d}",
                transfer_id=body["transfer_id"],
                claim_ref=body["claim_ref"],
                body_sha256=sha256,
                received=received.isoformat(),
            )
            if known is None:
                self._record({"event": "registered", **asdict(found)})
        self._ledger.settle()
        return found, known is None

    def of_transfer(self, transfer_id: str) -> Registered | None:
        """The application that is held under a transfer id."""
        with self._lock:
            found = self._by_transfer.get(transfer_id)
        self._ledger.settle()
        return found

    def page(self, day: date, *, after: str | None) -> tuple[list[Registered], bool]:
        """A page of what is held of a day's receipts, and whether there is another. Raises UnknownApplicationError."""
        with self._lock:
            every = self._by_day.get(day, [])
            ids = [held.application_id for held in every]
            if after is not None and after not in ids:
                raise UnknownApplicationError
            later = every[ids.index(after) + 1 :] if after else every
            present = [held for held in later if held.application_id not in self._lost]
        self._ledger.settle()
        return present[:PAGE_LENGTH], len(present) > PAGE_LENGTH

    def lose(self, claim_ref: str, *, received: datetime) -> int:
        """Forget all that is held for a claim, as a system has been known to do overnight; how many applications."""
        with self._lock:
            found = self._present(claim_ref)
            for held in found:
                about = {name: getattr(held, name) for name in ("application_id", "transfer_id", "claim_ref")}
                self._record({"event": "lost", **about, "received": received.isoformat()})
        self._ledger.settle()
        return len(found)

    def summary(self, claim_ref: str | None) -> dict[str, Any]:
        """The ledger in numbers, and for each claim; with records for one claim."""
        with self._lock:
            chosen = list(self._by_claim) if claim_ref is None else [claim_ref] if claim_ref in self._by_claim else []
            held = {reference: self._present(reference) for reference in chosen}
            claims = {
                reference: {"held": len(found), "duplicates": max(0, len(found) - 1)}
                for reference, found in held.items()
            }
            summary = {
                "applications": {"held": sum(map(len, held.values())), "lost": len(self._lost)},
                "claims": claims,
                "duplicates": sum(claim["duplicates"] for claim in claims.values()),
            }
            records = [self._row(one) for one in self._by_claim.get(claim_ref or "", [])]
        self._ledger.settle()
        return summary if claim_ref is None else summary | {"records": records}

    def _present(self, claim_ref: str) -> list[Registered]:
        return [held for held in self._by_claim.get(claim_ref, []) if held.application_id not in self._lost]

    def _row(self, held: Registered) -> dict[str, Any]:
        return asdict(held) | {"state": "lost" if held.application_id in self._lost else "held"}

    def _record(self, entry: Mapping[str, Any]) -> None:
        """Into the queue and into memory, under the lock."""
        self._ledger.append(entry)
        self._apply(entry)

    def _apply(self, entry: Mapping[str, Any]) -> None:
        if entry["event"] == "lost":
            self._lost.add(entry["application_id"])
            self._by_transfer.pop(entry["transfer_id"], None)
            return
        held = Registered(**{name: entry[name] for name in Registered.__dataclass_fields__})
        self._by_transfer[held.transfer_id] = held
        self._by_claim[held.claim_ref].append(held)
        self._by_day[london_day(datetime.fromisoformat(held.received))].append(held)
