"""The interview: reading it, answering it, correcting it, and its history."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from chassis import access_log, call, clock
from chassis.database import Connection
from intake.domain import claim as claims
from intake.domain.claim import Change, Given
from intake.domain.interview import Answers, Interview, evaluate
from intake.domain.values import JsonValue
from intake.service import script_in_use
from intake.service.access import HeldToChange, hold, hold_to_change
from intake.service.events import announce
from intake.service.look_ups import look_ups
from intake.store.answers import (
    HistoryEntry,
    Origin,
    load_answers,
    load_history,
    recall_interview,
    remember_interview,
    save_answers,
)
from intake.store.claims import move_nino


class InterviewShown(Struct, frozen=True, kw_only=True):
    """An interview as a caller is shown it, and the history entries that the request made."""

    claim_ref: str
    version: int
    interview: Interview
    changes: tuple[HistoryEntry, ...] = ()


def get_interview(conn: Connection, claim_ref: str) -> InterviewShown:
    """The interview as it stands. Raises NotFound, PermissionDenied."""
    held = hold(conn, claim_ref, by_purpose=frozenset({"ASSESSOR"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return _show(conn, claim_ref, version=held.claim.version, language=held.language)


def record_answers(conn: Connection, claim_ref: str, given: Mapping[str, Given], *, version: int) -> InterviewShown:
    """Takes answers in the caller's own call.

    Raises NotFound, PermissionDenied, StaleVersion, FailedPrecondition once the claim is submitted, and AlreadyExists
    (`OPEN_CLAIM`) where a NINO is given that another open claim has.
    """
    held = hold_to_change(conn, claim_ref, version=version)
    change = claims.record_answers(held.claim, script_in_use(), held.answers, given)
    _save(conn, held, change, reason="")
    return _show_changed(conn, held, change)


def amend_answers(
    conn: Connection, claim_ref: str, given: Mapping[str, Given], *, version: int, reason: str
) -> InterviewShown:
    """Changes answers, before submission or after.

    Raises as `record_answers` does, and InvalidArgument naming each question that would leave a submitted claim open.
    """
    held = hold_to_change(conn, claim_ref, version=version, by_purpose=frozenset({"ASSESSOR", "PROCESSING_OFFICER"}))
    change = claims.amend_answers(held.claim, script_in_use(), held.answers, given)
    made = _save(conn, held, change, reason=reason)
    changes = tuple(_entries(held.answers, change, made))
    return _show_changed(conn, held, change, changes=changes)


def _entries(before: Answers, change: Change, made: Origin) -> Iterator[HistoryEntry]:
    version = change.claim.version
    for name, answer in sorted(change.changed.items()):
        old = _value(before, name)
        yield HistoryEntry(question_id=name, version=version, old=old, new=answer.value, origin=made)


def show_again(
    conn: Connection, claim_ref: str, *, version: int, language: str, with_changes: bool = False
) -> InterviewShown:
    """What a request was shown when it was made, for its repeat: the caller has been entitled to it before."""
    history = _history(conn, claim_ref, version=version) if with_changes else []
    changes = tuple(entry for entry in history if entry.version == version)
    access_log.record_access(conn, claim_ref=claim_ref, purpose="repeat of a request")
    return _show(conn, claim_ref, version=version, language=language, changes=changes)


def get_history(conn: Connection, claim_ref: str) -> list[HistoryEntry]:
    """Every answer that was ever given, oldest first. Raises NotFound, PermissionDenied."""
    held = hold(conn, claim_ref, by_purpose=frozenset({"ASSESSOR", "SERVICE_MANAGER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return _history(conn, claim_ref, version=held.claim.version)


def _history(conn: Connection, claim_ref: str, *, version: int) -> list[HistoryEntry]:
    return load_history(conn, call.current().vault.cipher(conn, claim_ref), version=version)


def _show(
    conn: Connection, claim_ref: str, *, version: int, language: str, changes: tuple[HistoryEntry, ...] = ()
) -> InterviewShown:
    """An interview at a version: as it was remembered, where it is in this language."""
    interview = recall_interview(conn, claim_ref, version=version)
    if interview is None or interview.language != language:
        answers = load_answers(conn, call.current().vault, claim_ref, version=version)
        interview = evaluate(script_in_use(), answers, language=language)
    return InterviewShown(claim_ref=claim_ref, version=version, interview=interview, changes=changes)


def _value(answers: Answers, name: str) -> JsonValue:
    return answers[name].value if name in answers else None


def _save(conn: Connection, held: HeldToChange, change: Change, *, reason: str) -> Origin:
    current = call.current()
    origin = Origin(by=current.identity.subject, at=clock.now(), reason=reason, script_version=script_in_use().number)
    if change.changed:
        found_by = look_ups(current.vault, change.answers)
        save_answers(conn, held.cipher, change.claim, change.changed, origin=origin, look_ups=found_by)
        if "nino" in change.changed:
            move_nino(conn, change.claim.claim_ref, found_by.nino)
        for event in change.events:
            announce(conn, change.claim, event)
    return origin


def _show_changed(
    conn: Connection, held: HeldToChange, change: Change, *, changes: tuple[HistoryEntry, ...] = ()
) -> InterviewShown:
    claim = change.claim
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=held.purpose)
    interview = evaluate(
        script_in_use(), change.answers, language=held.language, known=change.known, before=held.before
    )
    remember_interview(conn, claim.claim_ref, interview, version=claim.version)
    return InterviewShown(claim_ref=claim.claim_ref, version=claim.version, interview=interview, changes=changes)
