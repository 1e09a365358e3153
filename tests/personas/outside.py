"""The outcome of a claim outside: its records, its notice and the decisions about it.

The records are written by the gateway's own maps, the notice by the notifier's own domain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from intake.domain.interview import Answer, KnownValues, facts, known_values, record_forms
from intake.domain.rules import Rule
from intake.domain.script import Question, Script
from la_notifier.data import disclosure
from la_notifier.domain.content import content_of
from la_notifier.domain.facts import ClaimFacts, missing_facts, sought
from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, System
from tests.personas.persona import Persona, catalogue, script_of

Answers = Mapping[str, Answer]
Filled = dict[str, Any]
SYSTEMS = {
    "INCOME_SUPPORT": System.ISCS,
    "JOBSEEKERS_ALLOWANCE": System.JSAPS,
    "INCAPACITY_BENEFIT": System.PSCS,
    "CRISIS_LOAN": System.SFCS,
    "CHILD_MAINTENANCE": System.CMS_COTS,
}
"""The system that each scheme's records go to."""
_CLAIM_REF = "C00000000018"
_COUNCIL = "E08000035"


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision, for claims of these schemes: results of rules, and answers whose words a person reads."""

    schemes: tuple[str, ...]
    rules: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that can differ when an answer does. Two outcomes are compared as they are."""

    path: frozenset[str]
    """The questions that are relevant."""
    held_up: frozenset[str]
    """Those that hold up submission."""
    records: Mapping[str, Filled]
    notice: Filled | None
    decisions: Mapping[str, tuple[Any, ...]]


@cache
def decisions() -> Mapping[str, Decision]:
    """The facts on which each decision of the catalogue rests."""
    path = Path(__file__).with_name("decisions.toml")
    return msgspec.toml.decode(path.read_bytes(), type=dict[str, Decision])


@cache
def _rules(name: str) -> tuple[Rule, ...]:
    return tuple(catalogue().compiler.value(rule) for rule in decisions()[name].rules)


def outcome(persona: Persona, answers: Answers, *, held_up: frozenset[str]) -> Outcome:
    """The outcome of these answers."""
    script = script_of(persona)
    known = known_values(script, answers, persona.called_on)
    return Outcome(
        path=known.relevant,
        held_up=held_up,
        records=dict(_records(persona, script, answers)),
        notice=_notice(persona, script, answers),
        decisions={name: _decided(name, script, answers, known) for name in decisions() if _concerns(name, persona)},
    )


def _concerns(name: str, persona: Persona) -> bool:
    return bool(set(decisions()[name].schemes) & set(persona.schemes))


def _decided(name: str, script: Script, answers: Answers, known: KnownValues) -> tuple[Any, ...]:
    """Results of the rules; then what is read, of groups the parts that name the decision, or all where none does."""
    read = [
        _reading(f"decision.{name}", script.questions[part], answers[part].value)
        for part in decisions()[name].reads
        if part in known.valued
    ]
    return (*(rule.result(known.rule_values) for rule in _rules(name)), *read)


def _reading(name: str, question: Question, value: Any) -> Any:
    parts = _parts(name, question, value)
    return value if parts is None else parts


def _records(persona: Persona, script: Script, answers: Answers) -> Iterator[tuple[str, Filled]]:
    given = facts(script, answers, "legacy-gateway", contact_date=persona.called_on)
    case = case_of(persona, given | record_forms(answers, given))
    for scheme in persona.schemes:
        for phase in mapping.sources(SYSTEMS[scheme]).phases:
            yield phase.record, dict(mapping.values_of(SYSTEMS[scheme], phase.number, case))


def case_of(persona: Persona, told: Mapping[str, Any]) -> mapping.Case:
    """The gateway's case for these facts."""
    known = Facts(
        answers=told, contact_on=persona.called_on, evidence_on=None, operator="OP000001", operator_grade="AO"
    )
    return mapping.Case(
        claim_ref=_CLAIM_REF,
        action=Action.NEW,
        office_code="100123",
        assessor_id="ASSESS01",
        facts=known,
        authority_code=str(told.get("council") or _COUNCIL),
        first_phase_reference="JS0000000001",
        transfer_id="0123456789ABCDEFGHIJKLMNOP",
    )


def _parts(name: str, question: Question, value: Any) -> Any:
    """The parts of a group that name this field or decision, None where none does; any other answer as it is."""
    if not question.fields:
        return value
    wanted = sorted(part.id for part in question.fields if name in part.needed_by)
    return [{part: entry.get(part) for part in wanted} for entry in value] if wanted else None


def _notice(persona: Persona, script: Script, answers: Answers) -> Filled | None:
    told = facts(script, answers, "la-notifier", contact_date=persona.called_on)
    claim = ClaimFacts(
        claim_ref=_CLAIM_REF,
        version=1,
        withdrawn=False,
        schemes=persona.schemes,
        language=str(told.get("language", persona.language)),
        first_contact_time=datetime.combine(persona.called_on, datetime.min.time(), UTC),
        first_contact_on=persona.called_on,
        claim_on=persona.called_on,
        answers=told,
    )
    if sought(claim) is None or missing_facts(claim):
        return None
    council = str(told.get("council") or _COUNCIL)
    return content_of(disclosure(), claim, authority_code=council, intention_on=persona.called_on)
