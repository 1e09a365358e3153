"""Which outside records an effect reaches: those of the claim's own schemes, as `chassis.outside` has them."""

from collections.abc import Iterator
from dataclasses import dataclass

from chassis.outside import OutsideRecord, records
from intake.domain.catalogue import Catalogue
from intake.domain.claim import Change
from intake.domain.effects import Effect, effect_of
from intake.domain.interview import Answers, known_values
from intake.domain.script import Script

_NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class OutsideField:
    """A field of an outside record, and the changed facts that it reads."""

    record: str
    system: str
    field: str
    changed_fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EffectShown:
    """An effect with the outside fields that it reaches."""

    effect: Effect
    outside_fields: tuple[OutsideField, ...]
    sends_notice: bool
    """Whether the council is told of it."""


def shown_effect(catalogue: Catalogue, script: Script, before: Answers, change: Change) -> EffectShown:
    """The effect on what the outside is told of the claim: fields of records that it has, before the change or after."""
    effect = effect_of(script, before, change)
    reached = tuple(
        field for record in _records(catalogue, script, before, change) for field in _reached(record, effect)
    )
    told = change.claim.first_contact_recorded and any(field.record == _NOTICE for field in reached)
    return EffectShown(effect=effect, outside_fields=reached, sends_notice=told)


def _records(catalogue: Catalogue, script: Script, before: Answers, change: Change) -> Iterator[OutsideRecord]:
    contact_date = change.claim.contact_date
    values = [known_values(script, answers, contact_date).rule_values for answers in (before, change.answers)]
    for record in records().values():
        if not set(record.schemes) & set(change.claim.schemes):
            continue
        sent_when = catalogue.compiler.condition(record.sent_when) if record.sent_when else None
        if sent_when is None or any(sent_when.holds(known) for known in values):
            yield record


def _reached(record: OutsideRecord, effect: Effect) -> Iterator[OutsideField]:
    for name in record.fields:
        if name in effect.read_by:
            yield OutsideField(
                record=record.name, system=record.system, field=name, changed_fields=effect.read_by[name]
            )
