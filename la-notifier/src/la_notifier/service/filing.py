"""The channel SFTP: making each authority's next file, laying it there, and taking in what it acknowledges.

A turn is of one authority, under a lease, with short transactions and the exchange between them. A file's sequence and bytes
are committed before the first of them leaves; a process that ends at any point repeats the same bytes, which the authority
acknowledges as before. Many authorities have their turns one after the other over one connection, and one that fails is put
off and holds up no other.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from prometheus_client import Counter

from chassis import clock, crash, logs, metrics
from chassis.database import Connection, Database, Row
from chassis.sftp import Files, SftpAway, SftpClient
from chassis.vault import Vault
from la_notifier.channels import sftp
from la_notifier.domain.files import MOST_ROWS, AckRow, File, FileState, seconds_until_asked, seconds_until_cycle
from la_notifier.domain.notices import NoticeState, NoticeVersion, Waits
from la_notifier.domain.work_items import WorkItemReason
from la_notifier.service import bodies, failures, settling, work_items
from la_notifier.store import files as store
from la_notifier.store import versions
from la_notifier.store.files import Turn

LEASE_SECONDS = 90.0
"""Longer than a turn takes; if one takes longer, another process does the same, which harms nobody."""
_EXCHANGE_SECONDS = 60.0
_MOST_FILES = 100
_AT_ONCE = 100
_REFUSED = WorkItemReason.FIELDS_REFUSED

EXCHANGES = Counter(
    "notifier_file_exchanges_total",
    "What became of uploads of files to authorities, and of looks for their acknowledgements.",
    labelnames=("result",),
    registry=metrics.REGISTRY,
)


class Filing:
    """Sees to the files of one authority after the other."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        client: SftpClient,
        *,
        waits: Callable[[], Waits],
        cycle_seconds: float,
    ) -> None:
        """`cycle_seconds` is the length of a cycle, in each of which every authority has a turn."""
        self._database = database
        self._vault = vault
        self._client = client
        self._waits = waits
        self._cycle_seconds = cycle_seconds
        self._next_enrolment = 0.0

    def step(self) -> bool:
        """Takes the turn that is due for longest; returns whether there may be another at once."""
        turn = self._next_turn()
        if turn is None:
            return False
        crash.point("filing.after_lease")
        try:
            self._work(turn.authority_code, turn)
        except SftpAway as away:
            self._put_off(turn)
            EXCHANGES.labels(away.fault).inc()
            logs.get().warning("exchange of files failed", authority_code=turn.authority_code, reason=away.fault)
            return False
        except Exception as error:
            self._put_off(turn)
            failures.report("file", error, authority_code=turn.authority_code)
        else:
            self._end(turn, seconds=seconds_until_cycle(time.time(), self._cycle_seconds), failed=False)
        return True

    def _next_turn(self) -> Turn | None:
        with self._database.transaction() as conn:
            if time.monotonic() >= self._next_enrolment:
                store.enrol(conn)
                self._next_enrolment = time.monotonic() + self._cycle_seconds
            return store.take_turn(conn, seconds=LEASE_SECONDS)

    def _work(self, authority_code: str, turn: Turn) -> None:
        self._make_next(turn)
        with self._database.transaction() as conn:
            found = store.open_files(conn, authority_code, most=_MOST_FILES)
        if found:
            most_bytes = sum(map(sftp.most_ack_bytes, found))
            with self._client.within(seconds=_EXCHANGE_SECONDS, most_bytes=most_bytes) as files:
                for file in found:
                    self._see_to(files, file)

    def _make_next(self, turn: Turn) -> None:
        """Makes the authority's next file of what waits, unless one is still to be uploaded."""
        with self._database.transaction() as conn:
            last = store.hold_turn(conn, turn)
            if last is None or store.has_built(conn, turn.authority_code):
                return
            rows = self._rows(conn, store.take_to_file(conn, turn.authority_code, most=MOST_ROWS))
            if not rows:
                return
            file = File(
                authority_code=turn.authority_code,
                sequence=last + 1,
                state=FileState.BUILT,
                row_count=len(rows),
                uploads=0,
                is_ask_due=False,
            )
            content = sftp.write_file([cells for _, cells in rows])
            filed = [version for version, _ in rows]
            store.add_file(conn, self._vault, file, content=content, versions=filed, now=clock.now())
        logs.get().info("file made", file=file.stem, rows=file.row_count)
        crash.point("filing.after_making")

    def _rows(
        self, conn: Connection, found: Sequence[tuple[NoticeVersion, Row]]
    ) -> Sequence[tuple[NoticeVersion, Sequence[str]]]:
        """The rows of a file. What is not wanted is superseded, and where our own code fails over one it goes without it."""
        rows = []
        for version, row in found:
            if not version.is_wanted:
                versions.settle(conn, version, version.overtaken(), now=clock.now())
                continue
            try:
                rows.append((version, sftp.row_of(self._body(version, row))))
            except Exception as error:
                versions.settle(conn, version, version.put_off(self._waits()), now=clock.now())
                failures.report("file", error, **settling.names(version))
        return rows

    def _body(self, version: NoticeVersion, row: Row) -> Mapping[str, object]:
        cipher = self._vault.cipher_of(version.claim_ref, row)
        body: Mapping[str, object] = json.loads(
            bodies.open_bytes(cipher, row["body"], version.notice_id, version=version.version)
        )
        return body

    def _see_to(self, files: Files, file: File) -> None:
        """Uploads a file, or looks whether it is acknowledged. A failure of our own code holds up no other file."""
        try:
            if file.state is FileState.BUILT:
                self._upload(files, file)
            else:
                self._ask(files, file)
        except SftpAway:
            raise
        except Exception as error:
            failures.report("file", error, file=file.stem)

    def _ask(self, files: Files, file: File) -> None:
        """Looks for the answer to a file that was sent. Where it is due and the authority has taken the file, asks again."""
        acknowledged = sftp.read_ack(files, file)
        if self._take_in(file, acknowledged or ()) or not file.is_ask_due or sftp.is_untaken(files, file):
            return
        if acknowledged is not None and file.was_repeated:
            self._leave_out(file)
            return
        if file.needs_a_person:
            self._refer(file)
        self._upload(files, file)

    def _refer(self, file: File) -> None:
        """Has a person ask about versions whose file is never acknowledged. The file goes on asking."""
        with self._database.transaction() as conn:
            unanswered = sorted(store.unanswered(conn, file))
        for begin in range(0, len(unanswered), _AT_ONCE):
            with self._database.transaction() as conn:
                for notice_id, number in unanswered[begin : begin + _AT_ONCE]:
                    version = versions.lock(conn, notice_id, number)
                    if version is not None and version.state is NoticeState.SENT and version.is_wanted:
                        work_items.open_unanswered(conn, version)
        logs.get().warning("file not answered", file=file.stem, rows=len(unanswered))

    def _upload(self, files: Files, file: File) -> None:
        with self._database.transaction() as conn:
            content = store.content_of(conn, self._vault, file)
        crash.point("filing.before_upload")
        sftp.upload(files, file, content)
        crash.point("filing.after_upload")
        while self._some_sent(file):
            pass
        with self._database.transaction() as conn:
            seconds = seconds_until_asked(file.uploads + 1, self._waits())
            store.note_uploaded(conn, file, seconds=seconds, now=clock.now())
        EXCHANGES.labels("UPLOADED").inc()
        logs.get().info("file uploaded", file=file.stem, uploads=file.uploads + 1)
        crash.point("filing.after_storing")

    def _some_sent(self, file: File) -> bool:
        """Notes some of the file's versions as sent; returns whether there may be more. One that was given up stays so."""
        with self._database.transaction() as conn:
            waiting = store.unsent_rows(conn, file, most=_AT_ONCE)
            for notice_id, number in waiting:
                version = versions.lock(conn, notice_id, number)
                if version is not None and version.is_waiting:
                    settling.save(conn, version, version.gone())
        return len(waiting) == _AT_ONCE

    def _take_in(self, file: File, acknowledged: Sequence[AckRow]) -> bool:
        """Takes in what the authority acknowledges; returns whether it has answered for every row."""
        crash.point("filing.after_acknowledgement")
        with self._database.transaction() as conn:
            unanswered = store.unanswered(conn, file)
        rows = [row for row in acknowledged if (row.notice_id, row.version) in unanswered]
        if len(rows) < len(acknowledged):
            logs.get().warning("rows twice or of no notice in an acknowledgement", file=file.stem)
        for begin in range(0, len(rows), _AT_ONCE):
            self._hear(file, rows[begin : begin + _AT_ONCE])
        crash.point("filing.after_hearing")
        with self._database.transaction() as conn:
            is_finished = store.note_look(conn, file, now=clock.now())
        EXCHANGES.labels("ACKNOWLEDGED" if is_finished else "NOT_ACKNOWLEDGED").inc()
        return is_finished

    def _hear(self, file: File, rows: Sequence[AckRow]) -> None:
        with self._database.transaction() as conn:
            for row in rows:
                found = settling.settle_word(conn, row.notice_id, row.version, row.word)
                store.note_saying(conn, row.notice_id, row.version, row.word.saying)
                if found is not None and found[1] is not None:
                    version, step = found
                    if row.words and step is not None and step.state is NoticeState.REFUSED:
                        work_items.add_words(conn, self._vault, version, words=row.words, reason=_REFUSED)
                    settling.log("notice acknowledged", version, step, file=file.stem, saying=row.word.saying)

    def _leave_out(self, file: File) -> None:
        """Ends a file that was answered again without some of its rows. What they tell goes in the authority's next file.

        Its sequence was taken by another file before, or the authority could not read these rows: it acknowledges as before
        for ever.
        """
        with self._database.transaction() as conn:
            left = sorted(store.unanswered(conn, file))
        for begin in range(0, len(left), _AT_ONCE):
            with self._database.transaction() as conn:
                for notice_id, number in left[begin : begin + _AT_ONCE]:
                    self._leave_out_row(conn, notice_id, number)
        with self._database.transaction() as conn:
            store.note_look(conn, file, now=clock.now())
        EXCHANGES.labels("LEFT_OUT").inc()
        logs.get().warning("answered without rows, which go in the next file", file=file.stem, rows=len(left))

    def _leave_out_row(self, conn: Connection, notice_id: UUID, number: int) -> None:
        version = versions.lock(conn, notice_id, number)
        step = None if version is None else version.left_out()
        if version is not None and step is not None:
            settling.save(conn, version, step)
            if version.attempts > 1 and version.is_wanted:  # this was not its first file
                work_items.open_unanswered(conn, version)
        store.note_saying(conn, notice_id, number, "LEFT_OUT")

    def _put_off(self, turn: Turn) -> None:
        self._end(turn, seconds=self._waits().before_retry(turn.attempts), failed=True)

    def _end(self, turn: Turn, *, seconds: float, failed: bool) -> None:
        with self._database.transaction() as conn:
            store.end_turn(conn, turn, seconds=seconds, failed=failed)
