"""Catalogues: a bank of questions, and what each scheme needs of it. They make the script of a set of schemes.

A claim keeps the number of its catalogue. Everything about it is evaluated with that catalogue, also after others came.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from chassis.errors import InvalidArgument, Text, Unavailable, Violation
from intake.domain import problems
from intake.domain.rules import Rule, RuleCompiler
from intake.domain.scheme_names import with_scheme
from intake.domain.script import Check, DatedTable, Derived, Need, Question, Script, ScriptError, Section
from intake.domain.transliteration import RecordRule, strictest

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A question that a scheme needs, with the scheme's rules as they are written."""

    relevant: str | None
    required: bool | str
    record: RecordRule | None


@dataclass(frozen=True, kw_only=True)
class CrossCheck:
    """A scheme's check of a question's answer against others."""

    question: str
    check: Check


@dataclass(frozen=True, kw_only=True)
class SchemeRules:
    """The needs of one scheme, with those of the parts that it includes."""

    scheme: str
    claimed_from: date | None
    claimed_until: date | None
    entries: Mapping[str, Entry]
    checks: tuple[CrossCheck, ...]
    derived: tuple[Derived, ...]
    first_contact: tuple[str, ...]
    request: tuple[str, ...]

    def refusal(self, day: date) -> Text | None:
        """The reason why it cannot be claimed with this date of claim, naming the day on which it opened or closed."""
        return closed_on(self.scheme, (self.claimed_from, self.claimed_until), day)


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """One catalogue. Its scripts are made when they are first asked for, and kept."""

    number: int
    released_on: date
    claim_date: str | None
    sections: tuple[Section, ...]
    bank: Mapping[str, Question]
    """Every question, in the order of asking."""
    decisions: Mapping[str, str]
    """The decisions that `needed_by` may name, and what is decided."""
    tables: Mapping[str, DatedTable]
    earlier: Mapping[str, int]
    """By question, for how many months an answer of an earlier claim can be confirmed; any other is asked afresh."""
    schemes: Mapping[str, SchemeRules]
    compiler: RuleCompiler
    _scripts: dict[tuple[str, ...], Script] = field(default_factory=dict, init=False)

    def script_for(self, schemes: Iterable[str]) -> Script:
        """The script of a set of schemes, in whatever order they are given.

        A question is relevant if it is for one of them, required if it is for one for which it is relevant; it has the
        checks of all, and the strictest rule of a record. Raises ScriptError for a scheme that the catalogue does not
        have, and where relevance goes in a circle.
        """
        names = tuple(sorted(set(schemes)))
        if names not in self._scripts:
            self._scripts[names] = self._joined(names)
        return self._scripts[names]

    def refuse_unknown(self, schemes: Sequence[str]) -> None:
        """Raises InvalidArgument naming each scheme that this catalogue does not have."""
        found = [
            Violation.of(f"schemes[{index}]", with_scheme(problems.NO_SUCH_SCHEME, scheme))
            for index, scheme in enumerate(schemes)
            if scheme not in self.schemes
        ]
        if found:
            raise InvalidArgument.of(*found)

    def refuse_closed(self, schemes: Sequence[str], day: date) -> None:
        """Raises InvalidArgument naming each scheme that cannot be claimed with this date of claim, and the day."""
        found = [
            Violation.of(f"schemes[{index}]", refusal)
            for index, scheme in enumerate(schemes)
            if (refusal := self.schemes[scheme].refusal(day))
        ]
        if found:
            raise InvalidArgument.of(*found, reason="SCHEME_CLOSED")

    def _joined(self, names: tuple[str, ...]) -> Script:
        missing = [name for name in names if name not in self.schemes]
        if missing or not names:
            raise ScriptError(f"catalogue {self.number} has no scheme {', '.join(missing)}".rstrip())
        rules = [self.schemes[name] for name in names]
        needed = {name for part in rules for name in part.entries}
        questions = {name: self._question(bank, rules) for name, bank in self.bank.items() if name in needed}
        return Script(
            number=self.number,
            schemes=names,
            sections=tuple(part for part in self.sections if any(of.section == part.id for of in questions.values())),
            questions=questions,
            derived=_derived(rules),
            first_contact=_once(name for part in rules for name in part.first_contact),
            requests={part.scheme: part.request for part in rules if part.request},
            order=self._order(names, questions),
            claim_date=self.claim_date if self.claim_date in questions else None,
            tables=tuple(self.tables.values()),
            dates={part.scheme: (part.claimed_from, part.claimed_until) for part in rules},
        )

    def _question(self, bank: Question, rules: Sequence[SchemeRules]) -> Question:
        said = [(part, part.entries[bank.id]) for part in rules if bank.id in part.entries]
        relevant = _any(entry.relevant or "true" for _, entry in said)
        required = _required([entry for _, entry in said])
        cross = _once(check.check for part in rules for check in part.checks if check.question == bank.id)
        records = [entry.record for _, entry in said if entry.record]
        compiled = self.compiler.condition
        return replace(
            bank,
            relevant=None if relevant == "true" else compiled(relevant),
            required=required if isinstance(required, bool) else compiled(required),
            checks=_once((*bank.checks, *cross)),
            record=strictest([*([bank.record] if bank.record else []), *records]),
            needs=tuple(
                Need(scheme=part.scheme, relevant=compiled(entry.relevant) if entry.relevant else None)
                for part, entry in said
            ),
        )

    def _order(self, names: tuple[str, ...], questions: Mapping[str, Question]) -> tuple[str, ...]:
        depends = {name: set(self._named(question.relevant, questions)) for name, question in questions.items()}
        try:
            return tuple(TopologicalSorter(depends).static_order())
        except CycleError as circle:
            place = f"catalogue {self.number}, {' + '.join(names)}"
            raise ScriptError(f"{place}: relevance goes in a circle: {' '.join(circle.args[1])}") from circle

    def _named(self, rule: Rule | None, questions: Mapping[str, Question]) -> Iterator[str]:
        """The questions on which a rule depends; by a table or the date of claim, on the question that gives that date."""
        names = rule.names if rule else frozenset()
        yield from (name for name in names if name in questions)
        if self.claim_date in questions and names & {"claim_date", *self.tables}:
            yield str(self.claim_date)


class Catalogues:
    """All catalogues that claims are bound to."""

    def __init__(self, catalogues: Iterable[Catalogue]) -> None:
        """Raises ScriptError where there is none."""
        self._by_number = {catalogue.number: catalogue for catalogue in catalogues}
        if not self._by_number:
            raise ScriptError("there is no catalogue")

    @property
    def numbers(self) -> frozenset[int]:
        """Their numbers."""
        return frozenset(self._by_number)

    @property
    def newest(self) -> Catalogue:
        """The one that new claims take."""
        return self._by_number[max(self._by_number)]

    def __getitem__(self, number: int) -> Catalogue:
        """The catalogue of this number.

        Raises Unavailable where this process does not have it: while a release is rolled out, another one does.
        """
        if number not in self._by_number:
            raise Unavailable("CATALOGUE_ABSENT", f"this process does not have catalogue {number}")
        return self._by_number[number]

    def refuse_absent(self, bound: Iterable[int]) -> None:
        """Raises ScriptError where claims are bound to catalogues that are no longer here."""
        absent = sorted(set(bound) - self.numbers)
        if absent:
            numbers = ", ".join(map(str, absent))
            raise ScriptError(f"claims are bound to catalogues that this release does not have: {numbers}")


def closed_on(scheme: str, dates: tuple[date | None, date | None], day: date) -> Text | None:
    """The reason why a scheme with these first and last dates of claim cannot be claimed on a day; None where it can."""
    first, last = dates
    if first is not None and day < first:
        return with_scheme(problems.SCHEME_NOT_OPEN, scheme, day=first.isoformat())
    if last is not None and day > last:
        return with_scheme(problems.SCHEME_CLOSED, scheme, day=(last + timedelta(days=1)).isoformat())
    return None


def _any(expressions: Iterable[str]) -> str:
    """One expression that is true where one of these is."""
    different = _once(expressions)
    if "true" in different:
        return "true"
    return different[0] if len(different) == 1 else " || ".join(f"({part})" for part in different)


def _required(entries: Sequence[Entry]) -> bool | str:
    """Required where it is for a scheme for which it is relevant."""
    said = _once(entry.required for entry in entries)
    if len(said) == 1:
        return said[0]
    required = _any(_both(entry) for entry in entries if entry.required is not False)
    return True if required == "true" else required


def _both(entry: Entry) -> str:
    parts = [part for part in (entry.relevant, entry.required) if isinstance(part, str)]
    return parts[0] if len(parts) == 1 else " && ".join(f"({part})" for part in parts) or "true"


def _derived(rules: Sequence[SchemeRules]) -> tuple[Derived, ...]:
    found: dict[str, Derived] = {}
    for fact in (fact for part in rules for fact in part.derived):
        known = found.setdefault(fact.id, fact)
        if known.rule.expression != fact.rule.expression:
            schemes = ", ".join(part.scheme for part in rules)
            raise ScriptError(f"{schemes}: the derived fact {fact.id} has two rules")
        found[fact.id] = replace(known, seen_by=known.seen_by | fact.seen_by)
    return tuple(found.values())


def _once(things: Iterable[T]) -> tuple[T, ...]:
    """Each thing once, in the order of its first place."""
    found: list[T] = []
    for thing in things:
        if thing not in found:
            found.append(thing)
    return tuple(found)
