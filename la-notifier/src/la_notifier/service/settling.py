"""Saving what became of a version: an answer under the lease of its worker, or an authority's word on a version that it names.

The same for every channel. `_publish` tells others, once for each version.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from prometheus_client import Histogram

from chassis import clock, logs, metrics, outbox
from chassis.conversions import timestamp
from chassis.database import Connection
from cms.notifier.v1 import events_pb2
from la_notifier.domain.notices import NoticeState, NoticeVersion, Step, Word
from la_notifier.service import work_items
from la_notifier.store import clocks, versions

FIRST_CONTACT_TO_SENT = Histogram(
    "notifier_first_contact_to_sent_seconds",
    "From a claimant's first contact until an authority first had a notice of it.",
    buckets=(5, 15, 30, 60, 120, 300, 900, 3600, 14400, 43200, 86400),
    registry=metrics.REGISTRY,
)


def settle(conn: Connection, version: NoticeVersion, decide: Callable[[NoticeVersion], Step]) -> Step | None:
    """Saves the step that `decide` gives for the leased version; None, with nothing saved, where the lease was lost."""
    held = versions.hold(conn, version)
    if held is None:
        return None
    step = decide(held)
    save(conn, held, step)
    return step


def settle_word(conn: Connection, notice_id: UUID, number: int, word: Word) -> tuple[NoticeVersion, Step | None] | None:
    """Saves an authority's word on the version that it names: out of order, doubled, or over a version that is leased.

    None where there is no such version; without a step where the word changes nothing. Once a version is loaded, nobody has
    to ask about an earlier one. Raises FailedPrecondition where the version never went out.
    """
    version = versions.lock(conn, notice_id, number)
    if version is None:
        return None
    step = version.heard(word)
    if step is not None:
        work_items.end_refusal(conn, version)
        save(conn, version, step)
    if step is not None and step.state is NoticeState.LOADED:
        versions.supersede_earlier(conn, version, now=clock.now())
    return version, step


def save(conn: Connection, version: NoticeVersion, step: Step) -> None:
    """Saves a step of a version that this transaction holds, and publishes what it brought."""
    versions.settle(conn, version, step, now=clock.now())
    work_items.follow(conn, version, step)
    _keep_clocks(conn, version, step)
    _publish(conn, version, step)


def _keep_clocks(conn: Connection, version: NoticeVersion, step: Step) -> None:
    """Stops the clocks of what the authority says that it has, and starts them again where it refuses what it had."""
    if step.state is NoticeState.REFUSED and version.sent_time is not None:
        clocks.start(conn, version.notice_id)
    elif step.is_confirmed and step.state is not version.state:
        clocks.stop(conn, version.notice_id, version=version.version)


def _publish(conn: Connection, version: NoticeVersion, step: Step) -> None:
    """Publishes what the step brought: that the authority has the version, loaded it or refused it."""
    if step.is_acknowledged and version.sent_time is None:
        event = events_pb2.NoticeSent(sent_time=timestamp(clock.now()), **_subject(version))
        outbox.append(conn, claim_ref=version.claim_ref, version=version.version, event=event)
        _measure(conn, version)
    if step.state is NoticeState.LOADED:
        loaded = events_pb2.NoticeLoaded(**_subject(version))
        outbox.append(conn, claim_ref=version.claim_ref, version=version.version, event=loaded)
    elif step.state is NoticeState.REFUSED:
        refused = events_pb2.NoticeRefused(**_subject(version), fields=step.refused_fields)
        outbox.append(conn, claim_ref=version.claim_ref, version=version.version, event=refused)


def _subject(version: NoticeVersion) -> Mapping[str, Any]:
    return {
        "notice_id": str(version.notice_id),
        "notice_version": version.version,
        "authority_code": version.authority_code,
    }


def _measure(conn: Connection, version: NoticeVersion) -> None:
    """Counts the time from first contact, once for each notice and after the commit."""
    if not version.notice_was_sent:
        elapsed = (clock.now() - version.first_contact_time).total_seconds()
        conn.after_commit(lambda: FIRST_CONTACT_TO_SENT.observe(elapsed))


def names(version: NoticeVersion) -> Mapping[str, Any]:
    """The fields by which a log line names a version."""
    return {
        "claim_ref": version.claim_ref,
        "notice_id": str(version.notice_id),
        "version": version.version,
        "authority_code": version.authority_code,
    }


def log(event: str, version: NoticeVersion, step: Step | None, **more: object) -> None:
    """Logs what a worker's step made of a version; `step` is None where the lease was lost."""
    if step is None:
        logs.get().warning("lease lost, the authority's answer is not saved", **names(version), **more)
    elif step.is_disputed:
        logs.get().warning("the authority contradicts our record", **names(version), **more)
    else:
        logs.get().info(event, **names(version), state=step.state, **more)
