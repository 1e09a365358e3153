"""The channel API: sending versions and asking authorities what they hold, until they say LOADED.

Each act is three steps: a version is taken under a lease, the authority is called outside of any transaction, and its answer is
saved if the lease is still held.
"""

from collections.abc import Callable
from dataclasses import replace

from chassis import backoff, clock, crash
from chassis.database import Connection, Database, Row
from chassis.vault import Vault
from chassis.workers import Turns
from la_notifier.channels import api
from la_notifier.domain.channels import Channel
from la_notifier.domain.notices import HeldNotice, HeldState, NoticeVersion, SendAnswer, SendResult, Step, Waits
from la_notifier.service import bodies, failures, settling
from la_notifier.service.settling import names, settle
from la_notifier.store import rests, versions

LEASE_SECONDS = 30.0
"""Longer than a call to an authority can take."""

Sealed = tuple[NoticeVersion, Row]
"""A version to send and its row: `body` (sealed), and `key_id` and `wrapped` of the claim's key."""


class Sender:
    """Sends versions to the authorities that have the API, and asks about them. All threads of the service share one."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        councils: api.Councils,
        *,
        waits: Callable[[], Waits],
        pause_seconds: float,
    ) -> None:
        """`pause_seconds` is the pause between two searches for due versions when there was none."""
        self._database = database
        self._vault = vault
        self._councils = councils
        self._waits = waits
        self._to_send, self._to_ask = Turns(pause_seconds=pause_seconds), Turns(pause_seconds=pause_seconds)

    def send_next(self) -> bool:
        """Sends the version that is due for longest; returns whether there was one."""
        taken = self._to_send.find(self._take_to_send)
        if taken is None:
            return False
        version, row = taken
        crash.point("notice.before_sending")
        try:
            self._send(version, row)
        except Exception as error:
            self._put_off("send", version, error)
        return True

    def ask_next(self) -> bool:
        """Asks about the version that is due for longest; returns whether there was one."""
        version = self._to_ask.find(self._take_to_ask)
        if version is None:
            return False
        try:
            self._ask(version)
        except Exception as error:
            self._put_off("ask", version, error)
        return True

    def _take_to_send(self) -> Sealed | None:
        with self._database.transaction() as conn:
            return take_to_send(conn)

    def _take_to_ask(self) -> NoticeVersion | None:
        with self._database.transaction() as conn:
            return take_to_ask(conn)

    def _send(self, version: NoticeVersion, row: Row) -> None:
        answer = self._councils.send(self._outgoing(version, row))
        crash.point("notice.after_answer")
        with self._database.transaction() as conn:
            step = settle_send(conn, version, answer, self._waits())
        self._to_send.wake()
        crash.point("notice.after_storing")
        settling.log(
            "notice sent", version, step, outcome=answer.result, code=answer.status, fields=answer.refused_fields
        )

    def _outgoing(self, version: NoticeVersion, row: Row) -> api.Outgoing:
        notice = outgoing(self._vault, version, row)
        if version.version > 1 or version.may_be_held:
            return notice
        cipher = self._vault.cipher_of(version.claim_ref, row)
        mended = bodies.mended(cipher, notice.body, version.notice_id, version=version.version)
        if mended is None:
            return notice
        body, sealed = mended
        with self._database.transaction() as conn:
            is_leased = versions.set_body(conn, version, sealed)
        return replace(notice, body=body) if is_leased else notice

    def _ask(self, version: NoticeVersion) -> None:
        held = self._councils.ask(version.authority_code, str(version.notice_id))
        crash.point("asking.after_answer")
        with self._database.transaction() as conn:
            step = settle_question(conn, version, held, self._waits())
        self._to_ask.wake()
        settling.log("authority asked", version, step, outcome=held.state)

    def _put_off(self, act: str, version: NoticeVersion, error: Exception) -> None:
        with self._database.transaction() as conn:
            settle_failure(conn, version, self._waits())
        failures.report(act, error, **names(version))


def waits_of(*, scale: float, poll_seconds: float) -> Waits:
    """The waits of now, with a fresh jitter."""
    return Waits(scale=scale, jitter=backoff.any_jitter(), poll_seconds=poll_seconds)


def take_to_send(conn: Connection) -> Sealed | None:
    """The next version to send, leased; None where none is due. Versions that are not wanted are superseded on the way."""
    while (taken := versions.take_to_send(conn, channel=Channel.API, seconds=LEASE_SECONDS)) is not None:
        version, _ = taken
        if version.is_wanted:
            break
        versions.settle(conn, version, version.overtaken(), now=clock.now())
    return taken


def take_to_ask(conn: Connection) -> NoticeVersion | None:
    """The next version about which its authority is to be asked, leased; None where none is due."""
    return versions.take_to_ask(conn, channel=Channel.API, seconds=LEASE_SECONDS)


def outgoing(vault: Vault, version: NoticeVersion, row: Row) -> api.Outgoing:
    """The notice that goes out. Raises cryptography.exceptions.InvalidTag, or KeyError where its key is not in the ring."""
    cipher = vault.cipher_of(version.claim_ref, row)
    return api.Outgoing(
        notice_id=str(version.notice_id),
        version=version.version,
        authority_code=version.authority_code,
        body=bodies.open_bytes(cipher, row["body"], version.notice_id, version=version.version),
    )


def settle_send(conn: Connection, version: NoticeVersion, answer: SendAnswer, waits: Waits) -> Step | None:
    """Saves the answer to a send; None, with nothing of the version saved, where the lease was lost."""
    is_away = answer.result in (SendResult.NOT_TAKEN, SendResult.UNKNOWN)
    _note(conn, version, "SEND", is_away=is_away, waits=waits, retry_after_seconds=answer.retry_after_seconds)
    return settle(conn, version, lambda held: held.sent(answer, waits))


def settle_question(conn: Connection, version: NoticeVersion, held: HeldNotice, waits: Waits) -> Step | None:
    """Saves what an authority says that it holds; None, with nothing of the version saved, where the lease was lost."""
    is_away = held.state is HeldState.UNKNOWN
    _note(conn, version, "ASK", is_away=is_away, waits=waits, retry_after_seconds=held.retry_after_seconds)
    return settle(conn, version, lambda leased: leased.asked(held, waits))


def settle_failure(conn: Connection, version: NoticeVersion, waits: Waits) -> Step | None:
    """Puts a version off over which our own code failed; None where the lease was lost."""
    return settle(conn, version, lambda held: held.failed(waits))


def _note(
    conn: Connection,
    version: NoticeVersion,
    act: rests.Act,
    *,
    is_away: bool,
    waits: Waits,
    retry_after_seconds: float | None,
) -> None:
    """Leaves an authority alone that does not answer: longer each time, as long as it asks, and until it answers."""
    code = version.authority_code
    if not is_away:
        rests.end(conn, code, act)
        return
    failures = rests.failed(conn, code, act, now=clock.now())
    rests.rest(conn, code, act, seconds=waits.before_retry(failures, retry_after_seconds))
