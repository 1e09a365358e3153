"""The channel POST: making a letter of each version that waits, and putting it in the print queue.

A version is taken under a lease, the PDF is made outside of any transaction, and the letter is saved if the lease is still
held. Nothing has left by then: a version is sent when a person has printed its letter (`service/letters.py`).
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from chassis import clock, crash
from chassis.authorities import AuthorityTable
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database, Row
from chassis.vault import Vault
from la_notifier import paper
from la_notifier.channels import post
from la_notifier.channels.post import Addressee
from la_notifier.domain.channels import Channel
from la_notifier.domain.letters import QueuedLetter, Recipient, next_working_day
from la_notifier.domain.notices import NoticeVersion, Step, Waits
from la_notifier.service import bodies, failures, letters, settling
from la_notifier.store import versions

LEASE_SECONDS = 30.0
"""Longer than the making of a letter can take."""


class Posting:
    """Makes letters of notices."""

    def __init__(self, database: Database, vault: Vault, *, waits: Callable[[], Waits]) -> None:
        self._database = database
        self._vault = vault
        self._waits = waits

    def step(self) -> bool:
        """Makes the letter that is due for longest; returns whether there was one, or something to tidy."""
        with self._database.transaction() as conn:
            taken = _take(conn)
        if taken is None:
            with self._database.transaction() as conn:
                return letters.tidy(conn)
        version, row = taken
        crash.point("posting.after_lease")
        try:
            self._make(version, row)
        except Exception as error:
            with self._database.transaction() as conn:
                settling.settle(conn, version, lambda held: held.put_off(self._waits()))
            failures.report("post", error, **settling.names(version))
        return True

    def _make(self, version: NoticeVersion, row: Row) -> None:
        body = self._body(version, row)
        written = post.letter_of(
            body, _addressee(version), on=clock.today(), claimants_language=str(body.get("language", "EN"))
        )
        pdf = paper.print_letter(written)
        queued = QueuedLetter(
            letter_id=uuid.uuid4(),
            recipient=Recipient.COUNCIL,
            claim_ref=version.claim_ref,
            about=str(body["kind"]),
            language=written.language,
            due_on=next_working_day(clock.today(), Nation.of_code(version.authority_code)),
            created=clock.now(),
            authority_code=version.authority_code,
            notice_id=version.notice_id,
            version=version.version,
        )
        crash.point("posting.before_storing")
        with self._database.transaction() as conn:
            step = self._settle(conn, version, queued, pdf)
        crash.point("posting.after_storing")
        settling.log("letter made", version, step)

    def _settle(self, conn: Connection, version: NoticeVersion, queued: QueuedLetter, pdf: bytes) -> Step | None:
        step = settling.settle(conn, version, lambda held: held.queued())
        if step is not None and step.is_queued:
            letters.queue_letter(conn, self._vault, queued, pdf)
        return step

    def _body(self, version: NoticeVersion, row: Row) -> Mapping[str, Any]:
        cipher = self._vault.cipher_of(version.claim_ref, row)
        body: Mapping[str, Any] = json.loads(
            bodies.open_bytes(cipher, row["body"], version.notice_id, version=version.version)
        )
        return body


def _take(conn: Connection) -> tuple[NoticeVersion, Row] | None:
    """The next version to make a letter of, leased. Versions that are not wanted are superseded on the way."""
    while (taken := _take_any(conn)) is not None and not taken[0].is_wanted:
        versions.settle(conn, taken[0], taken[0].overtaken(), now=clock.now())
    return taken


def _take_any(conn: Connection) -> tuple[NoticeVersion, Row] | None:
    return versions.take_to_send(conn, channel=Channel.POST, seconds=LEASE_SECONDS, goes_out=False)


def _addressee(version: NoticeVersion) -> Addressee:
    """The authority to which the letter goes: the one of the notice, or what it became."""
    found = AuthorityTable.load().find(version.authority_code, clock.today())
    return Addressee(code=version.authority_code, name=found.name)
