"""Holds a script's paths to submission against the outside records: what can be reached, and what is always filled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from chassis import outside
from chassis.outside import OutsideField, OutsideRecord
from intake.catalogue.lint.findings import Finding, in_scheme
from intake.catalogue.lint.search import Outcome, Path, Search, decided
from intake.catalogue.lint.values import NOTHING, rules_of
from intake.domain.catalogue import Catalogue
from intake.domain.rules import Rule, RuleError
from intake.domain.script import Derived, Question, Script


@dataclass(frozen=True, kw_only=True)
class Fillers:
    """The answers and derived facts that fill an outside field in a script."""

    questions: tuple[Question, ...]
    derived: tuple[Derived, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names on which it depends whether the field is filled."""
        rules = {name for fact in self.derived for name in fact.rule.names}
        return frozenset({question.id for question in self.questions} | rules)


def records_of(scheme: str) -> list[OutsideRecord]:
    """The outside records that a claim of this scheme makes."""
    return [record for record in outside.records().values() if scheme in record.schemes]


def fillers(script: Script, field: str) -> Fillers:
    """The questions and derived facts of a script that fill an outside field."""
    return Fillers(
        questions=tuple(question for question in script.questions.values() if field in needs(question)),
        derived=tuple(fact for fact in script.derived if field in fact.needed_by),
    )


def needs(question: Question) -> frozenset[str]:
    """Everything that reads an answer, or a part of it."""
    parts = (name for field in question.fields for name in field.needed_by)
    return frozenset((*question.needed_by, *parts))


def days_of(catalogue: Catalogue, script: Script) -> list[date]:
    """Days of first contact that dated rules can tell apart, within the dates of the schemes: the catalogue's first."""
    first = max((since for since, _ in script.dates.values() if since), default=date(1988, 4, 11))
    last = min((until for _, until in script.dates.values() if until), default=date(2099, 1, 1))
    turns = {day for table in script.tables for day, _ in table.rows}
    turns |= {date.fromisoformat(day) for rule in rules_of(script) for day in _written_days(rule)}
    wanted = [catalogue.released_on, *sorted({turn + timedelta(days=step) for turn in turns for step in (-1, 0)})]
    within = [day for day in dict.fromkeys(wanted) if first <= day <= last]
    return within or [first]


def _written_days(rule: Rule) -> Iterator[str]:
    if rule.names & {"claim_date", "contact_date"}:
        yield from (part[:10] for part in rule.expression.split("timestamp('")[1:])


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How a question comes to be asked: answers before it, or that it could not be shown."""

    schemes: tuple[str, ...]
    question: str
    outcome: Outcome


def reaches(script: Script, search: Search) -> Iterator[Reach]:
    """For each question of a script, answers with which it is asked; several may have one rule."""
    found: dict[Rule | None, Outcome] = {}
    for question in script.questions.values():
        if question.relevant not in found:
            found[question.relevant] = _reach(search, question.relevant)
        yield Reach(schemes=script.schemes, question=question.id, outcome=found[question.relevant])


def _reach(search: Search, relevant: Rule | None) -> Outcome:
    if relevant is None:
        return Outcome(path=Path(contact=search.days[0]), whole=True, steps=0)
    return search.find(relevant.names, lambda path, _: decided(relevant, path.seen))


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Whether a mandatory field is filled on every path: a path that leaves it empty, if one was found."""

    schemes: tuple[str, ...]
    record: str
    field: str
    outcome: Outcome


def proofs(catalogue: Catalogue, script: Script, search: Search) -> Iterator[Proof]:
    """For each mandatory field of the records that these schemes make, a search for a path that leaves it empty.

    Records share fields: where the condition is the same too, one search is enough.
    """
    found: dict[tuple[str, str | bool, str | None], Outcome] = {}
    for scheme in script.schemes:
        for record in records_of(scheme):
            for name, field in record.fields.items():
                key = name, field.mandatory, record.sent_when
                if field.mandatory is not False:
                    found[key] = found.get(key) or _proof(catalogue, search, record, name)
                    yield Proof(schemes=script.schemes, record=record.name, field=name, outcome=found[key])


def _proof(catalogue: Catalogue, search: Search, record: OutsideRecord, name: str) -> Outcome:
    field = record.fields[name]
    if field.table:
        return _table_proof(search, record, name)
    filled_by = fillers(search.script, name)
    conditions = conditions_of(catalogue, record, field)

    def is_left_empty(path: Path, is_whole: bool) -> bool | None:  # noqa: FBT001 - a goal's arguments
        wanted = [decided(rule, path.seen) for rule in conditions]
        if False in wanted or _is_filled(path, filled_by):
            return False
        return None not in wanted if is_whole else None

    names = {name for rule in conditions for name in rule.names} | filled_by.names
    outcome = search.find(names, is_left_empty)
    if outcome.path is None:
        return outcome
    beside = search.find(names, is_left_empty, wide=True)
    return outcome if beside.path else beside


def conditions_of(catalogue: Catalogue, record: OutsideRecord, field: OutsideField) -> list[Rule]:
    """The conditions under which a field must be filled; none where it always must."""
    written = [condition for condition in (record.sent_when, field.mandatory) if isinstance(condition, str)]
    return [catalogue.compiler.condition(text) for text in written]


def _is_filled(path: Path, filled_by: Fillers) -> bool:
    return any(path.has(question.id) for question in filled_by.questions) or any(
        fact.rule.result(path.seen) is not None for fact in filled_by.derived
    )


def _table_proof(search: Search, record: OutsideRecord, name: str) -> Outcome:
    """If something fills an entry of a table, each of its mandatory fields must be filled, there or beside it."""
    table = record.fields[name].table
    of_table = {other for other, part in record.fields.items() if part.table == table}
    feeding = [question for question in search.script.questions.values() if needs(question) & of_table]
    filling = [question for question in feeding if _fills_each_entry(question, name)]
    if not feeding:
        return Outcome(path=Path(contact=search.days[0]), whole=True, steps=0)

    def is_left_empty(path: Path, is_whole: bool) -> bool | None:  # noqa: FBT001 - a goal's arguments
        if any(path.has(question.id) for question in filling):
            return False
        return any(path.given.get(question.id, NOTHING).seen for question in feeding) if is_whole else None

    return search.find({question.id for question in feeding}, is_left_empty)


def _fills_each_entry(question: Question, name: str) -> bool:
    """A group by a field that it requires. What another question does not say of its entry follows from the question."""
    if not question.fields:
        return True
    parts = [field for field in question.fields if name in field.needed_by]
    return any(field.required for field in parts) if parts else name in question.needed_by


def unknown_conditions(catalogue: Catalogue) -> Iterator[Finding]:
    """Conditions of the outside records that this catalogue's names and kinds do not allow."""
    for scheme in catalogue.schemes:
        for record in records_of(scheme):
            for name, field in record.fields.items():
                try:
                    conditions_of(catalogue, record, field)
                except RuleError as fault:
                    yield in_scheme(catalogue, scheme, name, f"the condition of {record.name} does not fit: {fault}")


def unreached(catalogue: Catalogue, reach: Reach) -> Iterator[Finding]:
    """A finding where no answers lead to a question."""
    if reach.outcome.path is None and reach.outcome.whole:
        schemes = " + ".join(reach.schemes)
        yield in_scheme(catalogue, schemes, f"questions.{reach.question}", "no answers lead to this question")


def unfilled(catalogue: Catalogue, script: Script, proof: Proof) -> Iterator[Finding]:
    """A finding where a path to submission leaves a mandatory field empty."""
    if proof.outcome.path is not None:
        schemes = " + ".join(proof.schemes)
        yield in_scheme(catalogue, schemes, f"{proof.field} of {proof.record}", _told(script, proof))


def _told(script: Script, proof: Proof) -> str:
    path = proof.outcome.path
    if not fillers(script, proof.field).names:
        return "no question or rule fills this mandatory field"
    given = described(path.given if path else {})
    return f"a claim with {given} leaves this mandatory field empty"


def described(given: Mapping[str, object]) -> str:
    """Answers in words, for a person who looks for the path."""
    parts = [f"{name} = {getattr(value, 'value', value)!r}" for name, value in given.items()]
    return ", ".join(parts)
