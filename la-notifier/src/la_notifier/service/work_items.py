"""Work for a processing officer: what opens a work item, who sees it, and what ends it."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis import access_log, call, clock, logs
from chassis.bank_holidays import Nation
from chassis.database import Connection
from chassis.deadlines import within_working_days
from chassis.errors import InvalidArgument, Text, Violation
from chassis.vault import Vault
from la_notifier.domain.notices import NoticeState, NoticeVersion, Step
from la_notifier.domain.receipts import NoticeUnknown
from la_notifier.domain.work_items import (
    WorkItem,
    WorkItemFilter,
    WorkItemKind,
    WorkItemOutcome,
    WorkItemPlace,
    WorkItemReason,
    WorkItemState,
    WorkItemUnknown,
)
from la_notifier.service.own_authority import expect_visible
from la_notifier.store import versions
from la_notifier.store import work_items as store

_WORKING_DAYS = 1
_ANSWER_NEEDED = Text(en="is required with ANSWERED", cy="mae'n ofynnol gydag ANSWERED")
_PLATFORMS_OWN = Text(en="FOLLOWED is the platform's own", cy="y platfform biau FOLLOWED")


def follow(conn: Connection, version: NoticeVersion, step: Step) -> None:
    """Opens a work item for a refusal of the newest version, and ends it where the authority loads that after all."""
    if step.state is NoticeState.REFUSED and version.is_wanted:
        store.open_item(conn, _refusal(version, WorkItemReason.FIELDS_REFUSED, step.refused_fields))
    elif step.state is NoticeState.LOADED and (version.state is NoticeState.REFUSED or version.attempts > 1):
        end_refusal(conn, version)


def end_refusal(conn: Connection, version: NoticeVersion) -> None:
    """Ends the open work item over a version of which the authority has said more."""
    store.end_refusal(conn, version.notice_id, version.version, now=clock.now())


def open_unanswered(conn: Connection, version: NoticeVersion) -> None:
    """Opens a work item, once, for a version whose file the authority does not answer: a person asks what became of it."""
    store.open_item(conn, _refusal(version, WorkItemReason.FILE_NOT_ANSWERED))


def add_words(conn: Connection, vault: Vault, version: NoticeVersion, *, words: str, reason: WorkItemReason) -> None:
    """Adds why the authority refused to the work item, sealed. A version that another followed has none."""
    cipher = vault.cipher(conn, version.claim_ref)
    store.add_words(conn, cipher, version.notice_id, version.version, words=words, reason=reason)


def open_referral(
    conn: Connection, *, claim_ref: str, authority_code: str, reason: str, notice_id: UUID | None = None
) -> None:
    """Refers a claim to a processing officer; once, while one for the same authority and reason is open."""
    store.open_item(
        conn,
        _opened(
            WorkItemKind.REFERRAL,
            reason,
            claim_ref=claim_ref,
            authority_code=authority_code,
            notice_id=notice_id,
            number=None,
        ),
    )


def ask(conn: Connection, vault: Vault, *, notice_id: UUID, question: str) -> WorkItem:
    """Keeps a council officer's question about a notice of the own authority. Raises NoticeUnknown or OtherAuthority."""
    version = versions.newest(conn, notice_id)
    if version is None:
        raise NoticeUnknown
    expect_visible(version.authority_code)
    item = _opened(
        WorkItemKind.QUESTION,
        WorkItemReason.QUESTION_ASKED,
        claim_ref=version.claim_ref,
        authority_code=version.authority_code,
        notice_id=notice_id,
        number=version.version,
    )
    asked = replace(item, words=question)
    store.open_item(conn, asked, vault.cipher(conn, version.claim_ref))
    show(conn, [asked])
    logs.get().info("question asked back", claim_ref=item.claim_ref, notice_id=str(notice_id))
    return asked


def list_items(
    conn: Connection, vault: Vault, wanted: WorkItemFilter, *, after: WorkItemPlace | None, limit: int
) -> Sequence[WorkItem]:
    """The work items that are asked for; the access log is written first."""
    found = store.list_items(conn, vault, wanted, after=after, limit=limit)
    show(conn, found)
    return found


def resolve(conn: Connection, vault: Vault, work_item_id: UUID, *, outcome: WorkItemOutcome, answer: str) -> WorkItem:
    """Ends a work item. Raises InvalidArgument, WorkItemUnknown or WorkItemDone."""
    if outcome is WorkItemOutcome.FOLLOWED:
        raise InvalidArgument.of(Violation.of("outcome", _PLATFORMS_OWN))
    if outcome is WorkItemOutcome.ANSWERED and not answer:
        raise InvalidArgument.of(Violation.of("answer", _ANSWER_NEEDED))
    item = store.hold(conn, vault, work_item_id)
    if item is None:
        raise WorkItemUnknown
    item.expect_open()
    by = call.current().identity.subject
    done = replace(item, state=WorkItemState.DONE, outcome=outcome, answer=answer, done=clock.now(), done_by=by)
    store.end(conn, done, vault.cipher(conn, item.claim_ref))
    show(conn, [done])
    logs.get().info("work item done", claim_ref=item.claim_ref, kind=item.kind, outcome=outcome, by=by)
    return done


def show_again(conn: Connection, notice_id: UUID) -> None:
    """Before a question is shown to its officer again. Raises NoticeUnknown or OtherAuthority."""
    version = versions.newest(conn, notice_id)
    if version is None:
        raise NoticeUnknown
    expect_visible(version.authority_code)
    access_log.record_access(conn, claim_ref=version.claim_ref)


def show_item(conn: Connection, vault: Vault, work_item_id: UUID) -> None:
    """Before a work item that ended is shown again. Raises WorkItemUnknown."""
    item = store.hold(conn, vault, work_item_id)
    if item is None:
        raise WorkItemUnknown
    show(conn, [item])


def show(conn: Connection, items: Sequence[WorkItem]) -> None:
    """Writes to the access log that the caller is shown these work items, once for each claim."""
    for claim_ref in dict.fromkeys(item.claim_ref for item in items):
        access_log.record_access(conn, claim_ref=claim_ref)


def _refusal(version: NoticeVersion, reason: WorkItemReason, fields: Sequence[str] = ()) -> WorkItem:
    item = _opened(
        WorkItemKind.REFUSAL,
        reason,
        claim_ref=version.claim_ref,
        authority_code=version.authority_code,
        notice_id=version.notice_id,
        number=version.version,
    )
    return replace(item, fields=tuple(fields))


def _opened(
    kind: WorkItemKind,
    reason: str,
    *,
    claim_ref: str,
    authority_code: str,
    notice_id: UUID | None,
    number: int | None,
) -> WorkItem:
    now = clock.now()
    return WorkItem(
        work_item_id=uuid.uuid4(),
        kind=kind,
        reason=reason,
        claim_ref=claim_ref,
        notice_id=notice_id,
        notice_version=number,
        authority_code=authority_code,
        fields=(),
        words="",
        state=WorkItemState.OPEN,
        owner="PROCESSING_OFFICER",
        opened=now,
        deadline=_deadline(authority_code, now),
        done=None,
        done_by="",
        outcome=None,
        answer="",
    )


def _deadline(authority_code: str, now: datetime) -> datetime:
    """A working day later, by the nation of the authority."""
    return within_working_days(_WORKING_DAYS, Nation.of_code(authority_code)).deadline(now)
