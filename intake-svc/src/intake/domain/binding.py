"""The binding of a claim to its schemes and its catalogue. Both can be changed while it is a draft.

Answers stay. The change stands in the history as the answer to a question that no catalogue has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chassis.errors import FailedPrecondition, InvalidArgument
from intake.domain.answers import validate_answer
from intake.domain.catalogue import Catalogue
from intake.domain.claim import Change, Claim, ClaimState, FirstContactRecorded, announced
from intake.domain.interview import Answer, Answers, known_values
from intake.domain.script import Script
from intake.domain.values import JsonValue

SCHEMES, CATALOGUE = "schemes", "catalogue"
"""The names of the changes in the history."""


def change_schemes(claim: Claim, before: Answers, catalogue: Catalogue, schemes: Sequence[str]) -> Change:
    """Changes the schemes of a draft; nothing changes where it has these already.

    A first contact that was announced is announced again, for its hearers go by the schemes that it names.

    Raises InvalidArgument naming each scheme that the claim's catalogue does not have or that cannot be claimed with this
    date of claim, and FailedPrecondition where it is no draft.
    """
    claim.expect_state(ClaimState.DRAFT, advice="only a draft's schemes can be changed")
    names = tuple(sorted(schemes))
    if names == claim.schemes:
        return Change(claim=claim, answers=before, changed={})
    catalogue.refuse_unknown(schemes)
    script = catalogue.script_for(names)
    catalogue.refuse_closed(schemes, known_values(script, before, claim.contact_date).claim_date)
    change = _bound(replace(claim, schemes=names), script, before, {SCHEMES: list(names)})
    if claim.first_contact_recorded:
        again = FirstContactRecorded(first_contact_time=claim.first_contact_time)
        return replace(change, events=(again, *change.events))
    return change


def move_to_catalogue(claim: Claim, before: Answers, newest: Catalogue) -> Change:
    """Binds a draft to the newest catalogue; nothing changes where it has that one already.

    An answer that the new catalogue cannot take is cleared. Raises FailedPrecondition where it is no draft, and where the
    new catalogue does not have its schemes for its date of claim (`SCHEME_CLOSED`).
    """
    claim.expect_state(ClaimState.DRAFT, advice="only a draft can be moved to another catalogue")
    if newest.number == claim.catalogue:
        return Change(claim=claim, answers=before, changed={})
    try:
        newest.refuse_unknown(claim.schemes)
        script = newest.script_for(claim.schemes)
        newest.refuse_closed(claim.schemes, known_values(script, before, claim.contact_date).claim_date)
    except InvalidArgument as refusal:
        why = "; ".join(violation.description for violation in refusal.violations)
        raise FailedPrecondition(
            "SCHEME_CLOSED", f"catalogue {newest.number} cannot take the claim: {why}"
        ) from refusal
    moved = replace(claim, catalogue=newest.number)
    return _bound(moved, script, before, {CATALOGUE: newest.number} | dict(_read_again(newest, before)))


def _bound(claim: Claim, script: Script, before: Answers, values: dict[str, JsonValue]) -> Change:
    version = claim.version + 1
    changed = {name: Answer(value=value, version=version) for name, value in values.items()}
    answers = {**before, **changed}
    after, events = announced(replace(claim, version=version), script, answers)
    return Change(claim=after, answers=answers, changed=changed, events=events)


def _read_again(catalogue: Catalogue, before: Answers) -> Iterator[tuple[str, JsonValue]]:
    """The answers that stand otherwise in this catalogue: None where it cannot take them."""
    for name, answer in before.items():
        if name in catalogue.bank and answer.value is not None:
            value = _read(catalogue, name, answer.value)
            if value != answer.value:
                yield name, value


def _read(catalogue: Catalogue, name: str, value: JsonValue) -> JsonValue:
    try:
        return validate_answer(catalogue.bank, name, value, today=None)
    except InvalidArgument:
        return None
