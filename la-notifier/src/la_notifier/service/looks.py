"""Looking at a claim again: what do its facts, as they are now, call for?

A look has three steps: the claim is taken under a lease, intake is asked outside of any transaction, and what follows is
saved in one, if the lease is still held.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis import clock
from chassis.database import Connection
from chassis.inbox import Event
from chassis.vault import Vault
from la_notifier.authorities import Authority
from la_notifier.clients import Claims
from la_notifier.domain import (
    ClaimFacts,
    Content,
    NoticeKind,
    NoticeState,
    NoticeVersion,
    NotToldReason,
    content_of,
    is_news,
    next_kind,
    sought,
)
from la_notifier.store import claims as claim_store
from la_notifier.store import notices as notice_store
from la_notifier.store.claims import Heard, Look

_HEAD = ("notice_id", "version", "supersedes", "kind")


def hear(conn: Connection, event: Event) -> None:
    """Keeps that something was heard of a claim, so that its notices are looked at again."""
    heard = Heard(event_id=event.event_id, version=event.version, occurred_time=event.occurred_time)
    claim_store.want_look(conn, claim_ref=event.claim_ref, heard=heard)


def intention_day(claims: Claims, look: Look, facts: ClaimFacts) -> date | None:
    """The day (Europe/London) of the intention: once known it stays, whatever authority is told next.

    Before that it is the day of the first event whose facts held it, None where none did. Raises CmsError where intake
    cannot be asked.
    """
    if look.intention_on is not None:
        return look.intention_on
    if sought(facts) and all(_day(heard) == clock.today() for heard in look.heard):
        return clock.today()  # whichever of them held it
    for heard in look.heard:
        then = facts if heard.version >= facts.version else claims.facts(look.claim_ref, heard.version)
        if sought(then):
            return _day(heard)
    return None


def _day(heard: Heard) -> date:
    return heard.occurred_time.astimezone(clock.LONDON).date()


def save_notice(
    conn: Connection, vault: Vault, look: Look, *, facts: ClaimFacts, authority: Authority, intention_on: date
) -> None:
    """Makes the next version for the authority, if it has to know more than it does; other authorities are left."""
    if not claim_store.hold_look(conn, look):
        return
    others = {row["authority_code"]: row for row in notice_store.notices_of(conn, look.claim_ref)}
    known = others.pop(authority.code, None)
    notice_id = known["notice_id"] if known else _new_notice(conn, look, authority, intention_on)
    versions = _versions(conn, vault, look.claim_ref, notice_id) if known else []
    if known and not known["wanted"]:
        notice_store.set_wanted(conn, notice_id, wanted=True, now=clock.now())
    content = content_of(facts, authority_code=authority.code, intention_on=intention_on)
    if is_news(content, versions):
        _tell(conn, vault, notice_id, facts=facts, content=content, versions=versions)
    notices = {code: row["notice_id"] for code, row in others.items()}
    _leave(conn, vault, look, notices=notices, reason=NotToldReason.MOVED_AWAY, intention_on=intention_on)
    claim_store.finish_look(conn, look)


def _new_notice(conn: Connection, look: Look, authority: Authority, intention_on: date) -> UUID:
    notice_id = uuid.uuid4()
    notice_store.add_notice(
        conn, notice_id=notice_id, claim_ref=look.claim_ref, authority=authority, intention_on=intention_on
    )
    return notice_id


def save_no_notice(
    conn: Connection, vault: Vault, look: Look, *, reason: NotToldReason | None, intention_on: date | None
) -> None:
    """No authority is to be told: nothing is sought (`reason` is None), or none was found.

    The intention's day is kept for when one is: an address that was wrong does not cost the date of claim.
    """
    if not claim_store.hold_look(conn, look):
        return
    notices = {row["authority_code"]: row["notice_id"] for row in notice_store.notices_of(conn, look.claim_ref)}
    left_for = NotToldReason.MOVED_AWAY if reason else NotToldReason.NO_LONGER_SOUGHT
    _leave(conn, vault, look, notices=notices, reason=left_for, intention_on=intention_on, unplaced=reason)
    claim_store.finish_look(conn, look)


def put_off(conn: Connection, look: Look, *, intention_on: date | None, seconds: float) -> None:
    """Leaves everything as it is and looks again after so many seconds: facts are missing.

    An answer of a draft makes no event, so nothing but another look shows that they are there again. Until then a
    person sees the claim among those not told.
    """
    if not claim_store.hold_look(conn, look):
        return
    stays = [
        (row["authority_code"], NotToldReason(row["reason"]))
        for row in claim_store.not_told_of(conn, look.claim_ref)
        if row["authority_code"]
    ]
    reasons = [*stays, ("", NotToldReason.FACTS_MISSING)]
    claim_store.save_not_told(conn, look.claim_ref, reasons=reasons, now=clock.now(), intention_on=intention_on)
    claim_store.forget_heard(conn, look)
    claim_store.postpone_look(conn, look, seconds=seconds)


def _tell(
    conn: Connection,
    vault: Vault,
    notice_id: UUID,
    *,
    facts: ClaimFacts,
    content: Content,
    versions: Sequence[NoticeVersion],
) -> None:
    version, kind = len(versions) + 1, next_kind(facts, versions)
    head = {"notice_id": str(notice_id), "version": version, "supersedes": version - 1 or None, "kind": kind}
    body = json.dumps(head | content, ensure_ascii=False).encode()
    cipher = vault.cipher(conn, facts.claim_ref)
    notice_store.add_version(
        conn,
        notice_id=notice_id,
        version=version,
        kind=kind,
        body=cipher.seal_bytes(body, field=sealed_field(notice_id), version=version),
        first_contact_time=facts.first_contact_time,
        first_contact_on=facts.first_contact_on,
        proof_due_on=content["proof_due_on"],
        created=clock.now(),
    )


def _leave(
    conn: Connection,
    vault: Vault,
    look: Look,
    *,
    notices: dict[str, UUID],
    reason: NotToldReason,
    intention_on: date | None,
    unplaced: NotToldReason | None = None,
) -> None:
    """Gives up what waits for these authorities, and leaves to a person those that may hold a notice already."""
    not_told = [("", unplaced)] if unplaced else []
    for code, notice_id in notices.items():
        notice_store.set_wanted(conn, notice_id, wanted=False, now=clock.now())
        if any(version.counts_as_told for version in _versions(conn, vault, look.claim_ref, notice_id)):
            not_told.append((code, reason))
    claim_store.save_not_told(conn, look.claim_ref, reasons=not_told, now=clock.now(), intention_on=intention_on)


def _versions(conn: Connection, vault: Vault, claim_ref: str, notice_id: UUID) -> list[NoticeVersion]:
    cipher = vault.cipher(conn, claim_ref)
    versions = []
    for row in notice_store.versions_of(conn, notice_id):
        body = cipher.open(row["body"], field=sealed_field(notice_id), version=row["version"])
        versions.append(
            NoticeVersion(
                version=row["version"],
                kind=NoticeKind(row["kind"]),
                state=NoticeState(row["state"]),
                may_be_held=row["may_be_held"],
                content={name: value for name, value in body.items() if name not in _HEAD},
            )
        )
    return versions


def sealed_field(notice_id: UUID) -> str:
    """The place to which a notice's body is bound when it is sealed."""
    return f"notice {notice_id}"
