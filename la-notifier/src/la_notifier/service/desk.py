"""What officers do with notices: list them, see what is due, record receipts, and have them sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import call, clock, logs
from chassis.database import Connection
from chassis.vault import Vault
from la_notifier.domain.channels import Channel
from la_notifier.domain.listing import DuePlace, DueWithin, NoticeDue, NoticeFilter, NoticePlace
from la_notifier.domain.notices import NoticeState, NoticeSummary, NoticeVersion, Saying, Word
from la_notifier.domain.receipts import FileAnswered, NoticeUnknown, ReceiptContradicts, resent
from la_notifier.domain.work_items import WorkItemReason
from la_notifier.service import settling, work_items
from la_notifier.service.own_authority import expect_visible
from la_notifier.store import files, listing, resends, versions

MOST_RESENT = 500
"""A request sends so many again at most, so that it ends within its deadline."""
MOST_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A person's word on what the authority did with a version. `reason` is "" where it was not refused."""

    notice_id: UUID
    version: int
    loaded: bool
    reason: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ToResend:
    """The newest versions of an authority's notices in a state, made before a time."""

    authority_codes: tuple[str, ...]
    state: NoticeState
    older_than: datetime


@dataclass(frozen=True, kw_only=True)
class Resent:
    """The versions that are sent again, or would be: how many, and the first of them."""

    notices: Sequence[NoticeSummary]
    count: int


def list_notices(
    conn: Connection, wanted: NoticeFilter, *, after: NoticePlace | None, limit: int
) -> Sequence[NoticeSummary]:
    """The versions that are asked for, the oldest first."""
    return listing.list_notices(conn, wanted, after=after, limit=limit)


def list_due(conn: Connection, within: DueWithin, *, after: DuePlace | None, limit: int) -> Sequence[NoticeDue]:
    """The clocks that run out within these days, the first to do so first."""
    return listing.due(conn, within, after=after, limit=limit)


def record_receipt(conn: Connection, vault: Vault, receipt: Receipt) -> NoticeSummary:
    """Records what the authority did with a version; the version as it is then. A word that is known changes nothing.

    Raises NoticeUnknown, OtherAuthority, FailedPrecondition (`NOTICE_NEVER_SENT`) or ReceiptContradicts.
    """
    version = versions.lock(conn, receipt.notice_id, receipt.version)
    if version is None:
        raise NoticeUnknown
    expect_visible(version.authority_code)
    if version.state is NoticeState.LOADED and not receipt.loaded:
        raise ReceiptContradicts
    saying = Saying.LOADED if receipt.loaded else Saying.REFUSED
    settling.settle_word(conn, version.notice_id, version.version, Word(saying=saying, refused_fields=receipt.fields))
    if receipt.reason:
        reason = WorkItemReason.REFUSAL_RECORDED
        work_items.add_words(conn, vault, version, words=receipt.reason, reason=reason)
    by = call.current().identity.subject
    logs.get().info("receipt recorded", **settling.names(version), outcome=saying, by=by)
    return listing.version_of(conn, version.notice_id, version.version)


def resend(conn: Connection, notice_id: UUID, *, reason: str) -> Resent:
    """Sends the newest version of a notice again. Raises NoticeUnknown, NothingToResend or FileAnswered."""
    version = _newest(conn, notice_id)
    _expect_unanswered(conn, version)
    return _send_again(conn, [version], reason=reason)


def preview_resend(conn: Connection, notice_id: UUID) -> Resent:
    """Tells the effect of `resend` without it. Raises NoticeUnknown, NothingToResend or FileAnswered."""
    version = _newest(conn, notice_id)
    _expect_unanswered(conn, version)
    return Resent(notices=[listing.version_of(conn, notice_id, version.version)], count=1)


def resend_all(conn: Connection, wanted: ToResend, *, reason: str) -> Resent:
    """Sends these again, the oldest first and MOST_RESENT at most. Each authority takes them one after another."""
    return _send_again(conn, _all(conn, wanted), reason=reason)


def preview_resend_all(conn: Connection, wanted: ToResend) -> Resent:
    """Tells the effect of `resend_all` without it."""
    found = _all(conn, wanted)
    shown = [listing.version_of(conn, one.notice_id, one.version) for one in found[:MOST_SHOWN]]
    return Resent(notices=shown, count=len(found))


def _all(conn: Connection, wanted: ToResend) -> Sequence[NoticeVersion]:
    return versions.to_resend(
        conn, wanted.authority_codes, state=wanted.state, older_than=wanted.older_than, limit=MOST_RESENT
    )


def _send_again(conn: Connection, found: Sequence[NoticeVersion], *, reason: str) -> Resent:
    by, now = call.current().identity.subject, clock.now()
    again = [(version.notice_id, version.version) for version in found]
    resends.save_resends(conn, again, reason=reason, resent_by=by, resend_time=now)
    for version in found:
        versions.settle(conn, version, resent(version, _channel(conn, version)), now=now)
        if version.state is NoticeState.REFUSED:
            # A person may have recorded it: then the file of the version was not answered, and would keep it from the next one.
            files.note_saying(conn, version.notice_id, version.version, Saying.REFUSED)
        files.ask_again(conn, version.notice_id, version.version)
        logs.get().info("notice to be sent again", **settling.names(version), by=by)
    shown = [listing.version_of(conn, one.notice_id, one.version) for one in found[:MOST_SHOWN]]
    return Resent(notices=shown, count=len(found))


def _expect_unanswered(conn: Connection, version: NoticeVersion) -> None:
    """Raises NothingToResend where the version is at its end, FileAnswered where the same file would bring nothing new."""
    step = resent(version, _channel(conn, version))
    if step.state is NoticeState.SENT and not files.is_unanswered(conn, version.notice_id, version.version):
        raise FileAnswered


def _channel(conn: Connection, version: NoticeVersion) -> Channel:
    return Channel(listing.version_of(conn, version.notice_id, version.version).channel)


def _newest(conn: Connection, notice_id: UUID) -> NoticeVersion:
    version = versions.newest(conn, notice_id)
    if version is None:
        raise NoticeUnknown
    return version
