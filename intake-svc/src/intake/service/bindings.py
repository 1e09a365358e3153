"""Changing what a draft is bound to: its schemes, and its catalogue of questions."""

from collections.abc import Sequence

from chassis import access_log, call
from chassis.database import Connection
from intake.domain import binding
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Change
from intake.domain.history import HistoryEntry
from intake.domain.interview import evaluate
from intake.domain.values import JsonValue
from intake.service.access import HeldToChange, hold_to_change, script_of
from intake.service.duplicates import look_for_duplicates
from intake.service.events import announce
from intake.service.interviews import InterviewShown, beside, origin_of
from intake.service.look_ups import look_ups
from intake.store.answers import save_answers
from intake.store.bindings import save_binding


def change_schemes(
    conn: Connection, catalogues: Catalogues, claim_ref: str, schemes: Sequence[str], *, version: int
) -> InterviewShown:
    """Changes the schemes of a draft in the caller's own call.

    Raises NotFound, PermissionDenied, StaleVersion, AlreadyExists (`OPEN_CLAIM`) where another open claim of the person has
    one of them, and what `domain.binding.change_schemes` raises.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    change = binding.change_schemes(held.claim, held.answers, catalogues[held.claim.catalogue], schemes)
    return _saved(conn, catalogues, held, change)


def move_to_catalogue(conn: Connection, catalogues: Catalogues, claim_ref: str, *, version: int) -> InterviewShown:
    """Binds a draft to the newest catalogue, in the caller's own call.

    Raises NotFound, PermissionDenied, StaleVersion, and what `domain.binding.move_to_catalogue` raises.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    change = binding.move_to_catalogue(held.claim, held.answers, catalogues.newest)
    return _saved(conn, catalogues, held, change)


def _saved(conn: Connection, catalogues: Catalogues, held: HeldToChange, change: Change) -> InterviewShown:
    current, after = call.current(), change.claim
    script = script_of(catalogues, after)
    origin = origin_of(current.identity, script)
    if change.changed:
        found_by = look_ups(current.vault, change.answers)
        save_answers(conn, held.cipher, after, change.changed, origin=origin, look_ups=found_by)
        save_binding(conn, held.claim, after, at=origin.at, nino_lookup=found_by.nino)
        look_for_duplicates(conn, after, change.answers)
        for event in change.events:
            announce(conn, after, event)
    access_log.record_access(conn, claim_ref=after.claim_ref, purpose=held.purpose)
    changes = tuple(
        HistoryEntry(question_id=name, version=after.version, old=_old(held, name), new=answer.value, origin=origin)
        for name, answer in sorted(change.changed.items())
    )
    interview = evaluate(script, change.answers, language=held.language, contact_date=after.contact_date)
    shown = InterviewShown(claim_ref=after.claim_ref, version=after.version, interview=interview, changes=changes)
    return beside(conn, catalogues, after, held.earlier, shown=shown, answers=change.answers)


def _old(held: HeldToChange, name: str) -> JsonValue:
    if name == binding.SCHEMES:
        return list(held.claim.schemes)
    if name == binding.CATALOGUE:
        return held.claim.catalogue
    return held.answers[name].value
