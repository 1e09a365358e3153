"""Takes a day's work along: the interviews of one assessor, with the answers that they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from joserfc.jwk import OKPKey

from assessment.clients import Intake, Interview, Question
from assessment.domain.bundles import (
    Bundle,
    BundleNotFound,
    BundleState,
    NothingToTake,
    TakenClaim,
)
from assessment.domain.items import Item
from assessment.domain.work import WorkFilter, WorkItem
from assessment.service import assessing, bundle_seal, evidence, reading, work
from assessment.service.reading import Permitted
from assessment.store import bundles as store
from chassis import call, clock
from chassis.bank_holidays import Nation
from chassis.database import Connection
from chassis.deadlines import within_working_days
from chassis.errors import InvalidArgument, Violation
from chassis.idempotency import first_answer

MOST_CLAIMS = 20
_RETURN_WITHIN = within_working_days(1, Nation.ENGLAND)


@dataclass(frozen=True, kw_only=True)
class Load:
    """A claim to take along, with its interview."""

    work: WorkItem
    interview: Interview


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A bundle that was taken, encrypted for the device, and the public keys of this service for it."""

    bundle: Bundle
    content: str
    signing_key: bytes
    return_key: bytes


def load_day(intake: Intake, request: Message, day: date, claim_refs: Sequence[str]) -> list[Load]:
    """The caller's interviews of a day, or those of them that are named, with their answers; none for a repeat of `request`.

    Raises NothingToTake, InvalidArgument naming claims that are none of these, and as `read_interview` does.
    """
    with call.current().database.transaction() as conn:
        if first_answer(conn, request) is not None:
            return []
    found = _interviews(day)
    unknown = [index for index, claim_ref in enumerate(claim_refs) if claim_ref not in found]
    if unknown:
        description = "is no interview of yours on this day that is still open"
        raise InvalidArgument.of(*(Violation(field=f"claim_refs[{i}]", description=description) for i in unknown))
    wanted = [found[claim_ref] for claim_ref in dict.fromkeys(claim_refs or found)][:MOST_CLAIMS]
    if not wanted:
        raise NothingToTake
    return [Load(work=item, interview=reading.read_interview(intake, item.claim_ref)) for item in wanted]


def bundle_of(request_id: UUID) -> str:
    """The id of the bundle that the caller takes by this request."""
    return str(uuid5(request_id, call.current().identity.subject))


def take(
    conn: Connection, bundle_id: str, loads: Sequence[Load], *, day: date, encryption_key: OKPKey, signing_key: bytes
) -> Taken:
    """Takes these claims along: their assessments begin, or go on."""
    caller = call.current().identity
    parts = [_begin(conn, load) for load in loads]
    bundle = Bundle(
        bundle_id=bundle_id,
        taken_by=caller.subject,
        office_code=caller.office or "",
        taken_time=clock.now(),
        return_by=_RETURN_WITHIN.deadline(_end_of(day)),
        device_key=signing_key,
        claims=tuple(claim for claim, _ in parts),
    )
    keys = bundle_seal.OwnKeys.generate()
    store.add(conn, call.current().vault, bundle, own_keys=keys.dump())
    content = _content(bundle, [part for _, part in parts])
    mine, returning = keys.public
    return Taken(
        bundle=bundle,
        content=bundle_seal.seal(content, keys=keys, device=encryption_key),
        signing_key=mine,
        return_key=returning,
    )


def discard(conn: Connection, bundle_id: str, *, reason: str) -> Bundle:
    """Gives a bundle up: nobody can bring it back any more. Raises BundleNotFound, BundleEnded."""
    identity = call.current().identity
    bundle = store.lock(conn, bundle_id)
    if bundle is None or not (bundle.taken_by == identity.subject or identity.has("SERVICE_MANAGER")):
        raise BundleNotFound
    bundle.expect_out()
    store.end(
        conn,
        call.current().vault,
        bundle_id,
        state=BundleState.DISCARDED,
        by=identity.subject,
        at=clock.now(),
        reason=reason,
    )
    return bundle


def _interviews(day: date) -> dict[str, WorkItem]:
    """The caller's open work with an interview on that day, in the order of the interviews."""
    wanted = WorkFilter(
        office=work.office_to_list(""),
        assessor=call.current().identity.subject,
        starts_from=_end_of(day - timedelta(days=1)),
        starts_before=_end_of(day),
    )
    with call.current().database.transaction() as conn:
        items = work.list_work(conn, wanted, after=None, limit=200)
    still_open = [item for item in items if not item.state.is_end and item.appointment is not None]
    in_order = sorted(
        still_open, key=lambda item: item.appointment.start_time if item.appointment else item.submit_time
    )
    return {item.claim_ref: item for item in in_order}


def _begin(conn: Connection, load: Load) -> tuple[TakenClaim, dict[str, Any]]:
    claim_ref, interview = load.work.claim_ref, load.interview
    begun = assessing.start_assessment(conn, claim_ref, interview)
    answered = dict(interview.facts.answered)
    taken = TakenClaim(claim_ref=claim_ref, claim_version=interview.version, answered=answered)
    return taken, _part(conn, load, begun)


def _part(conn: Connection, load: Load, begun: Permitted) -> dict[str, Any]:
    """A claim as the device shows it."""
    appointment, items = load.work.appointment, begun.assessment.items_at(begun.desks)
    shown = evidence.evidence_of(conn, begun.assessment).evidence
    return {
        "claim_ref": load.work.claim_ref,
        "claim_version": load.interview.version,
        "schemes": list(begun.assessment.schemes),
        "appointment": {
            "appointment_id": appointment.appointment_id if appointment else "",
            "start_time": appointment.start_time.isoformat() if appointment else "",
            "channel": appointment.channel if appointment else "",
        },
        "items": [_item(items[fact], question) for fact, question in load.interview.questions.items() if fact in items],
        "needs": [
            {
                "need_id": need.id,
                "name": {"en": need.name.en, "cy": need.name.cy},
                "facts": need.facts,
                "kinds": need.kinds,
            }
            for need in shown.missing
        ],
    }


def _item(item: Item, question: Question) -> dict[str, Any]:
    proof = item.evidence
    return {
        "fact": item.fact,
        "text": question.text,
        "value": json_format.MessageToDict(question.answer),
        "proposal": None if question.proposal is None else json_format.MessageToDict(question.proposal),
        "answered_version": item.answered_version,
        "status": item.status.value,
        "schemes": item.schemes,
        "evidence": {"kind": proof.kind, "seen_on": proof.seen_on} if proof else None,
    }


def _content(bundle: Bundle, parts: Sequence[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(
        {
            "bundle_id": bundle.bundle_id,
            "taken_by": bundle.taken_by,
            "office_code": bundle.office_code,
            "taken_time": bundle.taken_time,
            "return_by": bundle.return_by,
            "claims": parts,
        }
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, clock.LONDON)
