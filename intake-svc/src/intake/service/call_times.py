"""The course of a call: on hold, going on, wrap-up; and the calls about a claim."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import access_log, call, clock
from chassis.database import Connection
from intake.domain.call import Call, Caller, no_dropped_call, questions_to_ask
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim
from intake.service.access import BY_PURPOSE, cipher_of, hold, script_of
from intake.service.calls import count_wrap_ups, end_own_wrap_ups, own_call
from intake.store.answers import load_answers
from intake.store.calls import load_calls, lock_latest_call, save_call
from intake.store.claims import load_claim


@dataclass(frozen=True, kw_only=True)
class CallResumed:
    """A call that goes on, and its claim."""

    call: Call
    claim: Claim


def hold_call(conn: Connection, call_id: UUID) -> Call:
    """Puts the caller on hold. Raises NotFound, PermissionDenied, and what `Call.put_on_hold` raises."""
    held = own_call(conn, call_id).put_on_hold(at=clock.now())
    save_call(conn, held)
    return held


def resume_own_call(conn: Connection, catalogues: Catalogues, call_id: UUID) -> CallResumed:
    """Goes on with the caller's own call. Raises NotFound, PermissionDenied, and what `Call.resume` raises."""
    end_own_wrap_ups(conn, but=call_id)
    return _resume(conn, catalogues, own_call(conn, call_id))


def resume_dropped_call(conn: Connection, catalogues: Catalogues, claim_ref: str) -> CallResumed:
    """Goes on with the claim's latest call, whoever had it. Raises NotFound and what `Call.resume` raises."""
    latest = lock_latest_call(conn, claim_ref)
    if latest is None:
        load_claim(conn, claim_ref, caller=call.current().identity.subject)
        raise no_dropped_call(claim_ref)
    end_own_wrap_ups(conn, but=latest.call_id)
    return _resume(conn, catalogues, latest)


def end_wrap_up(conn: Connection, call_id: UUID) -> Call:
    """Says that the operator is ready. Raises NotFound, PermissionDenied, and what `Call.end_wrap_up` raises."""
    over = own_call(conn, call_id).end_wrap_up(at=clock.now())
    save_call(conn, over)
    count_wrap_ups(conn, [over])
    return over


def list_calls(
    conn: Connection, catalogues: Catalogues, claim_ref: str, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[Call, Caller]]:
    """The calls about a claim with who was on the line, newest first. Raises NotFound, PermissionDenied."""
    held = hold(conn, catalogues, claim_ref, by_purpose=BY_PURPOSE)
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return load_calls(conn, held.cipher, after=after, limit=limit)


def _resume(conn: Connection, catalogues: Catalogues, dropped: Call) -> CallResumed:
    operator = call.current().identity.subject
    found = load_claim(conn, dropped.claim_ref, caller=operator)
    answers = load_answers(conn, cipher_of(found), version=found.claim.version)
    script = script_of(catalogues, found.claim)
    questions = questions_to_ask(script, answers, contact_date=found.claim.contact_date)
    resumed = dropped.resume(operator=operator, questions=questions, catalogue=script.number, at=clock.now())
    save_call(conn, resumed)
    return CallResumed(call=resumed, claim=found.claim)
