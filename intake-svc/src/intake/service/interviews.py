"""The interview: reading it, answering it, correcting it, and its history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.identity import Identity
from chassis.postcodes import Postcodes
from chassis.vault import ClaimCipher
from intake.domain import claim as claims
from intake.domain.claim import Change, GivenAnswer
from intake.domain.history import HistoryEntry, Origin
from intake.domain.interview import Answers, Interview, evaluate
from intake.service import script_in_use
from intake.service.access import HeldToChange, hold, hold_to_change
from intake.service.events import announce
from intake.service.look_ups import look_ups
from intake.service.places import placed
from intake.store.answers import load_answers, load_history, save_answers
from intake.store.claims import move_nino


@dataclass(frozen=True, kw_only=True)
class InterviewShown:
    """An interview as a caller sees it, and the history entries that the request made.

    `before` is the interview of the version that the request named, where only what changed since is to be shown.
    """

    claim_ref: str
    version: int
    interview: Interview
    before: "InterviewShown | None" = None
    changes: tuple[HistoryEntry, ...] = ()


def get_interview(conn: Connection, claim_ref: str) -> InterviewShown:
    """The interview as it stands. Raises NotFound, PermissionDenied."""
    held = hold(conn, claim_ref, by_purpose=frozenset({"ASSESSOR", "CASEWORKER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return _show(conn, held.cipher, version=held.claim.version, language=held.language)


def record_answers(
    conn: Connection,
    claim_ref: str,
    given: Mapping[str, GivenAnswer],
    *,
    version: int,
    postcodes: Postcodes,
    only_changed: bool = False,
) -> InterviewShown:
    """Takes answers in the caller's own call. With `only_changed` the interview before is kept beside the one after.

    Raises NotFound, PermissionDenied, StaleVersion, FailedPrecondition once the claim is submitted, and AlreadyExists
    (`OPEN_CLAIM`) where a NINO is given that another open claim has.
    """
    held = hold_to_change(conn, claim_ref, version=version)
    change = claims.record_answers(held.claim, script_in_use(), held.answers, placed(postcodes, given))
    _save(conn, held, change, reason="")
    return _show_changed(conn, held, change, only_changed=only_changed)


def amend_answers(
    conn: Connection,
    claim_ref: str,
    given: Mapping[str, GivenAnswer],
    *,
    version: int,
    reason: str,
    postcodes: Postcodes,
    only_changed: bool = False,
) -> InterviewShown:
    """Changes answers, before submission or after.

    Raises as `record_answers` does, and InvalidArgument naming each question that would leave a submitted claim open.
    """
    held = hold_to_change(
        conn, claim_ref, version=version, by_purpose=frozenset({"ASSESSOR", "CASEWORKER", "PROCESSING_OFFICER"})
    )
    change = claims.amend_answers(held.claim, script_in_use(), held.answers, placed(postcodes, given))
    origin = _save(conn, held, change, reason=reason)
    entries = tuple(_entries(held, change, origin))
    return _show_changed(conn, held, change, only_changed=only_changed, changes=entries)


def show_again(
    conn: Connection,
    claim_ref: str,
    *,
    version: int,
    language: str,
    before: int | None = None,
    with_changes: bool = False,
) -> InterviewShown:
    """The interview as a request was shown it, for the request's repeat: the caller was entitled to it then.

    `before` is the version that the request named, where only what changed since was shown.
    """
    cipher = call.current().vault.cipher(conn, claim_ref)
    changes = tuple(load_history(conn, cipher, version=version, after=(version, "")) if with_changes else [])
    access_log.record_access(conn, claim_ref=claim_ref, purpose="repeat of a request")
    shown = _show(conn, cipher, version=version, language=language)
    earlier = None if before is None else _show(conn, cipher, version=before, language=language)
    return replace(shown, before=earlier, changes=changes)


def get_history(conn: Connection, claim_ref: str, *, after: tuple[int, str], limit: int) -> list[HistoryEntry]:
    """A page of the answers that were ever given, oldest first: those behind `after`, a version and a question's id.

    Raises NotFound, PermissionDenied.
    """
    held = hold(conn, claim_ref, by_purpose=frozenset({"ASSESSOR", "SERVICE_MANAGER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return load_history(conn, held.cipher, version=held.claim.version, after=after, limit=limit)


def origin_of(identity: Identity, *, reason: str = "") -> Origin:
    """The origin of answers that are given in this call."""
    return Origin(
        by=identity.subject,
        roles=tuple(sorted(identity.roles)),
        at=clock.now(),
        reason=reason,
        script_version=script_in_use().number,
    )


def _show(conn: Connection, cipher: ClaimCipher, *, version: int, language: str) -> InterviewShown:
    return _evaluated(cipher.claim_ref, load_answers(conn, cipher, version=version), version=version, language=language)


def _evaluated(claim_ref: str, answers: Answers, *, version: int, language: str) -> InterviewShown:
    interview = evaluate(script_in_use(), answers, language=language)
    return InterviewShown(claim_ref=claim_ref, version=version, interview=interview)


def _show_changed(
    conn: Connection,
    held: HeldToChange,
    change: Change,
    *,
    only_changed: bool,
    changes: tuple[HistoryEntry, ...] = (),
) -> InterviewShown:
    claim_ref, language = held.claim.claim_ref, held.language
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    after = _evaluated(claim_ref, change.answers, version=change.claim.version, language=language)
    before = None
    if only_changed:
        before = _evaluated(claim_ref, held.answers, version=held.claim.version, language=language)
    return replace(after, before=before, changes=changes)


def _save(conn: Connection, held: HeldToChange, change: Change, *, reason: str) -> Origin:
    current = call.current()
    origin = origin_of(current.identity, reason=reason)
    if change.changed:
        found_by = look_ups(current.vault, change.answers)
        save_answers(conn, held.cipher, change.claim, change.changed, origin=origin, look_ups=found_by)
        if "nino" in change.changed:
            move_nino(conn, change.claim.claim_ref, found_by.nino)
        for event in change.events:
            announce(conn, change.claim, event)
    return origin


def _entries(held: HeldToChange, change: Change, origin: Origin) -> Iterator[HistoryEntry]:
    for name, answer in sorted(change.changed.items()):
        old = held.answers[name].value if name in held.answers else None
        yield HistoryEntry(question_id=name, version=change.claim.version, old=old, new=answer.value, origin=origin)
