"""The interview: reading it, answering it, correcting it, and its history."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import InvalidArgument, PermissionDenied, Violation
from chassis.identity import Identity
from chassis.postcodes import Postcodes
from chassis.vault import ClaimCipher
from intake.domain import claim as claims
from intake.domain import problems
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Change, Claim
from intake.domain.earlier import EarlierClaim
from intake.domain.given import GivenAnswer, RawAnswer, read_answers
from intake.domain.history import HistoryEntry, Origin
from intake.domain.interview import Answers, Interview, evaluate
from intake.domain.script import Script
from intake.service.access import BY_PURPOSE, Held, HeldToChange, entitlement, hold, hold_to_change
from intake.service.counting import count_answers
from intake.service.duplicates import IDENTIFYING, look_for_duplicates
from intake.service.earlier import EarlierShown, confirm, earlier_shown, link_earlier, shown_with
from intake.service.effects import EffectShown, shown_effect
from intake.service.events import announce
from intake.service.look_ups import look_ups
from intake.service.places import placed
from intake.store.answers import load_answers, load_answers_at, load_history, save_answers
from intake.store.bindings import load_binding, load_binding_at
from intake.store.claims import load_claim, move_nino
from intake.store.duplicates import undecided_duplicates


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
    duplicates: tuple[str, ...] = ()
    """Other open claims that may be of the same person, of which nobody has decided."""
    earlier: EarlierShown | None = None
    """The earlier claim whose answers can be confirmed, for a draft in a call."""
    effect: EffectShown | None = None
    """The effect that the changes would have, in a preview."""


def get_interview(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    *,
    section: str | None = None,
    at: datetime | None = None,
) -> InterviewShown:
    """The interview as it stands, or as it was at a time.

    Raises NotFound, PermissionDenied, and InvalidArgument for a section that it does not have or a time before the claim.
    """
    held = hold(conn, catalogues, claim_ref, by_purpose=frozenset({"ASSESSOR", "CASEWORKER"}))
    access_log.record_access(conn, claim_ref=claim_ref, purpose=held.purpose)
    shown = _show_now(conn, catalogues, held) if at is None else _show_then(conn, catalogues, held, at)
    if section is not None and section not in {part.id for part in shown.interview.script.sections}:
        raise InvalidArgument.of(Violation.of("section", problems.NOT_A_SECTION))
    return shown


def record_answers(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    given: Sequence[RawAnswer],
    *,
    version: int,
    postcodes: Postcodes,
    confirm_earlier: Collection[str] = (),
    only_changed: bool = False,
) -> InterviewShown:
    """Takes answers in the caller's own call, all or none.

    With `only_changed` the interview before is kept beside the one after. `confirm_earlier` names questions and sections whose
    answers in the earlier claim the claimant confirms; an answer that is given to one of these questions goes before.

    Raises NotFound, PermissionDenied, StaleVersion, InvalidArgument naming each question at fault, FailedPrecondition once
    the claim is submitted or before the earlier claim's security is passed, and AlreadyExists (`OPEN_CLAIM`) where a NINO is
    given that another open claim has.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    known = confirm(
        conn, catalogues, held.claim, held.earlier, confirm_earlier, script=held.script, answers=held.answers
    )
    read = {**placed(postcodes, held.script, known), **_read(catalogues, held, given, postcodes)}
    change = claims.record_answers(held.claim, held.script, held.answers, read)
    _save(conn, catalogues, held, change, origin_of(call.current().identity, held.script))
    return _show_changed(conn, catalogues, held, change, only_changed=only_changed)


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
    preview: bool = False,
) -> InterviewShown:
    """Changes answers, before submission or after. A preview saves nothing, and tells the effect.

    Raises as `record_answers` does, and InvalidArgument naming each question that would leave a submitted claim open.
    """
    held = hold_to_change(
        conn,
        catalogues,
        claim_ref,
        version=version,
        by_purpose=frozenset({"ASSESSOR", "CASEWORKER", "PROCESSING_OFFICER"}),
    )
    read = _read(catalogues, held, given, postcodes)
    change = claims.amend_answers(held.claim, held.script, held.answers, read)
    origin = origin_of(call.current().identity, held.script, reason=reason)
    entries = tuple(_entries(held, change, origin))
    if preview:
        effect = shown_effect(catalogues[held.claim.catalogue], held.script, held.answers, change)
        shown = _show_changed(conn, catalogues, held, change, only_changed=only_changed, changes=entries)
        return replace(shown, effect=effect)
    _save(conn, catalogues, held, change, origin)
    return _show_changed(conn, catalogues, held, change, only_changed=only_changed, changes=entries)


def show_again(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    *,
    version: int,
    language: str,
    before: int | None = None,
    with_changes: bool = False,
    duplicates: Sequence[str] = (),
    earlier: EarlierClaim | None = None,
    in_call: bool = True,
) -> InterviewShown:
    """The interview as a request was shown it, for the request's repeat: the caller was entitled to it then.

    Whoever is not any more, since the call has ended, gets the reference and the version alone, unless it was in no call.

    `before` is the version that the request named, where only what changed since was shown; `duplicates` and `earlier` are what
    stood beside it then.
    """
    cipher = call.current().vault.cipher(conn, claim_ref)
    access_log.record_access(conn, claim_ref=claim_ref, purpose="repeat of a request")
    if in_call and not _may_see(conn, claim_ref):
        return _withheld(_show_at(conn, catalogues, cipher, version=version, language=language))
    changes = tuple(load_history(conn, cipher, version=version, after=(version, "")) if with_changes else [])
    shown = _show_at(conn, catalogues, cipher, version=version, language=language)
    then = None if before is None else _show_at(conn, catalogues, cipher, version=before, language=language)
    known = None
    if earlier is not None:
        claim = load_claim(conn, claim_ref, caller=call.current().identity.subject).claim
        answers = load_answers(conn, cipher, version=version)
        known = shown_with(conn, catalogues, claim, earlier, script=shown.interview.script, answers=answers)
    return replace(shown, before=then, changes=changes, duplicates=tuple(duplicates), earlier=known)


def _may_see(conn: Connection, claim_ref: str) -> bool:
    found = load_claim(conn, claim_ref, caller=call.current().identity.subject)
    return not isinstance(entitlement(found.claim, found.open_call, BY_PURPOSE), PermissionDenied)


def _withheld(shown: InterviewShown) -> InterviewShown:
    """The interview without its questions: what was saved, and not what was said."""
    nothing = replace(
        shown.interview, sections=(), questions=(), next_question_id=None, asked=0, remaining=0, not_relevant=0
    )
    return InterviewShown(claim_ref=shown.claim_ref, version=shown.version, interview=nothing)


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


def _read(
    catalogues: Catalogues, held: HeldToChange, given: Sequence[RawAnswer], postcodes: Postcodes
) -> dict[str, GivenAnswer]:
    bank = catalogues[held.claim.catalogue].bank
    return placed(postcodes, held.script, read_answers(held.script.questions, given, today=clock.today(), bank=bank))


def _show_at(
    conn: Connection, catalogues: Catalogues, cipher: ClaimCipher, *, version: int, language: str
) -> InterviewShown:
    """The interview as it was at a version, by the catalogue and for the schemes that the claim had then."""
    found = load_claim(conn, cipher.claim_ref, caller=call.current().identity.subject)
    binding = load_binding(conn, cipher.claim_ref, version=version)
    script = catalogues[binding.catalogue].script_for(binding.schemes)
    answers = load_answers(conn, cipher, version=version)
    interview = evaluate(script, answers, language=language, contact_date=found.claim.contact_date)
    return InterviewShown(claim_ref=cipher.claim_ref, version=version, interview=interview)


def _show_then(conn: Connection, catalogues: Catalogues, held: Held, at: datetime) -> InterviewShown:
    """The interview as it was at a time. Nothing stands beside it: what may be done with it is done now."""
    if at < held.claim.first_contact_time:
        raise InvalidArgument.of(Violation.of("at_time", problems.BEFORE_THE_CLAIM))
    binding = load_binding_at(conn, held.claim.claim_ref, at=at)
    script = catalogues[binding.catalogue].script_for(binding.schemes)
    answers = load_answers_at(conn, held.cipher, at=at)
    version = max((answer.version for answer in answers.values()), default=1)
    interview = evaluate(script, answers, language=held.language, contact_date=held.claim.contact_date)
    return InterviewShown(claim_ref=held.claim.claim_ref, version=version, interview=interview)


def _show_now(conn: Connection, catalogues: Catalogues, held: Held) -> InterviewShown:
    answers = load_answers(conn, held.cipher, version=held.claim.version)
    shown = _evaluated(held, answers, version=held.claim.version)
    return beside(conn, catalogues, held.claim, held.earlier, shown=shown, answers=answers)


def _evaluated(held: Held, answers: Answers, *, version: int) -> InterviewShown:
    interview = evaluate(held.script, answers, language=held.language, contact_date=held.claim.contact_date)
    return InterviewShown(claim_ref=held.claim.claim_ref, version=version, interview=interview)


def beside(
    conn: Connection,
    catalogues: Catalogues,
    claim: Claim,
    earlier: EarlierClaim | None,
    *,
    shown: InterviewShown,
    answers: Answers,
) -> InterviewShown:
    """The interview with what stands beside it: other claims that may be of the person, and answers of an earlier one."""
    return replace(
        shown,
        duplicates=undecided_duplicates(conn, claim.claim_ref),
        earlier=earlier_shown(conn, catalogues, claim, earlier, script=shown.interview.script, answers=answers),
    )


def _show_changed(
    conn: Connection,
    catalogues: Catalogues,
    held: HeldToChange,
    change: Change,
    *,
    only_changed: bool,
    changes: tuple[HistoryEntry, ...] = (),
) -> InterviewShown:
    access_log.record_access(conn, claim_ref=held.claim.claim_ref, purpose=held.purpose)
    after = _evaluated(held, change.answers, version=change.claim.version)
    earlier = held.earlier
    if "nino" in change.changed:
        earlier = load_claim(conn, held.claim.claim_ref, caller=call.current().identity.subject).earlier
    after = beside(conn, catalogues, change.claim, earlier, shown=after, answers=change.answers)
    before = _evaluated(held, held.answers, version=held.claim.version) if only_changed else None
    return replace(after, before=before, changes=changes)


def _save(conn: Connection, catalogues: Catalogues, held: HeldToChange, change: Change, origin: Origin) -> None:
    if not change.changed:
        return
    found_by = look_ups(call.current().vault, change.answers)
    save_answers(conn, held.cipher, change.claim, change.changed, origin=origin, look_ups=found_by)
    if "nino" in change.changed:
        move_nino(conn, change.claim.claim_ref, found_by.nino)
        link_earlier(conn, catalogues, change.claim.claim_ref, found_by.nino)
    if IDENTIFYING & change.changed.keys():
        look_for_duplicates(conn, change.claim, change.answers)
    for event in change.events:
        announce(conn, change.claim, event)
    count_answers(conn, change.claim, held.answers, change.changed)


def _entries(held: HeldToChange, change: Change, origin: Origin) -> Iterator[HistoryEntry]:
    for name, answer in sorted(change.changed.items()):
        old = held.answers[name].value if name in held.answers else None
        yield HistoryEntry(
            question_id=name,
            version=change.claim.version,
            old=old,
            new=answer.value,
            confirmed_from=answer.confirmed_from,
            origin=origin,
        )
