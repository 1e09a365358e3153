"""Batches: the life of a file of records on its way to a system that takes files, by docs/interfaces/legacy.md.

A batch has a sequence and its bytes before the first of them leaves. The system recognises a repeated sequence and holds
nothing more for it, so the same bytes may go as often as it takes. The bytes are changed only after a refusal, in which the
system says that it holds nothing of the file; the details in it never change, so whichever version was taken, the response
is about the same transfers. The next batch is made only when this one is ANSWERED.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chassis.errors import FailedPrecondition, InvalidArgument
from legacy_gateway.domain.systems import HeldRecord, System
from legacy_gateway.domain.transfers import Waits

MOST_DETAILS = 10_000
LOOK_SECONDS = 30.0
"""How often the response is looked for, times the scale; a cycle of the system's takes 30 minutes by day."""
_LAST_SEQUENCE = 999_999
MOST_REFUSALS = 10
"""After so many refusals of one file, half an hour by the back-off, a person looks."""
_REPLACED_SECONDS = 2.0
"""A corrected file waits so long in real time, so that the response to it is of another second than the refusal's."""
REPEAT_AFTER = timedelta(hours=4)
"""A file that was fetched and is not answered for so long goes once more: it may be lost there. A cycle takes 30 minutes."""
GIVE_UP_AFTER = timedelta(days=1)
"""A file that is known to be taken and is not answered for so long: the daily lists tell what is held of it."""
WRONG_FOR = timedelta(hours=1)
"""Instead of both where there is an answer and it is wrong: so long the system has to put it right."""
_MARGIN = timedelta(hours=1)
"""How far the system's clock may be from ours where a record's day of receipt is asked."""


class BatchState(StrEnum):
    """The state of a batch. Every state but ANSWERED holds up the next batch."""

    BUILT = "BUILT"
    SENT = "SENT"
    REFUSED = "REFUSED"
    CLERICAL = "CLERICAL"
    ANSWERED = "ANSWERED"


class FileFault(StrEnum):
    """The reason for not believing a file of the system's."""

    LENGTH = "LENGTH"
    UNREADABLE = "UNREADABLE"
    OTHER_SEQUENCE = "OTHER_SEQUENCE"
    COUNT = "COUNT"
    OTHER_TRANSFERS = "OTHER_TRANSFERS"
    TOO_LONG = "TOO_LONG"


class NotBelieved(InvalidArgument):
    """A file of the system's contradicts itself or the batch. Nothing of it is believed."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(
            "FILE_NOT_BELIEVED", f"a file of the system is not believed: {fault}", metadata={"fault": fault}
        )
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a file at the system: its time of change in whole seconds of the system's clock, and its size."""

    changed: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """The response to one detail. `legacy_ref` where it is held, `code` and `field` of the broken rule where it is not."""

    transfer_id: str
    legacy_ref: str = ""
    code: str = ""
    field: str = ""

    @property
    def is_held(self) -> bool:
        """Whether the system holds the record."""
        return bool(self.legacy_ref)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response that can be read. `refusal` is the code if the whole file was refused, else empty; `count` the trailer's."""

    sequence: int
    refusal: str = ""
    lines: Sequence[Line] = ()
    count: int

    def must_fit(self, sequence: int, transfer_ids: Collection[str]) -> None:
        """Raises NotBelieved unless it is about this batch. A line may be missing; none may be another's or there twice.

        Its count may be that of the lines which are there, or of those which should be.
        """
        if self.sequence != sequence:
            raise NotBelieved(FileFault.OTHER_SEQUENCE)
        if self.count not in {len(self.lines), 0 if self.refusal else len(transfer_ids)}:
            raise NotBelieved(FileFault.COUNT)
        named = [line.transfer_id for line in self.lines]
        if len(set(named)) != len(named) or not set(named) <= set(transfer_ids):
            raise NotBelieved(FileFault.OTHER_TRANSFERS)


@dataclass(frozen=True, kw_only=True)
class BatchStep:
    """The changes that a transition makes. `wait_seconds` from now is the next look.

    `fault` says what is wrong with the system's files; a batch with one has an owner at once. `refused_by` is the version of
    the response that refused the file, which is not the answer to its correction.
    """

    state: BatchState
    wait_seconds: float
    setbacks: int = 0
    refusals: int = 0
    taken: bool = False
    fault: str = ""
    refused_by: Version | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One file for one system. `number` counts batches and never wraps; `sequence` is the file's.

    `taken`: the system said that it has this sequence. `sent_time` is when it first may have been at the system,
    `since_sent` the real time since it was sent last.
    """

    system: System
    number: int
    sequence: int
    state: BatchState
    details: int
    setbacks: int = 0
    refusals: int = 0
    taken: bool = False
    fault: str = ""
    refused_by: Version | None = None
    since_sent: timedelta | None = None

    def uploaded(self, waits: Waits) -> BatchStep:
        """It is whole at the system. FailedPrecondition unless it is BUILT."""
        self._must_be(BatchState.BUILT)
        return replace(self._kept(BatchState.SENT, LOOK_SECONDS * waits.scale), setbacks=0)

    def not_uploaded(self, waits: Waits) -> BatchStep:
        """The system was away, or broke off: the same bytes go again. FailedPrecondition unless it is BUILT."""
        self._must_be(BatchState.BUILT)
        return replace(self._kept(BatchState.BUILT, waits.back_off(self.setbacks)), setbacks=self.setbacks + 1)

    def not_looked(self, waits: Waits) -> BatchStep:
        """The system was away when the response was looked for. FailedPrecondition unless it is SENT."""
        self._must_be(BatchState.SENT)
        return replace(self._kept(BatchState.SENT, waits.back_off(self.setbacks)), setbacks=self.setbacks + 1)

    def misread(self, fault: FileFault) -> "Batch":
        """The batch with what is wrong with its response, of which nothing is believed."""
        return replace(self, fault=fault)

    def is_new(self, version: Version) -> bool:
        """Whether a response is not the one that refused the file before it was corrected."""
        return version != self.refused_by

    def refused(self, code: str, version: Version, waits: Waits) -> BatchStep:
        """The system refused the file whole, and holds nothing of it. FailedPrecondition unless it is BUILT or SENT."""
        self._must_be(BatchState.BUILT, BatchState.SENT)
        refusals = self.refusals + 1
        state = BatchState.CLERICAL if refusals >= MOST_REFUSALS else BatchState.REFUSED
        wait = max(_REPLACED_SECONDS, waits.back_off(self.refusals))
        return BatchStep(state=state, wait_seconds=wait, refusals=refusals, fault=code, refused_by=version)

    def corrected(self) -> BatchStep:
        """It was made anew under the same sequence. FailedPrecondition unless it is REFUSED."""
        self._must_be(BatchState.REFUSED)
        return self._kept(BatchState.BUILT, 0.0)

    def unanswered(self, waits: Waits, *, fetched: bool, duplicate: bool) -> BatchStep:
        """There is no response yet, or a wrong one. FailedPrecondition unless it is SENT.

        `fetched`: the file is gone from where we put it. `duplicate`: the system says that it has taken this sequence. What
        was fetched and is not answered for long goes once more: if the system has it, it says so, and holds nothing more.
        """
        self._must_be(BatchState.SENT)
        taken = self.taken or duplicate
        if fetched and not taken and self._waits_for(REPEAT_AFTER, waits):
            return self._kept(BatchState.BUILT, 0.0)
        return replace(self._kept(BatchState.SENT, LOOK_SECONDS * waits.scale), taken=taken)

    def is_given_up(self, waits: Waits) -> bool:
        """Whether its response is not awaited any more, because the daily lists tell what the system holds of it."""
        return self.state is BatchState.SENT and self.taken and self._waits_for(GIVE_UP_AFTER, waits)

    def answered(self) -> BatchStep:
        """Every line is settled. FailedPrecondition unless it is BUILT or SENT."""
        self._must_be(BatchState.BUILT, BatchState.SENT)
        return replace(self._kept(BatchState.ANSWERED, 0.0), fault="")

    def tried_again(self) -> BatchStep:
        """A person has found out why it was refused, and it goes again. FailedPrecondition unless it is CLERICAL."""
        self._must_be(BatchState.CLERICAL)
        return replace(self._kept(BatchState.REFUSED, 0.0), refusals=0)

    def _waits_for(self, length: timedelta, waits: Waits) -> bool:
        allowed = (WRONG_FOR if self.fault else length) * waits.scale
        return self.since_sent is not None and self.since_sent >= allowed

    def _kept(self, state: BatchState, wait_seconds: float) -> BatchStep:
        return BatchStep(
            state=state,
            wait_seconds=wait_seconds,
            setbacks=self.setbacks,
            refusals=self.refusals,
            taken=self.taken,
            fault=self.fault,
            refused_by=self.refused_by,
        )

    def _must_be(self, *states: BatchState) -> None:
        if self.state not in states:
            raise FailedPrecondition(
                "BATCH_STATE",
                f"batch {self.number} is {self.state}, not {' or '.join(states)}",
                metadata={"system": self.system, "sequence": str(self.sequence)},
            )


def sequence_after(sequence: int) -> int:
    """The sequence of the next file: from 1 up by one, 999999 is followed by 1."""
    return 1 if sequence >= _LAST_SEQUENCE else sequence + 1


@dataclass(frozen=True, kw_only=True)
class DayList:
    """A system's list of what it holds for a day. `changed` grows whenever it is written."""

    changed: int
    records: Sequence[HeldRecord]


@dataclass(frozen=True, kw_only=True)
class MissingLines:
    """The transfers of an answered batch that its response did not name, and those that it named as held.

    The times are on the platform's clock. `list_seen` is the first version of the last day's list that was read after the
    answer, 0 if there was none; None if it was not looked for yet.
    """

    system: System
    number: int
    sent_time: datetime
    answered_time: datetime
    list_seen: int | None
    missing: Sequence[str]
    held: Sequence[str]

    def days(self, day_of: Callable[[datetime], date]) -> Sequence[date]:
        """The days under which the system may list them: those between the sending and the answer, with a margin.

        `day_of` gives the day of a moment where the system is.
        """
        first, last = day_of(self.sent_time - _MARGIN), day_of(self.answered_time + _MARGIN)
        return [first + timedelta(days=later) for later in range((last - first).days + 1)]

    def references(self, lists: Mapping[date, DayList]) -> Mapping[str, str]:
        """The references of the missing transfers that are listed."""
        listed = {record.transfer_id: record.legacy_ref for one in lists.values() for record in one.records}
        return {transfer_id: listed[transfer_id] for transfer_id in self.missing if transfer_id in listed}

    def are_whole(self, lists: Mapping[date, DayList], days: Sequence[date]) -> bool:
        """Whether what these lists do not name is not held.

        They are there for all the days. The last one has been written since it was first read after the answer, so the system
        has done a cycle since. They name everything that the answer named as held: a list that was cut short does not.
        """
        if self.list_seen is None or any(day not in lists for day in days) or lists[days[-1]].changed <= self.list_seen:
            return False
        listed = {record.transfer_id for one in lists.values() for record in one.records}
        return set(self.held) <= listed
