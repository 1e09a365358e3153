"""What a claim comes to outside: its records, its notice and the decisions about it.

JSAPS's records are written by the gateway's own map, the notice by the notifier's own domain. For systems whose map is still
to come the records are made here, field by field as `chassis.outside` lists them: a field is filled by the question that names
it in `needed_by`, in the form that `_FORMS` gives where the record holds less than the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chassis.outside import Source, records
from intake.domain.interview import Answer, KnownValues, facts, known_values, record_forms
from intake.domain.rules import Rule
from intake.domain.script import Question, Script
from la_notifier.domain.content import content_of
from la_notifier.domain.facts import ClaimFacts, missing_facts, sought
from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, System
from legacy_gateway.mapping.forms import FORMS
from tests.personas.persona import Persona, catalogue, script_of

Answers = Mapping[str, Answer]
Filled = dict[str, Any]
OWN_MAP = "JOBSEEKERS_ALLOWANCE"
"""The scheme whose records the gateway's own map makes."""
RECORDS = {
    "INCOME_SUPPORT": "ISCS-CLAIM",
    "INCAPACITY_BENEFIT": "PSCS-DETAIL",
    "CRISIS_LOAN": "SFCS-LOAN",
    "CHILD_MAINTENANCE": "cots",
}
"""The record of each other scheme."""
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
    """What each decision of the catalogue goes by."""
    path = Path(__file__).with_name("decisions.toml")
    return msgspec.toml.decode(path.read_bytes(), type=dict[str, Decision])


@cache
def _rules(name: str) -> tuple[Rule, ...]:
    return tuple(catalogue().compiler.value(rule) for rule in decisions()[name].rules)


def outcome(persona: Persona, answers: Answers, *, held_up: frozenset[str]) -> Outcome:
    """What becomes of these answers."""
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
    told = given | record_forms(answers, given)
    for scheme in persona.schemes:
        if scheme == OWN_MAP:
            case = _case(persona, told)
            yield "JSAPS-ES", _by_own_map("JSAPS-ES", case)
            yield "JSAPS-BA", _by_own_map("JSAPS-BA", case)
        else:
            yield RECORDS[scheme], _by_list(RECORDS[scheme], script, told)


def _case(persona: Persona, told: Mapping[str, Any]) -> mapping.Case:
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
    )


def _by_own_map(record: str, case: mapping.Case) -> Filled:
    sources = mapping.sources(System.JSAPS).of_record(record)
    return {field: FORMS[source.form](case, source) for field, source in sources.items()}


def _by_list(record: str, script: Script, told: Mapping[str, Any]) -> Filled:
    return {
        name: _FORMS[name](told) if name in _FORMS else _of_needs(name, script, told)
        for name, field in records()[record].fields.items()
        if field.filled_from in {Source.QUESTION, Source.DERIVED} or name in _FORMS
    }


def _of_needs(field: str, script: Script, told: Mapping[str, Any]) -> Any:
    """The answers to the questions that name the field; of groups the parts that name it, or how many where none does."""
    found = [
        _filling(field, question, told[name])
        for name, question in script.questions.items()
        if name in told and _names(question, field)
    ]
    found += [told[fact.id] for fact in script.derived if field in fact.needed_by and fact.id in told]
    return found or None


def _names(question: Question, field: str) -> bool:
    return field in question.needed_by or any(field in part.needed_by for part in question.fields)


def _filling(field: str, question: Question, value: Any) -> Any:
    parts = _parts(field, question, value)
    return len(value) if parts is None else parts


def _parts(name: str, question: Question, value: Any) -> Any:
    """Of a group the parts that name this field or decision, None where none does; any other answer as it is."""
    if not question.fields:
        return value
    wanted = sorted(part.id for part in question.fields if name in part.needed_by)
    return [{part: entry.get(part) for part in wanted} for entry in value] if wanted else None


def _flag(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda told: "Y" if told.get(name) is True else "N"


def _ssp_ended(told: Mapping[str, Any]) -> str | None:
    """Where no sick pay was due, the eve of the illness (PS0021)."""
    if told.get("ssp_reason") != "NE":
        return told.get("ssp_ended")
    sick_from = told.get("sick_from")
    return None if sick_from is None else (date.fromisoformat(sick_from) - timedelta(days=1)).isoformat()


def _applied_children(told: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The children of an application: rows of a group of their own, or of `children` where only nights are asked."""
    if "qualifying_children" in told:
        return [(child["name"], child["date_of_birth"], child["nights"]) for child in told["qualifying_children"]]
    born = {child.get("name"): child["date_of_birth"] for child in told.get("children", [])}
    return [(row["name"], born.get(row["name"]), row["nights"]) for row in told.get("children_nights", [])]


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "CM-LA-CODE": lambda told: told.get("council", _COUNCIL),
    "CM-DATE-OF-CLAIM": lambda told: told.get("backdate_to"),
    "CM-PARTNER-FLAG": _flag("has_partner"),
    "IS-RENT-LIABLE": _flag("liable_for_rent"),
    "IS-MORTGAGE": _flag("has_mortgage"),
    "PD-SSP-ENDED": _ssp_ended,
    "PD-HOSPITAL": lambda told: "Y" if told.get("in_hospital_or_home") == "HOSPITAL" else "N",
    "PD-ADULT-DEPENDANT": lambda told: "Y" if told.get("adult_dependant") not in {None, "NONE"} else "N",
    "PD-CHILD-COUNT": lambda told: len(told.get("children", [])),
    "SF-INTERIM-CONSIDERED": _flag("interim_considered"),
    "cots.children.name": _applied_children,
    "cots.children.date_of_birth": _applied_children,
    "cots.children.nights_per_year": _applied_children,
    "cots.safe_contact": lambda told: not told.get("contact_unsafe"),
}
"""Fields of which a record holds less than the answer, or which several answers make."""


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
    return content_of(claim, authority_code=council, intention_on=persona.called_on)
