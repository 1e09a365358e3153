"""Exchanging files with a system that takes files: making the next one, sending it, and storing what its response says.

A step is short transactions with the exchange between them. A file's sequence and bytes are committed before the first of
them leaves; a process that ends at any point repeats the same bytes. One process has the turn at a time. A stopped one that
goes on later does no harm: the system recognises the sequence, and what it learned is not stored.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from cryptography.exceptions import InvalidTag

from chassis import clock, crash, logs
from chassis.database import Connection
from chassis.errors import Unavailable
from chassis.sftp import SftpAway
from legacy_gateway import metrics
from legacy_gateway.domain import Breaker, Result, System, SystemAnswer
from legacy_gateway.domain.batches import (
    LOOK_SECONDS,
    MOST_DETAILS,
    Batch,
    BatchState,
    BatchStep,
    DayList,
    NotBelieved,
    Response,
    Version,
)
from legacy_gateway.records import RecordError
from legacy_gateway.service import breakers
from legacy_gateway.service.file_lines import FileLines
from legacy_gateway.service.file_turns import Turn
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.settling import log_step
from legacy_gateway.store import batches
from legacy_gateway.store.batches import OpenBatch, SealedRecord
from legacy_gateway.systems import FileSystem


class FileWork:
    """The work on one system's files, step by step."""

    def __init__(self, resources: Resources, system: System) -> None:
        self._resources = resources
        self._system = system
        self._files: FileSystem = resources.files[system]
        self._vault = resources.vault
        self._next_lists = 0.0

    def step(self) -> bool:
        """Does what is due about the open file, or makes the next one; says whether there may be more at once."""
        if not self._resources.presence.is_held:
            return False
        with self._resources.presence.sending() as sender_id:
            turn = Turn(self._resources, self._system, sender_id)
            standing = turn.take()
            if standing is None or standing.gate.breaker is Breaker.OPEN:
                return False
            may_send = standing.gate.hold is None
            if standing.found is None:
                return (may_send and self._make_next(turn)) or self._settle_missing(turn)
            return self._go_on(turn, standing.found, may_send=may_send) or self._settle_missing(turn)

    def _go_on(self, turn: Turn, found: OpenBatch, *, may_send: bool) -> bool:
        if not found.is_due or not (may_send or found.batch.state is BatchState.SENT):
            return False
        match found.batch.state:
            case BatchState.REFUSED:
                return self._make_anew(turn, found.batch)
            case BatchState.BUILT:
                return self._send(turn, found.batch)
            case BatchState.SENT:
                return self._look(turn, found.batch)
            case _:
                return False

    def _make_next(self, turn: Turn) -> bool:
        with turn.transaction() as (conn, numbers):
            records = self._fitting(conn, batches.records_for_next(conn, self._vault, self._system, most=MOST_DETAILS))
            if not records:
                return False
            number, sequence = batches.next_numbers(*numbers)
            content = self._files.write(sequence, clock.now(), records)
            ids = [transfer_id for transfer_id, _ in records]
            batches.add(
                conn, self._vault, self._system, number=number, sequence=sequence, content=content, transfer_ids=ids
            )
        _log("file made", self._system, sequence, count=len(ids))
        crash.point("batch.after_making")
        return True

    def _make_anew(self, turn: Turn, batch: Batch) -> bool:
        with turn.transaction() as (conn, _):
            records = [(one.transfer.transfer_id, one.open()) for one in batches.records_of(conn, self._vault, batch)]
            content = self._files.write(batch.sequence, clock.now(), records)
            batches.store_step(conn, self._vault, batch, batch.corrected(), content=content)
        _log("file made anew", self._system, batch.sequence)
        return True

    def _send(self, turn: Turn, batch: Batch) -> bool:
        with turn.transaction() as (conn, _):
            content = batches.content_of(conn, self._vault, batch)
            batches.note_sending(conn, batch)
        crash.point("batch.before_upload")
        try:
            # A process that ended before it stored this may have sent it, and the response be there.
            found = self._files.look(batch.sequence)
            if found.answer and self._take(turn, batch, *found.answer) is None:
                return True
            self._files.put(batch.sequence, content)
        except Unavailable as away:
            return self._store(
                turn, batch, batch.not_uploaded(self._resources.waits), reason=_reason(away), answered=False
            )
        crash.point("batch.after_rename")
        return self._store(turn, batch, batch.uploaded(self._resources.waits), reason="NONE")

    def _look(self, turn: Turn, batch: Batch) -> bool:
        try:
            found = self._files.look(batch.sequence)
        except Unavailable as away:
            return self._store(
                turn, batch, batch.not_looked(self._resources.waits), reason=_reason(away), answered=False
            )
        crash.point("batch.after_response")
        looked = self._take(turn, batch, *found.answer) if found.answer else batch
        if looked is None:
            return True
        if looked.is_given_up(self._resources.waits):
            return self._settle(turn, looked, None)
        step = looked.unanswered(self._resources.waits, fetched=found.fetched, duplicate=found.duplicate)
        return self._store(turn, batch, step, reason=looked.fault or "NO_RESPONSE")

    def _take(self, turn: Turn, batch: Batch, version: Version, answer: bytes) -> Batch | None:
        """Takes a response in; the batch, where that was not to be believed or is an older one's; None where it was stored."""
        if not batch.is_new(version):
            return batch
        try:
            response = self._files.read(answer)
            with turn.transaction() as (conn, _):
                response.must_fit(batch.sequence, batches.transfer_ids_of(conn, batch))
        except NotBelieved as wrong:
            _warn("response not believed", self._system, batch.sequence, wrong.fault)
            return batch.misread(wrong.fault)
        if response.refusal:
            step = batch.refused(response.refusal, version, self._resources.waits)
            _warn("file refused", self._system, batch.sequence, response.refusal)
            self._store(turn, batch, step, reason="FILE_REFUSED")
        else:
            self._settle(turn, batch, response)
        return None

    def _settle(self, turn: Turn, batch: Batch, response: Response | None) -> bool:
        """Stores what became of every line; without a response all are unknown, and the daily lists tell."""
        FileLines(self._resources, turn).of_response(batch, response)
        crash.point("batch.after_storing")
        metrics.count_file(self._system, "ANSWERED" if response else "GIVEN_UP")
        _log("file answered", self._system, batch.sequence)
        return True

    def _settle_missing(self, turn: Turn) -> bool:
        """Looks in the daily lists for what responses did not name."""
        if time.monotonic() < self._next_lists:
            return False
        self._next_lists = time.monotonic() + LOOK_SECONDS * self._resources.waits.scale
        with turn.transaction() as (conn, _):
            missing = batches.missing(conn, self._system)
        for lines in missing:
            days = lines.days(_london_day)
            lists = self._lists(days)
            if lists is not None:
                FileLines(self._resources, turn).of_lists(lines, lists, days)
        return False

    def _lists(self, days: Sequence[date]) -> Mapping[date, DayList] | None:
        try:
            found = {day: self._files.day_list(day) for day in days}
        except NotBelieved as wrong:
            _warn("daily list not believed", self._system, 0, wrong.fault)
            metrics.count_file(self._system, wrong.fault)
            return None
        except Unavailable as away:
            metrics.count_file(self._system, _reason(away))
            return None
        return {day: one for day, one in found.items() if one is not None}

    def _fitting(self, conn: Connection, records: Sequence[SealedRecord]) -> list[tuple[str, bytes]]:
        """The records that can go in a file. Where our own code failed over one it is put off, and the file goes without it."""
        fitting: list[tuple[str, bytes]] = []
        for one in records:
            try:
                record = one.open()
                self._files.must_fit(record)
            except (InvalidTag, RecordError):
                metrics.count_defect(one.transfer)
                batches.put_off(conn, one.transfer, one.transfer.hit_defect(self._resources.waits))
                log_step(one.transfer, one.transfer.state, metrics.DEFECT)
            else:
                fitting.append((one.transfer.transfer_id, record))
        return fitting

    def _store(self, turn: Turn, batch: Batch, step: BatchStep, *, reason: str, answered: bool = True) -> bool:
        exchange = SystemAnswer(result=Result.NOT_KNOWN if answered else Result.NO_REPLY, reason=reason)
        with turn.transaction() as (conn, _):
            batches.store_step(conn, self._vault, batch, step)
            breakers.note(conn, self._resources, self._system, exchange)
        metrics.count_file(self._system, reason)
        return step.wait_seconds <= 0


def _london_day(moment: datetime) -> date:
    return moment.astimezone(clock.LONDON).date()


def _reason(away: Unavailable) -> str:
    """The reason why the exchange failed, of a closed list."""
    return away.fault if isinstance(away, SftpAway) else away.reason


def _log(event: str, system: System, sequence: int, *, count: int = 0) -> None:
    logs.get().info(event, system=system, file=sequence, count=count)


def _warn(event: str, system: System, sequence: int, reason: str) -> None:
    logs.get().warning(event, system=system, file=sequence, reason=reason)
