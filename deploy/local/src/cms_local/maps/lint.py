"""The lint of the maps: what must hold of them before a claim is sent by one. See docs/adr/0043.

Every field of every layout is mapped once or constant; the answers that a field is made from are those that say they are
needed by it; every conversion gives a value that the field can hold for whatever the catalogue allows; every edit rule is run,
or is of what no record shows, and leads to a question and to words for the claimant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chassis import outside
from chassis.outside import OutsideField, OutsideRecord, Source
from cms_local.maps.samples import samples
from intake.domain.catalogue import Catalogue
from intake.domain.script import Question
from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, System
from legacy_gateway.mapping.asking import asking
from legacy_gateway.mapping.edit_rules import NOT_IN_A_RECORD, RULES
from legacy_gateway.mapping.schema import CONSTANT, FieldSource, Sources

_CONSUMER = "legacy-gateway"
_DAY = date(2005, 7, 11)
_OWN_CODES = {mapping.MISSING, mapping.NOT_FITTING, mapping.TOO_MUCH}


@dataclass
class Report:
    """The findings, a line each, and how much was looked at."""

    findings: list[str] = field(default_factory=list)
    records: int = 0
    from_answers: int = 0
    by_the_platform: int = 0
    constant: int = 0
    conversions: int = 0
    rules: int = 0

    @property
    def fields(self) -> int:
        """The fields of all records."""
        return self.from_answers + self.by_the_platform + self.constant


def report(catalogue: Catalogue) -> Report:
    """Lints the map of every system against the outside records, the edit rules and the questions of a catalogue."""
    found = Report()
    for system in System:
        try:
            sources = mapping.sources(system)
        except mapping.SourcesError as fault:
            found.findings.append(f"{system}: {fault}")
            continue
        for phase in sources.phases:
            record = outside.records()[phase.record]
            found.records += 1
            _count(found, record)
            found.findings += _of_fields(catalogue, sources, record)
            found.findings += _of_rules(system, record)
            tried, problems = _of_conversions(catalogue, system, phase.number, record)
            found.conversions += tried
            found.findings += problems
    found.rules = len(RULES)
    found.findings += _of_all_rules()
    found.findings = list(dict.fromkeys(found.findings))
    return found


def _count(found: Report, record: OutsideRecord) -> None:
    for listed in record.fields.values():
        if listed.filled_from is Source.CONSTANT:
            found.constant += 1
        elif listed.filled_from is Source.PLATFORM:
            found.by_the_platform += 1
        else:
            found.from_answers += 1


@dataclass(frozen=True, kw_only=True)
class _Mapped:
    """The source of a field, and the facts that make a difference to it; of a table those of its rows."""

    source: FieldSource
    feeding: frozenset[str]


def _of_fields(catalogue: Catalogue, sources: Sources, record: OutsideRecord) -> Iterator[str]:
    for name, listed in record.fields.items():
        mapped = list(_mapped(sources, record.name, name))
        if listed.filled_from is Source.CONSTANT:
            yield from _of_constant(record, name, listed, mapped)
        elif listed.filled_from is not Source.PLATFORM:
            yield from _of_answers(catalogue, record, name, mapped)
            yield from _of_derived(catalogue, sources, record, name, mapped)


def _mapped(sources: Sources, record: str, name: str) -> Iterator[_Mapped]:
    own = sources.of_record(record)
    if name in own:
        yield _Mapped(source=own[name], feeding=own[name].feeding)
    for rows in sources.rows_of(record):
        if name in rows.fields:
            yield _Mapped(source=rows.fields[name], feeding=rows.feeding)


def _of_constant(record: OutsideRecord, name: str, listed: OutsideField, mapped: list[_Mapped]) -> Iterator[str]:
    for one in mapped:
        if one.source.form == CONSTANT and listed.value and one.source.value != listed.value:
            yield f"{record.name}: {name} is {one.source.value!r} and must be {listed.value!r}"
        if one.source.form != CONSTANT:
            yield f"{record.name}: {name} is always the same and is made by the form {one.source.form}"


def _of_answers(catalogue: Catalogue, record: OutsideRecord, name: str, mapped: list[_Mapped]) -> Iterator[str]:
    """The answers that say that they are needed by the field, and those that the map makes it from, are the same."""
    feeding = frozenset().union(*(one.feeding for one in mapped))
    asked = _questions(catalogue, record)
    naming = {question.id for question in asked.values() if _names(question, name)}
    derived = {fact.id: fact for script in _scripts(catalogue, record) for fact in script.derived}
    for left_out in sorted(naming - feeding):
        yield f"{record.name}: {name} does not go by {left_out}, which says that the field needs it"
    for made_of in sorted(feeding - derived.keys()):
        if made_of not in catalogue.bank:
            yield f"{record.name}: {name} goes by {made_of}, which the catalogue does not have"
        elif made_of in asked and _CONSUMER not in asked[made_of].seen_by and made_of in _read(mapped):
            yield f"{record.name}: {name} is made from {made_of}, which the gateway may not see"


def _of_derived(
    catalogue: Catalogue, sources: Sources, record: OutsideRecord, name: str, mapped: list[_Mapped]
) -> Iterator[str]:
    """Each fact that a derived fact follows from must make a difference to the record, so that a change of it is noticed."""
    asked, feeding = _questions(catalogue, record), sources.feeding(record.name)
    for fact in (fact for script in _scripts(catalogue, record) for fact in script.derived):
        if fact.id in _read(mapped):
            for left_out in sorted((fact.rule.names & asked.keys()) - feeding):
                yield f"{record.name}: {name} does not go by {left_out}, from which {fact.id} follows"


def _read(mapped: list[_Mapped]) -> set[str]:
    return {fact for one in mapped for fact in one.source.from_facts}


def _names(question: Question, name: str) -> bool:
    return any(name in part.needed_by for part in (question, *question.fields))


def _scripts(catalogue: Catalogue, record: OutsideRecord) -> list[Any]:
    return [catalogue.script_for([scheme]) for scheme in record.schemes]


def _questions(catalogue: Catalogue, record: OutsideRecord) -> Mapping[str, Question]:
    return {name: question for script in _scripts(catalogue, record) for name, question in script.questions.items()}


def _of_rules(system: System, record: OutsideRecord) -> Iterator[str]:
    """Each rule on a record names a field of it that answers fill, and so leads to a question and to words."""
    for rule in outside.edit_rules().rules:
        if not record.part or not rule.concerns(record.part) or rule.code in NOT_IN_A_RECORD:
            continue
        own = [name for name in rule.fields if name in record.fields]
        answered = [name for name in own if record.fields[name].filled_from in {Source.QUESTION, Source.DERIVED}]
        for name in answered:
            if not mapping.question_of(system, name):
                yield f"{record.name}: edit rule {rule.code} on {name} leads to no question"
        if rule.breaks and answered and rule.code not in asking().rules:
            yield f"asking.toml: edit rule {rule.code} has no words for the claimant"


def _of_all_rules() -> Iterator[str]:
    codes = {rule.code for rule in outside.edit_rules().rules}
    yield from (f"edit rule {code} is neither run nor of what no record shows" for code in sorted(codes - _known()))
    yield from (f"edit rule {code} is run and is not in edit_rules.toml" for code in sorted(_known() - codes))
    for code in sorted(asking().rules.keys() - codes - _OWN_CODES):
        yield f"asking.toml: there is no edit rule {code}"


def _known() -> set[str]:
    return {*RULES, *NOT_IN_A_RECORD}


def _of_conversions(catalogue: Catalogue, system: System, number: int, record: OutsideRecord) -> tuple[int, list[str]]:
    """Makes the record with each sample of each answer in turn: each gives a value that the field can hold."""
    script = catalogue.script_for(record.schemes)
    given = {name: list(samples(script, question, today=_DAY)) for name, question in script.questions.items()}
    base = {name: values[0] for name, values in given.items() if values}
    tried, problems = 0, list[str]()
    for name in sorted(mapping.feeding(system, number) & given.keys()):
        if not given[name]:
            problems.append(f"{record.name}: no answer to {name} could be tried")
        for value in given[name]:
            tried += 1
            messages = mapping.check(system, number, _case({**base, name: value}))
            problems += [
                f"{record.name}: {message.field} {message.text}, for an answer to {name} that the catalogue takes"
                for message in messages
                if message.code == mapping.NOT_FITTING
            ]
    return tried, problems


def _case(answers: Mapping[str, Any]) -> mapping.Case:
    facts = Facts(answers=answers, contact_on=_DAY, evidence_on=_DAY, operator="OP000001", operator_grade="AO")
    return mapping.Case(
        claim_ref="C00000000018",
        action=Action.NEW,
        office_code="100123",
        assessor_id="ASSESS01",
        facts=facts,
        authority_code="E06000001",
        first_phase_reference="JS0000000001",
        transfer_id="0" * 26,
    )
