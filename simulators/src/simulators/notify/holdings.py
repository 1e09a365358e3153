"""The messages that Notify has taken. The ledger names nobody: what a message said and to whom is in memory alone."""

import hashlib
import hmac
import re
import secrets
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.ledger import Ledger

RETENTION = timedelta(days=7)
"""How long Notify tells of a message."""
SENDING, DELIVERED = "sending", "delivered"
_CLAIM_REF = re.compile(r"\bC[0-9A-HJKMNP-TV-Z]{11}\b")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The text of a message and its recipient."""

    recipient: str
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message. It is `sending` for `seconds` after it was created, then `fate`; `hidden` keeps it off the list so long."""

    id: str
    type: str
    reference: str
    template: str
    claim_refs: Sequence[str]
    recipient_hmac: str
    text_sha256: str
    created: str
    fate: str = DELIVERED
    seconds: float = 0.0
    hidden: float = 0.0

    def status(self, now: datetime) -> str:
        """The status of the message at a time."""
        return self.fate if self._is_over(self.seconds, now) else SENDING

    def completed(self, now: datetime) -> str | None:
        """When that was known."""
        known = self.fate != SENDING and self._is_over(self.seconds, now)
        return (self._created + timedelta(seconds=self.seconds)).isoformat() if known else None

    def is_listed(self, now: datetime) -> bool:
        """Whether the list shows it."""
        return self._is_over(self.hidden, now) and self.is_kept(now)

    def is_kept(self, now: datetime) -> bool:
        """Whether Notify still tells of it."""
        return now - self._created < RETENTION

    @property
    def _created(self) -> datetime:
        return datetime.fromisoformat(self.created)

    def _is_over(self, seconds: float, now: datetime) -> bool:
        return now - self._created >= timedelta(seconds=seconds)


class Holdings:
    """All messages, oldest first. Its methods raise LedgerError when the disk fails."""

    def __init__(self, ledger: Ledger, *, key_file: Path, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self.now = now
        """The time by which messages come about."""
        self._key = _key(key_file)
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._words: dict[str, Words] = {}
        self._by_claim: dict[str, list[str]] = defaultdict(list)
        self._by_reference: dict[str, list[str]] = defaultdict(list)
        for entry in ledger.entries():
            self._keep(Message(**{name: value for name, value in entry.items() if name not in {"sequence", "event"}}))

    def take(self, words: Words, **facts: Any) -> Message:
        """Take a message; the same reference again is another message, as it is at Notify."""
        text = f"{words.subject}\n{words.body}"
        message = Message(
            id=str(uuid.uuid4()),
            claim_refs=sorted(set(_CLAIM_REF.findall(text))),
            recipient_hmac=hmac.new(self._key, words.recipient.encode(), hashlib.sha256).hexdigest(),
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            created=self.now().isoformat(),
            **facts,
        )
        with self._lock:
            self._ledger.append({"event": "TAKEN", **message.__dict__})
            self._keep(message)
            self._words[message.id] = words
        self._ledger.settle()
        return message

    def find(self, number: str) -> tuple[Message, Words | None] | None:
        """A message by its id, and its words when it was taken since the start."""
        with self._lock:
            message = self._messages.get(number)
            words = self._words.get(number)
        return (message, words) if message and message.is_kept(self.now()) else None

    def listed(self, *, reference: str | None) -> list[tuple[Message, Words | None]]:
        """The messages that the list shows, the latest first; of one reference when it is given."""
        now = self.now()
        with self._lock:
            numbers = list(self._messages) if reference is None else list(self._by_reference.get(reference, []))
            found = [(self._messages[number], self._words.get(number)) for number in reversed(numbers)]
        return [(message, words) for message, words in found if message.is_listed(now)]

    def summary(self, claim_ref: str | None) -> dict[str, Any]:
        """The ledger in numbers, and the messages of each claim whose reference stands in them."""
        now = self.now()
        with self._lock:
            refs = list(self._by_claim) if claim_ref is None else [claim_ref] * (claim_ref in self._by_claim)
            claims = {ref: [self._told(number, now) for number in self._by_claim[ref]] for ref in refs}
            chosen = list(self._messages) if claim_ref is None else self._by_claim.get(claim_ref, [])
            messages = [self._messages[number] for number in chosen]
        references = Counter(message.reference for message in messages if message.reference)
        return {
            "messages": len(messages),
            "types": dict(sorted(Counter(message.type for message in messages).items())),
            "statuses": dict(sorted(Counter(message.status(now) for message in messages).items())),
            "duplicates": sum(count - 1 for count in references.values()),
            "claims": claims,
        }

    def said(self, claim_ref: str | None) -> Iterator[Mapping[str, Any]]:
        """The texts and recipients of messages since the start, the oldest first: for tests, at the control door."""
        with self._lock:
            numbers = list(self._messages) if claim_ref is None else list(self._by_claim.get(claim_ref, []))
            found = [(self._messages[number], self._words[number]) for number in numbers if number in self._words]
        for message, words in found:
            yield {"id": message.id, "type": message.type, "reference": message.reference, **words.__dict__}

    def _told(self, number: str, now: datetime) -> dict[str, Any]:
        message = self._messages[number]
        names = ("id", "type", "reference", "created")
        return {**{name: getattr(message, name) for name in names}, "status": message.status(now)}

    def _keep(self, message: Message) -> None:
        self._messages[message.id] = message
        self._by_reference[message.reference].append(message.id)
        for ref in message.claim_refs:
            self._by_claim[ref].append(message.id)


def _key(path: Path) -> bytes:
    """The key under which a recipient is hashed; made when it is absent."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
