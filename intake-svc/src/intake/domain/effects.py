"""The effect of changed answers, before they are saved: which facts change, and what reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from intake.domain.claim import Change, facts_changed
from intake.domain.interview import Answers, known_values
from intake.domain.script import Question, Script
from intake.domain.values import JsonValue

_DECISION = "decision."


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The effect of a change. Facts and questions are in the script's order."""

    changed_fields: tuple[str, ...]
    """Facts that change, come or go."""
    read_by: Mapping[str, tuple[str, ...]]
    """By the name of an outside field, the changed facts that it reads."""
    decisions: tuple[str, ...]
    """Decisions that are made with the facts that change."""
    relevant: tuple[str, ...]
    """Questions that begin to apply."""
    not_relevant: tuple[str, ...]
    """Questions that no longer apply."""


def effect_of(script: Script, before: Answers, change: Change) -> Effect:
    """The effect of a change of answers."""
    contact_date = change.claim.contact_date
    old, new = known_values(script, before, contact_date), known_values(script, change.answers, contact_date)
    changed = tuple(facts_changed(script, before, change))
    facts = [name for name in changed if name in old.valued | new.valued]
    readers = dict(_readers(script, facts, before, change.answers))
    derived = {
        fact.id: fact.needed_by
        for fact in script.derived
        if fact.rule.result(old.rule_values) != fact.rule.result(new.rule_values)
    }
    return Effect(
        changed_fields=(*facts, *derived),
        read_by=_by_field({**readers, **derived}),
        decisions=_decisions({**readers, **derived}),
        relevant=tuple(name for name in script.questions if name in new.relevant - old.relevant),
        not_relevant=tuple(name for name in script.questions if name in old.relevant - new.relevant),
    )


def _readers(
    script: Script, facts: Sequence[str], before: Answers, after: Answers
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in facts:
        question = script.questions[name]
        values = [answers[name].value if name in answers else None for answers in (before, after)]
        yield name, (*question.needed_by, *_readers_of_entries(question, *values))


def _readers_of_entries(question: Question, old: JsonValue, new: JsonValue) -> Iterator[str]:
    """The readers of a group's fields whose values differ in some entry, or of all fields of an entry that comes or goes."""
    for field in question.fields:
        if _column(field.id, old) != _column(field.id, new):
            yield from field.needed_by


def _column(field: str, entries: JsonValue) -> list[JsonValue]:
    if not isinstance(entries, list):
        return []
    return [entry.get(field) for entry in entries if isinstance(entry, dict)]


def _by_field(readers: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for fact, names in readers.items():
        for name in dict.fromkeys(names):
            if not name.startswith(_DECISION):
                found.setdefault(name, []).append(fact)
    return {name: tuple(facts) for name, facts in found.items()}


def _decisions(readers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    found = (name for names in readers.values() for name in names if name.startswith(_DECISION))
    return tuple(dict.fromkeys(name.removeprefix(_DECISION) for name in found))
