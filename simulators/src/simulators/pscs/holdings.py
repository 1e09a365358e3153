"""The holdings of PSCS: in memory to be asked, in the ledger to be kept. The ledger names no person.

A file and all its lines are one entry of the ledger, so that a crash never leaves half a file. Memory and the ledger's
queue change under one lock; nobody is told before the ledger is on disk.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from simulators.clock import london_day
from simulators.ledger import Ledger
from simulators.pscs.batch import Batch, Detail, Message, Outcome, following

CHANGES_NOTHING = Message(code="PS0013", field="CM-ACTION", text="NO CLAIM IS HELD THAT THIS CHANGES")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A line that was held."""

    transfer_id: str
    claim_ref: str
    action: str
    legacy_ref: str
    received: datetime


class Holdings:
    """All that PSCS holds. Its methods return what is on disk, and raise LedgerError when that cannot be had."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.RLock()
        self._expected = 1
        self._batches: dict[int, Batch] = {}
        self._tokens: dict[str, int] = {}
        self._by_claim: dict[str, list[Held]] = defaultdict(list)
        self._by_day: dict[date, list[Held]] = defaultdict(list)
        self._lost: set[str] = set()
        self._changed_days: set[date] = set()
        self._counts: Counter[str] = Counter()
        for entry in ledger.entries():
            self._apply(entry)

    @property
    def expected(self) -> int:
        """The sequence that is expected next."""
        return self._expected

    def batch(self, sequence: int) -> Batch | None:
        """The file of this sequence as it was last answered."""
        return self._batches.get(sequence)

    def was_taken(self, sequence: int) -> bool:
        """Whether a file of this sequence has been taken, and is not expected again."""
        batch = self._batches.get(sequence)
        return batch is not None and batch.message is None and sequence != self._expected

    def answered(self, token: str) -> int | None:
        """The sequence of the file that was taken in under this token, if it has been answered."""
        return self._tokens.get(token)

    def take(
        self,
        sequence: int,
        details: Sequence[Detail],
        *,
        token: str,
        received: datetime,
        refusal: Callable[[Detail], Message | None],
    ) -> Batch:
        """Hold each line, or refuse it for what `refusal` finds or because it changes nothing; the whole is one entry."""
        with self._lock:
            held: set[str] = set()
            outcomes: list[Outcome] = []
            number = self._counts["held"]
            for detail in details:
                outcome = self._outcome(detail, held, refusal, reference=f"PS{number + 1:010d}")
                if outcome.message is None:
                    number += 1
                    held.add(outcome.claim_ref)
                outcomes.append(outcome)
            self._record(
                {
                    "event": "file",
                    "file": sequence,
                    "token": token,
                    "received": received.isoformat(),
                    "lines": [asdict(outcome) for outcome in outcomes],
                }
            )
        self._ledger.settle()
        return self._batches[sequence]

    def refuse(self, sequence: int, message: Message, *, token: str, received: datetime) -> Batch:
        """Refuse a file whole; the same sequence is expected next."""
        self._write(
            {
                "event": "refused_file",
                "file": sequence,
                "token": token,
                "received": received.isoformat(),
                "message": asdict(message),
            }
        )
        return Batch(sequence=sequence, message=message)

    def repeat(self, sequence: int, *, token: str, received: datetime) -> None:
        """Note that a sequence came again."""
        self._write({"event": "repeat", "file": sequence, "token": token, "received": received.isoformat()})

    def expect(self, sequence: int) -> None:
        """Expect this sequence next, as at a start in the middle of the numbers."""
        self._write({"event": "expected", "file": sequence})

    def lose(self, claim_ref: str, *, received: datetime) -> int:
        """Forget all that is held for a claim, as a system has been known to do overnight; how many records."""
        with self._lock:
            found = self._present(self._by_claim.get(claim_ref, []))
            for held in found:
                about = {"transfer_id": held.transfer_id, "claim_ref": claim_ref, "legacy_ref": held.legacy_ref}
                day = london_day(held.received).isoformat()
                self._record({"event": "lost", **about, "day": day, "received": received.isoformat()})
        self._ledger.settle()
        return len(found)

    def changed_days(self) -> set[date]:
        """The days whose list is another than when this was last asked."""
        with self._lock:
            changed, self._changed_days = self._changed_days, set()
        return changed

    def received_on(self, day: date) -> list[Held]:
        """The records held of a day's receipts, in order of receipt."""
        with self._lock:
            return self._present(self._by_day.get(day, []))

    def summary(self, claim_ref: str | None) -> dict[str, Any]:
        """The ledger in numbers: of files and lines, and for each claim; with records for one claim."""
        with self._lock:
            chosen = self._by_claim if claim_ref is None else {claim_ref: self._by_claim.get(claim_ref, [])}
            claims = {reference: self._claim(records) for reference, records in chosen.items() if records}
            names = ("taken", "refused", "repeated")
            summary = {
                "files": {name: self._counts[f"files_{name}"] for name in names} | {"expected": self._expected},
                "lines": {name: self._counts[name] for name in ("held", "refused", "lost")},
                "claims": claims,
                "duplicates": sum(claim["duplicates"] for claim in claims.values()),
            }
            records = [self._row(held) for held in chosen.get(claim_ref or "", [])]
        self._ledger.settle()
        return summary if claim_ref is None else summary | {"records": records}

    def _outcome(
        self,
        detail: Detail,
        in_file: Collection[str],
        refusal: Callable[[Detail], Message | None],
        *,
        reference: str,
    ) -> Outcome:
        """The outcome of a line; `in_file` are the claims of which a line before it in the file is held."""
        claim_ref, action = detail.text("CM-CLAIM-REF"), detail.text("CM-ACTION")
        message = refusal(detail)
        stands = claim_ref in in_file or bool(self._present(self._by_claim.get(claim_ref, [])))
        if message is None and action != "N" and not (action == "C" and stands):
            message = CHANGES_NOTHING
        return Outcome(
            transfer_id=detail.transfer_id,
            claim_ref=claim_ref,
            action=action,
            legacy_ref="" if message else reference,
            message=message,
        )

    def _present(self, records: Sequence[Held]) -> list[Held]:
        return [held for held in records if held.legacy_ref not in self._lost]

    def _claim(self, records: Sequence[Held]) -> dict[str, Any]:
        present = self._present(records)
        last_change = max((place for place, held in enumerate(present) if held.action == "C"), default=0)
        return {"held": len(present[last_change:]), "duplicates": _duplicates(present)}

    def _row(self, held: Held) -> dict[str, Any]:
        state = "lost" if held.legacy_ref in self._lost else "held"
        return asdict(held) | {"received": held.received.isoformat(), "state": state}

    def _write(self, entry: Mapping[str, Any]) -> None:
        with self._lock:
            self._record(entry)
        self._ledger.settle()

    def _record(self, entry: Mapping[str, Any]) -> None:
        """Into the queue and into memory, under the lock."""
        self._ledger.append(entry)
        self._apply(entry)

    def _apply(self, entry: Mapping[str, Any]) -> None:
        if "token" in entry:
            self._tokens[entry["token"]] = entry["file"]
        event = entry["event"]
        if event == "file":
            self._apply_file(entry)
        elif event == "refused_file":
            self._apply_refused_file(entry)
        elif event == "lost":
            self._apply_lost(entry)
        elif event == "expected":
            self._expected = entry["file"]
        else:
            self._counts["files_repeated"] += 1

    def _apply_file(self, entry: Mapping[str, Any]) -> None:
        outcomes = tuple(_outcomes(entry["lines"]))
        received = datetime.fromisoformat(entry["received"])
        for outcome in outcomes:
            self._counts["refused" if outcome.message else "held"] += 1
            if outcome.message is None:
                self._keep(outcome, received)
        self._batches[entry["file"]] = Batch(sequence=entry["file"], outcomes=outcomes)
        self._expected = following(entry["file"])
        self._counts["files_taken"] += 1

    def _keep(self, outcome: Outcome, received: datetime) -> None:
        held = Held(
            transfer_id=outcome.transfer_id,
            claim_ref=outcome.claim_ref,
            action=outcome.action,
            legacy_ref=outcome.legacy_ref,
            received=received,
        )
        self._by_claim[held.claim_ref].append(held)
        self._by_day[london_day(received)].append(held)
        self._changed_days.add(london_day(received))

    def _apply_refused_file(self, entry: Mapping[str, Any]) -> None:
        message = Message(**entry["message"])
        self._batches[entry["file"]] = Batch(sequence=entry["file"], message=message)
        self._counts["files_refused"] += 1

    def _apply_lost(self, entry: Mapping[str, Any]) -> None:
        self._lost.add(entry["legacy_ref"])
        self._counts["lost"] += 1
        self._changed_days.add(date.fromisoformat(entry["day"]))


def _outcomes(lines: Sequence[Mapping[str, Any]]) -> Iterator[Outcome]:
    for line in lines:
        message = Message(**line["message"]) if line["message"] else None
        yield Outcome(**{**line, "message": message})


def _duplicates(records: Sequence[Held]) -> int:
    """New claims beyond the first, and changes sent again under the same transfer."""
    new = sum(held.action == "N" for held in records)
    changes = Counter(held.transfer_id for held in records if held.action == "C")
    return max(0, new - 1) + sum(count - 1 for count in changes.values())
