"""Calls: starting one with its claim, showing who is calling, ending it."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import AlreadyExists, NotFound, PermissionDenied
from chassis.identity import Identity
from intake import metrics
from intake.domain.call import (
    LONGEST_CALL,
    LONGEST_WRAP_UP,
    Call,
    Caller,
    Outcome,
    Security,
    answers_of_call,
    questions_to_ask,
)
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim, ClaimState
from intake.domain.earlier import EarlierClaim
from intake.domain.given import RawAnswer, read_answers
from intake.domain.interview import Answer, evaluate
from intake.domain.references import new_claim_reference
from intake.domain.script import Script
from intake.domain.search import LookUps
from intake.service.access import cipher_of, script_of
from intake.service.claims import withdraw_unless_answered
from intake.service.earlier import EarlierShown, earlier_shown, link_earlier, try_earlier
from intake.service.events import announce_end
from intake.service.interviews import InterviewShown, origin_of, show_again
from intake.service.look_ups import look_ups, nino_look_up
from intake.service.security import expect_try
from intake.store.answers import load_answers, save_answers
from intake.store.bindings import load_binding
from intake.store.calls import (
    end_wrap_ups,
    has_other_calls,
    insert_call,
    load_language,
    lock_call,
    lock_forgotten_calls,
    save_call,
)
from intake.store.claims import claim_version, find_open_claim, insert_claim, load_claim, lock_tries

_DEFAULT_GRADE = "AO"
"""The usual grade of operators, for a token that names none."""


@dataclass(frozen=True, kw_only=True)
class CallAsked:
    """The request for a call. `nino` is canonical; at most one of `nino` and `claim_ref` is given."""

    purpose: str
    nino: str | None
    claim_ref: str | None
    schemes: tuple[str, ...]
    language: str
    needs: tuple[str, ...]
    caller: Caller


@dataclass(frozen=True, kw_only=True)
class CallStarted:
    """A call with its claim; `interview` is absent where an earlier claim is resumed."""

    call: Call
    claim: Claim
    interview: InterviewShown | None

    @property
    def resumed(self) -> bool:
        """Whether the call continues an earlier claim."""
        return self.interview is None


@dataclass(frozen=True, kw_only=True)
class SecurityTried:
    """A call after a try at security questions; `earlier` where they were those of the earlier claim."""

    call: Call
    earlier: EarlierShown | None = None


def start_call(conn: Connection, catalogues: Catalogues, asked: CallAsked) -> CallStarted:
    """Starts a call on the open claim of the NINO and scheme, or on the claim that is named, or on a new one.

    Of two calls that start for one NINO at the same moment, one makes the claim and the other resumes it.
    Raises NotFound for an unknown claim, and where there is no open claim and the purpose is not NEW.
    """
    end_own_wrap_ups(conn)
    found = _earlier_claim(conn, asked)
    if found is not None:
        return _resume(conn, catalogues, asked, found)
    if asked.purpose != "NEW":
        raise NotFound("NO_OPEN_CLAIM", "there is no open claim; start a call with the purpose NEW to make one")
    try:
        with conn.savepoint():
            return _begin(conn, catalogues, asked)
    except AlreadyExists:
        found = _earlier_claim(conn, asked)
        if found is None:
            raise
        return _resume(conn, catalogues, asked, found)


def start_again(
    conn: Connection,
    catalogues: Catalogues,
    call_id: UUID,
    *,
    version: int,
    state: str,
    resumed: bool,
    earlier: EarlierClaim | None = None,
) -> CallStarted:
    """The first response to a request to start a call, for the request's repeat."""
    started = lock_call(conn, call_id).as_started()
    bound = load_binding(conn, started.claim_ref, version=version)
    claim = replace(
        load_claim(conn, started.claim_ref, caller=started.operator).claim,
        schemes=bound.schemes,
        catalogue=bound.catalogue,
        version=version,
        state=ClaimState(state),
        language=started.language,
        submit_time=None,
        evidence_complete_time=None,
        office_code=None,
    )
    interview = None
    if not resumed:
        interview = show_again(
            conn, catalogues, claim.claim_ref, version=version, language=started.language, earlier=earlier
        )
    return CallStarted(call=started, claim=claim, interview=interview)


def pass_security(conn: Connection, catalogues: Catalogues, call_id: UUID, given: Sequence[RawAnswer]) -> SecurityTried:
    """Takes a try at the security questions: of the claim, or once the call may see that, of the person's earlier claim.

    A wrong try is saved, and counts, for the call and by claim and operator over all calls. Raises NotFound, PermissionDenied
    for another's call, and what `Call.identify`, `EarlierClaim.identify` and `expect_try` raise.
    """
    own = own_call(conn, call_id)
    found = lock_tries(conn, own.claim_ref, caller=own.operator)
    if own.security is Security.PASSED and found.earlier and not found.earlier.passed:
        own.expect_open()
        return SecurityTried(call=own, earlier=try_earlier(conn, catalogues, own, found.earlier, given))
    read = read_answers(catalogues[own.catalogue].bank, given, today=clock.today())
    values = {name: answer.value for name, answer in read.items()}
    own.expect_security_open()
    tries = expect_try(conn, own, own.claim_ref)
    tried = own.identify(values, load_answers(conn, cipher_of(found), version=found.claim.version))
    save_call(conn, tried)
    tries.note(conn, passed=tried.security is Security.PASSED)
    return SecurityTried(call=tried)


def end_call(conn: Connection, call_id: UUID, outcome: Outcome, *, call_back_time: datetime | None) -> Call:
    """Ends the caller's own call. A wrong number leaves no claim behind that nothing was answered in.

    Raises NotFound, PermissionDenied for another's call, and what `Call.end` raises.
    """
    ended = own_call(conn, call_id).end(outcome, at=clock.now(), call_back_time=call_back_time)
    _save_ended(conn, ended)
    if outcome is Outcome.WRONG_NUMBER and not has_other_calls(conn, ended):
        withdraw_unless_answered(conn, ended.claim_ref)
    return ended


def language_of_call(conn: Connection, call_id: UUID) -> str | None:
    """The language ("EN", "CY") of the caller's own call; None where there is no such call."""
    return load_language(conn, call_id, operator=call.current().identity.subject)


def language_of_claim(conn: Connection, claim_ref: str) -> str | None:
    """The language of the caller's own open call on the claim, or of the claim; None where there is no such claim."""
    try:
        found = load_claim(conn, claim_ref, caller=call.current().identity.subject)
    except NotFound:
        return None
    return found.open_call.language if found.open_call else found.claim.language


def end_own_wrap_ups(conn: Connection, *, but: UUID | None = None) -> None:
    """Ends the wrap-ups of the caller, for whom the next call begins."""
    now = clock.now()
    operator = call.current().identity.subject
    over = end_wrap_ups(conn, operator=operator, but=but, at=now, longest=LONGEST_WRAP_UP, ended_by=now)
    count_wrap_ups(conn, over)


def end_forgotten_wrap_ups(conn: Connection) -> bool:
    """Ends wrap-ups that nobody ended; true where there may be more."""
    now = clock.now()
    long_ago = now - LONGEST_WRAP_UP
    over = end_wrap_ups(conn, operator=None, but=None, at=now, longest=LONGEST_WRAP_UP, ended_by=long_ago)
    count_wrap_ups(conn, over)
    return bool(over)


def count_wrap_ups(conn: Connection, over: Sequence[Call]) -> None:
    """Counts the wrap-ups of calls that are over, when that is committed."""
    for ended in over:
        conn.after_commit(partial(metrics.WRAP_UP.observe, ended.wrap_up_seconds))


def end_forgotten_calls(conn: Connection) -> bool:
    """Ends, as abandoned, calls that nobody ended within a shift; true where there may be more."""
    forgotten = lock_forgotten_calls(conn, started_before=clock.now() - LONGEST_CALL)
    for found in forgotten:
        ended = found.end(Outcome.ABANDONED, at=clock.now(), call_back_time=None)
        _save_ended(conn, ended.end_wrap_up(at=clock.now()))
    return bool(forgotten)


def _save_ended(conn: Connection, ended: Call) -> None:
    save_call(conn, ended)
    announce_end(conn, ended, version=claim_version(conn, ended.claim_ref))
    conn.after_commit(lambda: metrics.CALL_DURATION.labels(ended.outcome).observe(ended.call_seconds))
    if ended.hold:
        conn.after_commit(lambda: metrics.CALL_HOLD.observe(ended.hold_seconds))


def _earlier_claim(conn: Connection, asked: CallAsked) -> str | None:
    if asked.claim_ref is not None or asked.nino is None:
        return asked.claim_ref
    return find_open_claim(conn, nino_look_up(call.current().vault, asked.nino), asked.schemes)


def _resume(conn: Connection, catalogues: Catalogues, asked: CallAsked, claim_ref: str) -> CallStarted:
    found = load_claim(conn, claim_ref, caller=call.current().identity.subject)
    cipher, script = cipher_of(found), script_of(catalogues, found.claim)
    record = load_answers(conn, cipher, version=found.claim.version)
    questions = questions_to_ask(script, record, contact_date=found.claim.contact_date)
    started = _call(asked, found.claim, questions)
    insert_call(conn, cipher, started, asked.caller)
    return CallStarted(call=started, claim=found.claim, interview=None)


def _begin(conn: Connection, catalogues: Catalogues, asked: CallAsked) -> CallStarted:
    catalogue, schemes = catalogues.newest, tuple(sorted(asked.schemes))
    catalogue.refuse_closed(asked.schemes, clock.today())
    claim, script = _new_claim(asked, schemes, catalogue.number), catalogue.script_for(schemes)
    vault = call.current().vault
    found_by = LookUps(nino=nino_look_up(vault, asked.nino) if asked.nino else None)
    insert_claim(conn, claim, found_by)
    cipher = vault.cipher(conn, claim.claim_ref)
    answers = _first_answers(asked, script)
    origin = origin_of(call.current().identity, script)
    save_answers(conn, cipher, claim, answers, origin=origin, look_ups=look_ups(vault, answers))
    started = _call(asked, claim, ())
    insert_call(conn, cipher, started, asked.caller)
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=f"call {started.call_id}")
    interview = evaluate(script, answers, language=asked.language, contact_date=claim.contact_date)
    link = link_earlier(conn, catalogues, claim.claim_ref, found_by.nino)
    earlier = earlier_shown(conn, catalogues, claim, link, script=script, answers=answers)
    shown = InterviewShown(claim_ref=claim.claim_ref, version=claim.version, interview=interview, earlier=earlier)
    return CallStarted(call=started, claim=claim, interview=shown)


def _new_claim(asked: CallAsked, schemes: tuple[str, ...], catalogue: int) -> Claim:
    identity = call.current().identity
    return Claim(
        claim_ref=new_claim_reference(random.SystemRandom()),
        schemes=schemes,
        catalogue=catalogue,
        state=ClaimState.DRAFT,
        version=1,
        language=asked.language,
        first_contact_time=clock.now(),
        operator=identity.subject,
        operator_grade=usual_grade(identity),
    )


def _first_answers(asked: CallAsked, script: Script) -> dict[str, Answer]:
    """The facts that the call was started with are not asked again, as far as the script asks them."""
    given = {**answers_of_call(asked.caller, asked.needs), "language": asked.language}
    if asked.nino:
        given["nino"] = asked.nino
    return {name: Answer(value=value, version=1) for name, value in given.items() if name in script.questions}


def usual_grade(identity: Identity) -> str:
    """The grade of a caller."""
    return identity.grade or _DEFAULT_GRADE


def _call(asked: CallAsked, claim: Claim, questions: tuple[str, ...]) -> Call:
    return Call(
        call_id=uuid.uuid4(),
        claim_ref=claim.claim_ref,
        operator=call.current().identity.subject,
        purpose=asked.purpose,
        language=asked.language,
        needs=asked.needs,
        security=Security.REQUIRED if questions else Security.PASSED,
        security_questions=questions,
        catalogue=claim.catalogue,
        started=clock.now(),
    )


def own_call(conn: Connection, call_id: UUID) -> Call:
    """The caller's own call. Raises NotFound, and PermissionDenied for another's."""
    found = lock_call(conn, call_id)
    if found.operator != call.current().identity.subject:
        raise PermissionDenied("CALL_REQUIRED", "this is another operator's call", metadata={"call_id": str(call_id)})
    return found
