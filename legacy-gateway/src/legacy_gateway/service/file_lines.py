"""Storing what became of the transfers in a file: by its response, or by the daily lists where that named them not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import psycopg

from chassis import clock, logs
from chassis.database import Connection
from chassis.errors import CmsError
from legacy_gateway import mapping, metrics
from legacy_gateway.domain import Result, State, Step, SystemAnswer
from legacy_gateway.domain.batches import Batch, DayList, Line, MissingLines, Response
from legacy_gateway.service.file_turns import Turn
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.settling import log_step, settle_line
from legacy_gateway.store import batches
from legacy_gateway.store.batches import BatchLine

_AT_ONCE = 100
_MISSING = SystemAnswer(result=Result.NO_REPLY, reason="LINE_MISSING")
_NOT_LISTED = SystemAnswer(result=Result.NOT_KNOWN)
_Done = list[tuple[BatchLine, SystemAnswer, State]]


class FileLines:
    """Stores lines, some at a time, so that no transaction is long. A process that ends in between does the rest again."""

    def __init__(self, resources: Resources, turn: Turn) -> None:
        self._resources = resources
        self._turn = turn

    def of_response(self, batch: Batch, response: Response | None) -> None:
        """Every line by its response, and then the file itself as answered. Without a response every line is missing."""
        named = {line.transfer_id: line for line in response.lines} if response else {}
        while self._some_of(batch, named):
            pass

    def of_lists(self, lines: MissingLines, lists: Mapping[date, DayList], days: Sequence[date]) -> None:
        """Missing lines that are listed are held; if the lists are whole, the others are not, and go with the next file."""
        references = lines.references(lists)
        whole = lines.are_whole(lists, days)
        if lines.list_seen is None:
            self._note_list(lines, lists.get(days[-1]))
        known = lines.missing if whole else [one for one in lines.missing if one in references]
        for begin in range(0, len(known), _AT_ONCE):
            self._some_missing(lines, known[begin : begin + _AT_ONCE], references)

    def _some_of(self, batch: Batch, named: Mapping[str, Line]) -> bool:
        with self._turn.transaction() as (conn, _):
            found = batches.unsettled(conn, batch, most=_AT_ONCE)
            done = self._settled(conn, ((one, self._answer(one, named)) for one in found))
            more = len(found) == _AT_ONCE
            if not more:
                batches.note_answer(conn, batch)
                batches.store_step(conn, self._resources.vault, batch, batch.answered())
        _count(done)
        return more

    def _some_missing(self, lines: MissingLines, ids: Sequence[str], references: Mapping[str, str]) -> None:
        with self._turn.transaction() as (conn, _):
            found = batches.unknown(conn, lines, ids)
            done = self._settled(conn, ((one, _listed(one, references)) for one in found))
        _count(done)

    def _note_list(self, lines: MissingLines, last: DayList | None) -> None:
        with self._turn.transaction() as (conn, _):
            batches.note_list(conn, lines, changed=last.changed if last else 0)

    def _settled(self, conn: Connection, answers: Iterable[tuple[BatchLine, SystemAnswer]]) -> _Done:
        return [(line, answer, self._settle(conn, line, answer)) for line, answer in answers]

    def _settle(self, conn: Connection, line: BatchLine, answer: SystemAnswer) -> State:
        """Stores one line. Where our own code fails over it, it is left as unknown, and the others go on."""
        try:
            with conn.savepoint():
                return self._stored(conn, line, self._step(line, answer), reason=answer.reason)
        except Exception as error:
            if _will_pass(error):
                raise
            metrics.count_defect(line.transfer)
            logs.get().error(
                "line of a file failed",
                transfer_id=line.transfer.transfer_id,
                claim_ref=line.transfer.claim_ref,
                error=type(error).__name__,
                location=logs.location_of(error),
            )
            step = line.transfer.hit_defect(self._resources.waits)
            return self._stored(conn, line, step, reason=metrics.DEFECT)

    def _stored(self, conn: Connection, line: BatchLine, step: Step, *, reason: str) -> State:
        settle_line(conn, self._resources.vault, line, step, reason=reason)
        return step.state

    def _step(self, line: BatchLine, answer: SystemAnswer) -> Step:
        transfer, waits = line.transfer, self._resources.waits
        if transfer.state is State.UNKNOWN:
            return transfer.asked(answer, waits, final=True)
        return transfer.sent(answer, waits)

    def _answer(self, line: BatchLine, named: Mapping[str, Line]) -> SystemAnswer:
        found = named.get(line.transfer.transfer_id)
        if found is None:
            return _MISSING
        if found.is_held:
            return SystemAnswer(result=Result.HELD, legacy_ref=found.legacy_ref)
        message = mapping.refusal_message(line.transfer.system, code=found.code, field=found.field)
        return SystemAnswer(result=Result.REFUSED, reason="EDIT_RULE", messages=(message,))


def _listed(line: BatchLine, references: Mapping[str, str]) -> SystemAnswer:
    reference = references.get(line.transfer.transfer_id)
    return SystemAnswer(result=Result.HELD, legacy_ref=reference) if reference else _NOT_LISTED


def _will_pass(error: Exception) -> bool:
    if isinstance(error, CmsError):
        return error.will_pass
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _count(done: _Done) -> None:
    for line, answer, state in done:
        transfer = line.transfer
        if transfer.state is State.SENDING:
            metrics.count_attempt(transfer, answer.result, answer.reason)
        if state is State.ACCEPTED and transfer.is_last_phase:
            metrics.COMPLETION.labels(transfer.system).observe((clock.now() - line.confirmed_time).total_seconds())
        log_step(transfer, state, answer.reason)
