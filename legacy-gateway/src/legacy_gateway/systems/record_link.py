"""The adapter of the systems on the record link. See docs/interfaces/legacy.md, "The record link"."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import ceil

from chassis import clock
from legacy_gateway import mapping
from legacy_gateway.domain import HeldRecord, Result, Rules, SystemAnswer, new_transfer_id
from legacy_gateway.link import (
    Completion,
    LinkPool,
    NothingSent,
    OutcomeUnknown,
    Reply,
    ask,
    pages_of_day,
    withdraw,
)

_FEWEST_CONNECTIONS = 2

_RESULTS: Mapping[Completion, tuple[Result, str]] = {
    Completion.ACCEPTED: (Result.HELD, "NONE"),
    Completion.DUPLICATE: (Result.HELD, "NONE"),
    Completion.CONFLICT: (Result.CONFLICT, "OTHER_PAYLOAD"),
    Completion.REJECTED: (Result.REFUSED, "EDIT_RULE"),
    Completion.SYSTEM_ERROR: (Result.SYSTEM_ERROR, "SYSTEM_ERROR"),
    Completion.BUSY: (Result.BUSY, "BUSY"),
    Completion.NOT_KNOWN: (Result.NOT_KNOWN, "NONE"),
}


class RecordLinkSystem:
    """A system on the record link."""

    def __init__(self, rules: Rules, pool: LinkPool) -> None:
        self._rules = rules
        self._pool = pool

    @classmethod
    def to(cls, rules: Rules, host: str, port: int, *, senders: int, timeout: float) -> "RecordLinkSystem":
        """The system at an address, for so many threads that send, once it is allowed connections.

        `timeout` in seconds bounds each call.

        Where several records may be in flight on a connection, two connections do for a few: one that fails leaves the other.
        """
        size = min(senders, max(_FEWEST_CONNECTIONS, ceil(senders / rules.in_flight)))
        pool = LinkPool(host, port, size=size, timeout=timeout, in_flight=rules.in_flight)
        pool.allow(0)  # until the process has claimed some
        return cls(rules, pool)

    @property
    def rules(self) -> Rules:
        """The system's rules."""
        return self._rules

    @property
    def connections(self) -> int:
        """How many connections it would open."""
        return self._pool.size

    def allow(self, count: int) -> None:
        """Lets it open so many. Fewer than before ends the calls under way, and closes all."""
        self._pool.allow(count)

    def send(self, phase: int, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        """Sends a record once, and no byte after `send_by` (monotonic). NO_REPLY: it may be held; the connection is closed."""
        dialogue = mapping.phase_of(self._rules.system, phase).dialogue
        try:
            return self._answer(self._pool.call(dialogue, transfer_id, payload, sent_at=clock.now(), send_by=send_by))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks what became of a record (ENQ01)."""
        try:
            return self._answer(ask(self._pool, transfer_id, sent_at=clock.now()))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """Withdraws a first phase (CN504). NotImplementedError where the system knows no such dialogue."""
        if not self._rules.withdraws_first_phase:
            raise NotImplementedError(f"{self._rules.system} withdraws no record")
        try:
            return self._answer(withdraw(self._pool, transfer_id, sent_at=clock.now()))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        """The records that the system lists under a day (REC01), page by page. Raises Unavailable and ListingChanged."""
        return pages_of_day(self._pool, day, next_id=new_transfer_id, now=clock.now)

    def reset(self) -> None:
        """Ends the calls under way and closes every connection. A later call opens one again."""
        self._pool.reset()

    def close(self) -> None:
        """Waits for the calls under way and closes every connection, for good."""
        self._pool.close()

    def _answer(self, reply: Reply) -> SystemAnswer:
        result, reason = _RESULTS[reply.completion]
        return SystemAnswer(
            result=result,
            reason=reason,
            legacy_ref=reply.legacy_ref,
            retry_after_seconds=float(reply.retry_after_seconds),
            messages=tuple(
                mapping.refusal_message(self._rules.system, code=one.code, field=one.field) for one in reply.messages
            ),
        )


def _no_answer(failure: NothingSent | OutcomeUnknown) -> SystemAnswer:
    result = Result.NOT_SENT if isinstance(failure, NothingSent) else Result.NO_REPLY
    return SystemAnswer(result=result, reason=failure.fault)
