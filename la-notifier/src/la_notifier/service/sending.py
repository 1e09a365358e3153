"""Sending what waits, and asking the authority until it says that it has it in its system.

What is under way is held by a lease: an answer counts only under the lease it was got with. Sending the same version
twice does no harm, because the authority knows it by its Idempotency-Key.
"""

import random
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Histogram

from chassis import clock, metrics, outbox
from chassis.database import Connection, Row
from chassis.vault import Vault
from cms.notifier.v1 import events_pb2
from la_notifier.clients import HeldNotice, HeldState, Outgoing, SendAnswer, SendResult
from la_notifier.service.looks import sealed_field
from la_notifier.store import notices as notice_store
from la_notifier.store.notices import Leased

LEASE_SECONDS = 30.0
"""Longer than a call to an authority can take."""
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 300.0
_LONGEST_POLL_SECONDS = 600.0
_LONGEST_RETRY_AFTER_SECONDS = 3600.0

FIRST_CONTACT_TO_SENT = Histogram(
    "notifier_first_contact_to_sent_seconds",
    "From a claimant's first contact until an authority first had a notice of it.",
    buckets=(5, 15, 30, 60, 120, 300, 900, 3600, 14400, 43200, 86400),
    registry=metrics.REGISTRY,
)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How waits are shortened (`time_scale`), and how soon an authority is first asked."""

    time_scale: float
    poll_seconds: float

    def retry(self, attempts: int, retry_after_seconds: float | None = None) -> float:
        """Seconds to wait after so many attempts: doubled from one to five minutes, a quarter more or less.

        An authority that says when to come again is heard, up to an hour.
        """
        wait = min(_LONGEST_WAIT_SECONDS, _SHORTEST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 16))
        wait *= self.time_scale * random.uniform(0.75, 1.25)  # noqa: S311
        # What the other side asks for is not ours to shorten.
        return max(wait, min(retry_after_seconds or 0.0, _LONGEST_RETRY_AFTER_SECONDS))

    def poll(self, polls: int) -> float:
        """Seconds to wait after asking so many times: doubled each time, to ten minutes."""
        return min(_LONGEST_POLL_SECONDS, self.poll_seconds * 2.0 ** min(polls, 16)) * self.time_scale


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A version to send, with its body still sealed, and whether the authority might have had it before this attempt."""

    leased: Leased
    sealed: Row
    might_be_held_before: bool

    def opened(self, vault: Vault) -> Outgoing:
        """What goes out. Raises cryptography.exceptions.InvalidTag, or KeyError where its key is not in the ring."""
        leased = self.leased
        cipher = vault.cipher_of(leased.claim_ref, self.sealed)
        body = cipher.open_bytes(self.sealed["body"], field=sealed_field(leased.notice_id), version=leased.version)
        return Outgoing(
            notice_id=str(leased.notice_id), version=leased.version, authority_code=leased.authority_code, body=body
        )


def take_next(conn: Connection) -> Sending | None:
    """The next version to send, leased; None where none is due. A version given up is superseded on the way."""
    while (row := notice_store.next_to_send(conn)) and not row["to_be_sent"]:
        notice_store.supersede(conn, row["notice_id"], row["version"], now=clock.now())
    if row is None:
        return None
    return Sending(
        leased=notice_store.lease_to_send(conn, row, seconds=LEASE_SECONDS),
        sealed={name: row[name] for name in ("body", "key_id", "wrapped")},
        might_be_held_before=row["may_be_held"],
    )


def settle_sending(conn: Connection, sending: Sending, answer: SendAnswer, pace: Pace) -> datetime | None:
    """Saves the answer to an attempt, unless its lease has ended.

    Gives the first contact's time where this is the first that the authority has of the claim.
    """
    leased = sending.leased
    row = notice_store.hold_version(conn, leased)
    if row is None:
        return None
    match answer.result:
        case SendResult.SENT:
            return _sent(conn, leased, row, receipt=answer.receipt, pause=pace.poll(0))
        case SendResult.LATER_VERSION_HELD:
            notice_store.supersede(conn, leased.notice_id, leased.version, now=clock.now())
        case SendResult.REFUSED:
            _refused(conn, leased, fields=answer.refused_fields)
        case SendResult.NOT_TAKEN | SendResult.UNKNOWN:
            unknown = answer.result is SendResult.UNKNOWN
            notice_store.save_waiting(
                conn,
                leased,
                seconds=pace.retry(leased.attempts, answer.retry_after_seconds),
                may_be_held=unknown or sending.might_be_held_before,
            )
    return None


def put_off(conn: Connection, sending: Sending, pace: Pace) -> None:
    """Our own code failed over the version: later, and it may be held. It is overdue until it goes out."""
    leased = sending.leased
    if notice_store.hold_version(conn, leased) is not None:
        notice_store.save_waiting(conn, leased, seconds=pace.retry(leased.attempts), may_be_held=True)


def take_next_to_ask(conn: Connection) -> Leased | None:
    """The next version of which its authority is to be asked, leased; None where none is due."""
    row = notice_store.next_to_ask(conn)
    return notice_store.lease_to_ask(conn, row, seconds=LEASE_SECONDS) if row else None


def settle_asking(conn: Connection, leased: Leased, held: HeldNotice, pace: Pace) -> None:
    """Saves what an authority says that it holds, unless the lease has ended."""
    row = notice_store.hold_version(conn, leased)
    if row is None:
        return
    if held.state is HeldState.UNKNOWN:
        seconds = max(pace.poll(leased.attempts), pace.retry(leased.attempts, held.retry_after_seconds))
        notice_store.save_asked_again(conn, leased, state=row["state"], now=clock.now(), seconds=seconds)
    elif held.version > leased.version:
        notice_store.supersede(conn, leased.notice_id, leased.version, now=clock.now())
    elif held.state is HeldState.ABSENT or held.version < leased.version:
        # It gave a receipt and has lost the notice since: it gets it again.
        notice_store.save_waiting(conn, leased, seconds=pace.retry(leased.attempts), may_be_held=True)
    elif held.state is HeldState.RECEIVED:
        notice_store.save_asked_again(
            conn, leased, state="RECEIVED", now=clock.now(), seconds=pace.poll(leased.attempts)
        )
    elif held.state is HeldState.LOADED:
        _loaded(conn, leased)
    else:
        _refused(conn, leased, fields=())


def _sent(conn: Connection, leased: Leased, row: Row, *, receipt: str, pause: float) -> datetime | None:
    now = clock.now()
    notice_store.save_sent(conn, leased, receipt=receipt, now=now, seconds=pause)
    if row["sent"] is not None:
        return None
    event = events_pb2.NoticeSent(
        notice_id=str(leased.notice_id), notice_version=leased.version, authority_code=leased.authority_code
    )
    event.sent_time.FromDatetime(now)
    outbox.append(conn, claim_ref=leased.claim_ref, version=leased.version, event=event)
    first_contact_time: datetime = row["first_contact_time"]
    return first_contact_time if row["never_sent"] else None


def _loaded(conn: Connection, leased: Leased) -> None:
    notice_store.save_loaded(conn, leased, now=clock.now())
    event = events_pb2.NoticeLoaded(
        notice_id=str(leased.notice_id), notice_version=leased.version, authority_code=leased.authority_code
    )
    outbox.append(conn, claim_ref=leased.claim_ref, version=leased.version, event=event)


def _refused(conn: Connection, leased: Leased, *, fields: tuple[str, ...]) -> None:
    notice_store.save_refused(conn, leased, fields=fields)
    event = events_pb2.NoticeRefused(
        notice_id=str(leased.notice_id),
        notice_version=leased.version,
        authority_code=leased.authority_code,
        fields=fields,
    )
    outbox.append(conn, claim_ref=leased.claim_ref, version=leased.version, event=event)
