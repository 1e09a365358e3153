"""The interview: reading it, answering it, correcting it, and its history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import InvalidArgument, Violation
from chassis.identity import Identity
from chassis.postcodes import Postcodes
from chassis.vault import ClaimCipher
from intake.domain import claim as claims
from intake.domain import problems
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Change
from intake.domain.given import GivenAnswer, RawAnswer, read_answers
from intake.domain.history import HistoryEntry, Origin
from intake.domain.interview import Answers, Interview, evaluate
from intake.domain.script import Script
from intake.service.access import Held, HeldToChange, hold, hold_to_change
from intake.service.events import announce
from intake.service.look_ups import look_ups
from intake.service.places import placed
from intake.store.answers import load_answers, load_history, save_answers
from intake.store.bindings import load_binding
from intake.store.claims import load_claim, move_nino


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


def get_interview(
    conn: Connection, catalogues: Catalogues, claim_ref: str, *, section: str | None = None
) -> InterviewShown:
    """The interview as it stands. Raises NotFound, PermissionDenied, InvalidArgument for a section that it does not have."""
    held = hold(conn, catalogues, claim_ref, by_purpose=frozenset({"ASSESSOR", "CASEWORKER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    if section is not None and section not in {part.id for part in held.script.sections}:
        raise InvalidArgument.of(Violation.of("section", problems.NOT_A_SECTION))
    answers = load_answers(conn, held.cipher, version=held.claim.version)
    return _evaluated(held, answers, version=held.claim.version)


def record_answers(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    given: Sequence[RawAnswer],
    *,
    version: int,
    postcodes: Postcodes,
    only_changed: bool = False,
) -> InterviewShown:
    """Takes answers in the caller's own call, all or none.

    With `only_changed` the interview before is kept beside the one after.

    Raises NotFound, PermissionDenied, StaleVersion, InvalidArgument naming each question at fault, FailedPrecondition once
    the claim is submitted, and AlreadyExists (`OPEN_CLAIM`) where a NINO is given that another open claim has.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    read = _read(held, given, postcodes)
    change = claims.record_answers(held.claim, held.script, held.answers, read)
    _save(conn, held, change, reason="")
    return _show_changed(conn, held, change, only_changed=only_changed)


def amend_answers(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    given: Sequence[RawAnswer],
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
        conn,
        catalogues,
        claim_ref,
        version=version,
        by_purpose=frozenset({"ASSESSOR", "CASEWORKER", "PROCESSING_OFFICER"}),
    )
    read = _read(held, given, postcodes)
    change = claims.amend_answers(held.claim, held.script, held.answers, read)
    origin = _save(conn, held, change, reason=reason)
    entries = tuple(_entries(held, change, origin))
    return _show_changed(conn, held, change, only_changed=only_changed, changes=entries)


def show_again(
    conn: Connection,
    catalogues: Catalogues,
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
    shown = _show_at(conn, catalogues, cipher, version=version, language=language)
    earlier = None if before is None else _show_at(conn, catalogues, cipher, version=before, language=language)
    return replace(shown, before=earlier, changes=changes)


def get_history(
    conn: Connection, catalogues: Catalogues, claim_ref: str, *, after: tuple[int, str], limit: int
) -> list[HistoryEntry]:
    """A page of the answers that were ever given, oldest first: those behind `after`, a version and a question's id.

    Raises NotFound, PermissionDenied.
    """
    held = hold(conn, catalogues, claim_ref, by_purpose=frozenset({"ASSESSOR", "SERVICE_MANAGER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    return load_history(conn, held.cipher, version=held.claim.version, after=after, limit=limit)


def origin_of(identity: Identity, script: Script, *, reason: str = "") -> Origin:
    """The origin of answers that are given in this call."""
    return Origin(
        by=identity.subject,
        roles=tuple(sorted(identity.roles)),
        at=clock.now(),
        reason=reason,
        script_version=script.number,
    )


def _read(held: HeldToChange, given: Sequence[RawAnswer], postcodes: Postcodes) -> dict[str, GivenAnswer]:
    return placed(postcodes, held.script, read_answers(held.script.questions, given, today=clock.today()))


def _show_at(
    conn: Connection, catalogues: Catalogues, cipher: ClaimCipher, *, version: int, language: str
) -> InterviewShown:
    """The interview as it was at a version, by the catalogue and for the schemes that the claim had then."""
    claim = load_claim(conn, cipher.claim_ref, caller=call.current().identity.subject).claim
    binding = load_binding(conn, cipher.claim_ref, version=version)
    script = catalogues[binding.catalogue].script_for(binding.schemes)
    answers = load_answers(conn, cipher, version=version)
    interview = evaluate(script, answers, language=language, contact_date=claim.contact_date)
    return InterviewShown(claim_ref=cipher.claim_ref, version=version, interview=interview)


def _evaluated(held: Held, answers: Answers, *, version: int) -> InterviewShown:
    interview = evaluate(held.script, answers, language=held.language, contact_date=held.claim.contact_date)
    return InterviewShown(claim_ref=held.claim.claim_ref, version=version, interview=interview)


def _show_changed(
    conn: Connection,
    held: HeldToChange,
    change: Change,
    *,
    only_changed: bool,
    changes: tuple[HistoryEntry, ...] = (),
) -> InterviewShown:
    access_log.record_access(conn, claim_ref=held.claim.claim_ref, purpose=held.purpose)
    after = _evaluated(held, change.answers, version=change.claim.version)
    before = _evaluated(held, held.answers, version=held.claim.version) if only_changed else None
    return replace(after, before=before, changes=changes)


def _save(conn: Connection, held: HeldToChange, change: Change, *, reason: str) -> Origin:
    current = call.current()
    origin = origin_of(current.identity, held.script, reason=reason)
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
