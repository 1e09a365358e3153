"""What JSAPS holds: in memory to be asked, in the ledger to be kept.

Whatever changes goes to memory and into the ledger's queue under one lock, so that both have one order; nobody is told
before the ledger is on disk. The ledger names no person: a NINO is there only as an HMAC, whose key lies beside it.
"""

import hashlib
import hmac
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from simulators.clock import london_day
from simulators.jsaps.edit_rules import MOST_MESSAGES
from simulators.jsaps.link import Message, Reply
from simulators.ledger import Ledger

FIRST_PHASE, SECOND_PHASE = "ES504", "BA504"
WITHDRAWN, LOST = "withdrawn", "lost"
NOT_KNOWN = Reply(completion="N")
IN_USE = Message(code="ES0030", field="JB-ES-LEGACY-REF", text="A SECOND PHASE USES THIS REFERENCE")
IS_WITHDRAWN = Message(code="ES0031", field="EN-TRANSFER-ID", text="WITHDRAWN")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An ES504 or BA504 record that asks to be held. `es_legacy_ref` is the second phase's word for its first."""

    dialogue: str
    transfer_id: str
    claim_ref: str
    action: str
    nino: str
    payload_sha256: str
    received: datetime
    es_legacy_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A record that was held."""

    dialogue: str
    transfer_id: str
    claim_ref: str
    action: str
    legacy_ref: str
    received: datetime
    nino_hmac: str
    es_legacy_ref: str
    visible_at: float
    """When the enquiry knows of it, on the monotonic clock."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A record that was refused, and when the enquiry knows of it."""

    messages: tuple[Message, ...]
    visible_at: float


class Holdings:
    """All that JSAPS holds. Its methods return what is on disk, and raise LedgerError when that cannot be had."""

    def __init__(self, ledger: Ledger, *, nino_key: bytes, enquiry_lag_seconds: float) -> None:
        self._ledger = ledger
        self._nino_key = nino_key
        self._lag = enquiry_lag_seconds
        self._random = random.Random()
        self._lock = threading.Lock()
        self._by_transfer: dict[str, list[Held]] = defaultdict(list)
        self._by_claim: dict[str, list[Held]] = defaultdict(list)
        self._by_day: dict[date, list[Held]] = defaultdict(list)
        self._by_reference: dict[str, Held] = {}
        self._users: dict[str, list[Held]] = defaultdict(list)
        self._refused: dict[str, Refused] = {}
        self._refusals: Counter[str] = Counter()
        self._gone: dict[str, str] = {}
        for entry in ledger.entries():
            self._apply(entry, visible_at=0.0)

    def receive(self, submission: Submission, messages: Sequence[Message]) -> Reply:
        """Hold a record, or refuse it for these messages and those of what is held: five at most."""
        with self._lock:
            found = (*messages, *self._not_fitting(submission))[:MOST_MESSAGES]
            entry = self._entry(submission) | ({"messages": list(map(asdict, found))} if found else {})
            self._record("refused" if found else "held", entry)
            reference = _reference(self._ledger.next_sequence - 1)
        self._ledger.settle()
        return Reply(completion="R", messages=found) if found else Reply(completion="A", legacy_ref=reference)

    def withdraw(self, transfer_id: str, *, received: datetime) -> Reply:
        """Withdraw the first phase of this transfer; again is as once. Refused where a second phase uses it."""
        with self._lock:
            records = self._by_transfer.get(transfer_id, [])
            found = [held for held in records if held.dialogue == FIRST_PHASE and not self._is(LOST, held)]
            used = any(self._present(self._users.get(held.legacy_ref, [])) for held in found)
            for held in self._present(found) if not used else []:
                self._record(WITHDRAWN, _about(held, received))
        self._ledger.settle()
        if used:
            return Reply(completion="R", messages=(IN_USE,))
        return Reply(completion="A", legacy_ref=found[0].legacy_ref) if found else NOT_KNOWN

    def lose(self, claim_ref: str, *, received: datetime) -> int:
        """Forget all that is held for a claim, as a system has been known to do overnight; how many records."""
        with self._lock:
            found = self._present(self._by_claim.get(claim_ref, []))
            for held in found:
                self._record(LOST, _about(held, received))
        self._ledger.settle()
        return len(found)

    def enquire(self, transfer_id: str) -> Reply:
        """What the enquiry knows by now: it lags behind what is held."""
        with self._lock:
            reply = self._enquired(transfer_id, time.monotonic())
        self._ledger.settle()
        return reply

    def received_on(self, day: date) -> list[Held]:
        """What is held of a day's receipts, in order of receipt."""
        with self._lock:
            found = self._present(self._by_day.get(day, []))
        self._ledger.settle()
        return found

    def claim_of(self, transfer_id: str) -> str | None:
        """The claim of a transfer that is held."""
        with self._lock:
            found = self._by_transfer.get(transfer_id)
        return found[0].claim_ref if found else None

    def summary(self, claim_ref: str | None) -> dict[str, Any]:
        """The ledger in numbers: counts by dialogue and state, and for each claim; with records for one claim."""
        with self._lock:
            chosen = self._by_claim if claim_ref is None else {claim_ref: self._by_claim.get(claim_ref, [])}
            claims = {reference: self._claim(records) for reference, records in chosen.items() if records}
            summary = {
                "dialogues": {name: self._states(name) for name in (FIRST_PHASE, SECOND_PHASE)},
                "claims": claims,
                "duplicates": sum(claim["duplicates"] for claim in claims.values()),
                "half": sum(claim["half"] for claim in claims.values()),
            }
            records = [self._row(held) for held in chosen.get(claim_ref or "", [])]
        self._ledger.settle()
        return summary if claim_ref is None else summary | {"records": records}

    def _enquired(self, transfer_id: str, now: float) -> Reply:
        for held in self._by_transfer.get(transfer_id, []):
            if held.visible_at <= now and not self._is(LOST, held):
                messages = (IS_WITHDRAWN,) if self._is(WITHDRAWN, held) else ()
                return Reply(completion="A", legacy_ref=held.legacy_ref, messages=messages)
        refused = self._refused.get(transfer_id)
        if refused is None or refused.visible_at > now:
            return NOT_KNOWN
        return Reply(completion="R", messages=refused.messages)

    def _not_fitting(self, submission: Submission) -> list[Message]:
        """The edit rules that ask what is held: ..0013 and BA0017."""
        found = []
        prefix = submission.dialogue[:2]
        if submission.action != "N" and not (submission.action == "C" and self._standing(submission)):
            found.append(Message(code=prefix + "0013", field="CM-ACTION", text="NO CLAIM IS HELD THAT THIS CHANGES"))
        if submission.dialogue == SECOND_PHASE and not self._first_phase_fits(submission):
            found.append(Message(code="BA0017", field="JB-ES-LEGACY-REF", text="NO FIRST PHASE HELD FOR THIS CLAIM"))
        return found

    def _first_phase_fits(self, submission: Submission) -> bool:
        first = self._by_reference.get(submission.es_legacy_ref)
        if first is None or first.dialogue != FIRST_PHASE or not self._present([first]):
            return False
        return (first.nino_hmac, first.claim_ref) == (self._hidden(submission.nino), submission.claim_ref)

    def _standing(self, submission: Submission) -> list[Held]:
        held = self._by_claim.get(submission.claim_ref, [])
        return self._present([record for record in held if record.dialogue == submission.dialogue])

    def _present(self, records: Sequence[Held]) -> list[Held]:
        return [held for held in records if held.legacy_ref not in self._gone]

    def _is(self, state: str, held: Held) -> bool:
        return self._gone.get(held.legacy_ref) == state

    def _claim(self, records: Sequence[Held]) -> dict[str, Any]:
        present = self._present(records)
        first = _current([held for held in present if held.dialogue == FIRST_PHASE])
        second = _current([held for held in present if held.dialogue == SECOND_PHASE])
        used = {held.es_legacy_ref for held in second}
        return {
            "es_held": len(first),
            "ba_held": len(second),
            "duplicates": _duplicates(present),
            "half": any(held.legacy_ref not in used for held in first),
        }

    def _states(self, dialogue: str) -> dict[str, int]:
        records = [held for held in self._by_reference.values() if held.dialogue == dialogue]
        gone = Counter(self._gone.get(held.legacy_ref, "held") for held in records)
        return {state: gone[state] for state in ("held", WITHDRAWN, LOST)} | {"refused": self._refusals[dialogue]}

    def _row(self, held: Held) -> dict[str, Any]:
        return {
            "dialogue": held.dialogue,
            "transfer_id": held.transfer_id,
            "action": held.action,
            "legacy_ref": held.legacy_ref,
            "es_legacy_ref": held.es_legacy_ref,
            "received": held.received.isoformat(),
            "state": self._gone.get(held.legacy_ref, "held"),
        }

    def _entry(self, submission: Submission) -> dict[str, Any]:
        entry = asdict(submission)
        del entry["nino"]
        return entry | {"received": submission.received.isoformat(), "nino_hmac": self._hidden(submission.nino)}

    def _hidden(self, nino: str) -> str:
        return hmac.new(self._nino_key, nino.encode(), hashlib.sha256).hexdigest()

    def _record(self, event: str, entry: Mapping[str, Any]) -> None:
        """Into the queue and into memory, under the lock."""
        reference = {"legacy_ref": _reference(self._ledger.next_sequence)} if event == "held" else {}
        whole = {"event": event, **entry, **reference}
        self._ledger.append(whole)
        self._apply(whole, visible_at=time.monotonic() + self._random.uniform(0, self._lag))

    def _apply(self, entry: Mapping[str, Any], *, visible_at: float) -> None:
        if entry["event"] == "held":
            self._keep(_held(entry, visible_at=visible_at))
        elif entry["event"] == "refused":
            messages = tuple(Message(**message) for message in entry["messages"])
            self._refused[entry["transfer_id"]] = Refused(messages=messages, visible_at=visible_at)
            self._refusals[entry["dialogue"]] += 1
        else:
            self._gone[entry["legacy_ref"]] = entry["event"]

    def _keep(self, held: Held) -> None:
        self._by_transfer[held.transfer_id].append(held)
        self._by_claim[held.claim_ref].append(held)
        self._by_day[london_day(held.received)].append(held)
        self._by_reference[held.legacy_ref] = held
        if held.es_legacy_ref:
            self._users[held.es_legacy_ref].append(held)


def _reference(sequence: int) -> str:
    """A legacy reference, 12 characters: the ledger's number never comes twice, so this does not."""
    return f"JS{sequence:010d}"


def _about(held: Held, received: datetime) -> dict[str, Any]:
    names = ("dialogue", "transfer_id", "claim_ref", "action", "legacy_ref")
    return {name: getattr(held, name) for name in names} | {"received": received.isoformat()}


def _held(entry: Mapping[str, Any], *, visible_at: float) -> Held:
    names = ("dialogue", "transfer_id", "claim_ref", "action", "legacy_ref", "nino_hmac", "es_legacy_ref")
    received = datetime.fromisoformat(entry["received"])
    return Held(**{name: entry[name] for name in names}, received=received, visible_at=visible_at)


def _current(records: Sequence[Held]) -> Sequence[Held]:
    """Those of one dialogue that a claimant is paid by: a change takes the place of all before it."""
    last_change = max((place for place, held in enumerate(records) if held.action == "C"), default=0)
    return records[last_change:]


def _duplicates(records: Sequence[Held]) -> int:
    """New claims beyond the first in a dialogue, and changes sent again under the same transfer."""
    new = Counter(held.dialogue for held in records if held.action == "N")
    changes = Counter(held.transfer_id for held in records if held.action == "C")
    return sum(count - 1 for count in (*new.values(), *changes.values()))
