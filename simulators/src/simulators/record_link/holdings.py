"""The holdings of a mainframe: in memory to be asked, in the ledger to be kept.

Whatever changes goes to memory and into the ledger's queue under one lock, so that both have one order; nobody is told
before the ledger is on disk. The ledger names no person: a NINO is there only as an HMAC, whose key lies beside it.
"""

import hashlib
import hmac
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from simulators.clock import Clock, london_day
from simulators.ledger import Ledger
from simulators.record_link import summary
from simulators.record_link.edit_rules import MOST_MESSAGES
from simulators.record_link.failures import RecordsToLose
from simulators.record_link.held import HELD, LOST, WITHDRAWN, Held
from simulators.record_link.link import Message, Reply
from simulators.record_link.mainframe import Mainframe

NOT_KNOWN = Reply(completion="N")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A record that asks to be held. `first_reference` is the second phase's word for its first.

    One that comes `until_night` is forgotten when the day of its receipt is over.
    """

    dialogue: str
    transfer_id: str
    claim_ref: str
    action: str
    nino: str
    payload_sha256: str
    received: datetime
    first_reference: str = ""
    until_night: bool = False


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A record that was refused, and when the enquiry knows of it."""

    messages: tuple[Message, ...]
    visible_at: float


class Holdings:
    """All that a mainframe holds. Its methods return what is on disk, and raise LedgerError when that cannot be had."""

    def __init__(
        self, ledger: Ledger, mainframe: Mainframe, *, nino_key: bytes, time_scale: float, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._mainframe = mainframe
        self._nino_key = nino_key
        self._lag = mainframe.enquiry_lag_seconds * time_scale
        self._clock = clock
        self._random = random.Random()
        self._lock = threading.Lock()
        self._by_transfer: dict[str, list[Held]] = defaultdict(list)
        self._by_claim: dict[str, list[Held]] = defaultdict(list)
        self._by_day: dict[date, list[Held]] = defaultdict(list)
        self._by_reference: dict[str, Held] = {}
        self._users: dict[str, list[Held]] = defaultdict(list)
        self._until_night: list[Held] = []
        self._refused: dict[str, Refused] = {}
        self._refusals: Counter[str] = Counter()
        self._gone: dict[str, str] = {}
        for entry in ledger.entries():
            self._apply(entry, visible_at=0.0)

    def receive(self, submission: Submission, messages: Sequence[Message]) -> Reply:
        """Hold a record, or refuse it for these messages and those of what is held: five at most.

        Where the mainframe recognises a repeat, that is answered first.
        """
        with self._lock:
            self._forget_what_is_over()
            reply = self._repeat(submission) or self._received(submission, messages)
        self._ledger.settle()
        return reply

    def withdraw(self, transfer_id: str, *, received: datetime) -> Reply:
        """Withdraw the first phase of this transfer; again is as once. Refused where a second phase uses it."""
        first = self._mainframe.phases[0]
        with self._lock:
            self._forget_what_is_over()
            records = self._by_transfer.get(transfer_id, [])
            found = [held for held in records if held.dialogue == first.dialogue and self._state(held) != LOST]
            used = any(self._present(self._users.get(held.legacy_ref, [])) for held in found)
            for held in self._present(found) if not used else []:
                self._record(WITHDRAWN, _about(held, received))
        self._ledger.settle()
        if used:
            field = self._mainframe.phases[1].reference_field
            in_use = Message(code=first.code("0030"), field=field, text="A SECOND PHASE USES THIS REFERENCE")
            return Reply(completion="R", messages=(in_use,))
        return Reply(completion="A", legacy_ref=found[0].legacy_ref) if found else NOT_KNOWN

    def lose(self, order: RecordsToLose) -> int:
        """Forget what is held, as a system has been known to do overnight; how many records."""
        source = random.Random(order.seed)
        with self._lock:
            records = (
                self._by_reference.values() if order.claim_ref is None else self._by_claim.get(order.claim_ref, [])
            )
            chosen = [held for held in self._present(records) if order.dialogue in {None, held.dialogue}]
            found = [held for held in chosen if order.rate is None or source.random() < order.rate]
            self._forget(found)
        self._ledger.settle()
        return len(found)

    def enquire(self, transfer_id: str) -> Reply:
        """The answer of the enquiry by now: it may lag behind what is held."""
        with self._lock:
            self._forget_what_is_over()
            reply = self._enquired(transfer_id, time.monotonic())
        self._ledger.settle()
        return reply

    def received_on(self, day: date) -> list[Held]:
        """The records held of a day's receipts, in order of receipt."""
        with self._lock:
            self._forget_what_is_over()
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
            self._forget_what_is_over()
            claims = self._by_claim if claim_ref is None else {claim_ref: self._by_claim.get(claim_ref, [])}
            stated = {ref: [(held, self._state(held)) for held in records] for ref, records in claims.items()}
            counted = [(held.dialogue, self._state(held)) for held in self._by_reference.values()]
            refusals = dict(self._refusals)
        self._ledger.settle()
        whole = summary.of_claims(self._mainframe, stated) | summary.of_dialogues(self._mainframe, counted, refusals)
        return whole if claim_ref is None else whole | {"records": [summary.row(*pair) for pair in stated[claim_ref]]}

    def _repeat(self, submission: Submission) -> Reply | None:
        """The answer to a transfer id that is held already, where the mainframe recognises it."""
        held = self._present(self._by_transfer.get(submission.transfer_id, []))
        if not self._mainframe.recognises_repeat or not held:
            return None
        same = held[0].payload_sha256 == submission.payload_sha256
        return Reply(completion="D" if same else "C", legacy_ref=held[0].legacy_ref if same else "")

    def _received(self, submission: Submission, messages: Sequence[Message]) -> Reply:
        found = (*messages, *self._not_fitting(submission))[:MOST_MESSAGES]
        entry = self._entry(submission) | ({"messages": [vars(message) for message in found]} if found else {})
        self._record("refused" if found else HELD, entry)
        if found:
            return Reply(completion="R", messages=found)
        return Reply(completion="A", legacy_ref=self._reference(self._ledger.next_sequence - 1))

    def _enquired(self, transfer_id: str, now: float) -> Reply:
        for held in self._by_transfer.get(transfer_id, []):
            if held.visible_at <= now and self._state(held) != LOST:
                messages = (self._withdrawn(),) if self._state(held) == WITHDRAWN else ()
                return Reply(completion="A", legacy_ref=held.legacy_ref, messages=messages)
        refused = self._refused.get(transfer_id)
        if refused is None or refused.visible_at > now:
            return NOT_KNOWN
        return Reply(completion="R", messages=refused.messages)

    def _withdrawn(self) -> Message:
        return Message(code=self._mainframe.phases[0].code("0031"), field="EN-TRANSFER-ID", text="WITHDRAWN")

    def _not_fitting(self, submission: Submission) -> list[Message]:
        """The edit rules that ask what is held: ..0013 and, of a second phase, ..0017."""
        found = []
        phase = self._mainframe.by_dialogue[submission.dialogue]
        if submission.action != "N" and not (submission.action == "C" and self._standing(submission)):
            found.append(Message(code=phase.code("0013"), field="CM-ACTION", text="NO CLAIM IS HELD THAT THIS CHANGES"))
        if phase.reference_field and not self._first_phase_fits(submission):
            text = "NO FIRST PHASE HELD FOR THIS CLAIM"
            found.append(Message(code=phase.code("0017"), field=phase.reference_field, text=text))
        return found

    def _first_phase_fits(self, submission: Submission) -> bool:
        """Whether it names the newest first phase that is held for the same NINO and claim."""
        first, nino_hmac = self._mainframe.phases[0].dialogue, self._hidden(submission.nino)
        held = self._present(self._by_claim.get(submission.claim_ref, []))
        newest = [record for record in held if (record.dialogue, record.nino_hmac) == (first, nino_hmac)][-1:]
        return [record.legacy_ref for record in newest] == [submission.first_reference]

    def _standing(self, submission: Submission) -> list[Held]:
        held = self._by_claim.get(submission.claim_ref, [])
        return self._present([record for record in held if record.dialogue == submission.dialogue])

    def _present(self, records: Iterable[Held]) -> list[Held]:
        return [held for held in records if held.legacy_ref not in self._gone]

    def _state(self, held: Held) -> str:
        return self._gone.get(held.legacy_ref, HELD)

    def _forget_what_is_over(self) -> None:
        """Lose what was to be kept until the night, once that has come."""
        if self._until_night and (today := self._clock.today()) > london_day(self._until_night[0].received):
            over = [held for held in self._until_night if london_day(held.received) < today]
            self._until_night = [held for held in self._until_night if london_day(held.received) >= today]
            self._forget(self._present(over))

    def _forget(self, records: Sequence[Held]) -> None:
        for held in records:
            self._record(LOST, _about(held, self._clock.now()))

    def _entry(self, submission: Submission) -> dict[str, Any]:
        entry = {name: value for name, value in vars(submission).items() if name != "nino"}
        return entry | {"received": submission.received.isoformat(), "nino_hmac": self._hidden(submission.nino)}

    def _hidden(self, nino: str) -> str:
        return hmac.new(self._nino_key, nino.encode(), hashlib.sha256).hexdigest()

    def _reference(self, sequence: int) -> str:
        """A legacy reference, 12 characters: the ledger's number never comes twice, so this does not."""
        return f"{self._mainframe.reference_prefix}{sequence:010d}"

    def _record(self, event: str, entry: Mapping[str, Any]) -> None:
        """Into the queue and into memory, under the lock."""
        reference = {"legacy_ref": self._reference(self._ledger.next_sequence)} if event == HELD else {}
        whole = {"event": event, **entry, **reference}
        self._ledger.append(whole)
        self._apply(whole, visible_at=time.monotonic() + self._random.uniform(0, self._lag))

    def _apply(self, entry: Mapping[str, Any], *, visible_at: float) -> None:
        if entry["event"] == HELD:
            self._keep(Held.from_entry(entry, visible_at=visible_at))
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
        if held.first_reference:
            self._users[held.first_reference].append(held)
        if held.until_night:
            self._until_night.append(held)


def _about(held: Held, received: datetime) -> dict[str, Any]:
    names = ("dialogue", "transfer_id", "claim_ref", "action", "legacy_ref")
    return {name: getattr(held, name) for name in names} | {"received": received.isoformat()}
