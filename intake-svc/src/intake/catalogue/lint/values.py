"""Values that stand for all answers to a question, as far as the rules can tell one answer from another.

Of what can be counted there is a value on, just below and just above each number or day that a rule compares it with; of a
choice each code; of a group no entry, one, and one for each answer within it that rules can tell apart.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from chassis.errors import InvalidArgument
from intake.domain.answers import rule_value, validate_answer
from intake.domain.interview import Answer
from intake.domain.place import Place
from intake.domain.rules import CelValue, Rule
from intake.domain.script import DatedTable, Field, Kind, Question, Script
from intake.domain.values import JsonValue

POSTCODE = "AL3 5SA"
COUNCIL, COUNCIL_NEAR = "E07000240", "E07000241"
_ADDRESS: JsonValue = {"lines": ["1 High Street", "St Albans"], "postcode": POSTCODE}
_PLACES = (
    Place(is_listed=True, councils=()),
    Place(is_listed=True, councils=(COUNCIL, COUNCIL_NEAR)),
    Place(is_listed=False, councils=(COUNCIL,)),
)
_PLAIN: Mapping[Kind, tuple[JsonValue, ...]] = {
    Kind.YES_NO: (False, True),
    Kind.TEXT: ("Sample",),
    Kind.NAME: ("Smith",),
    Kind.NINO: ("AB123456C", "AB123457D", "AB123458A"),
    Kind.PHONE: ("+441632960001",),
    Kind.EMAIL: ("a.smith@example.org",),
    Kind.SORT_CODE: ("200000",),
    Kind.ACCOUNT_NUMBER: ("55779911",),
    Kind.POSTCODE: (POSTCODE,),
    Kind.ADDRESS: (_ADDRESS,),
}
_DISTANCES = (0, -1, -7, -45, -800, 1, 14, 60, 120, 250)
"""Days from the first contact, tried for every date."""
_YEARS_OF_A_LIFE = (30, 5, 70, 17)
_NUMBER = re.compile(r"(?<![\w.'-])\d+(?:\.\d+)?(?![\w'-])")
_DAY = re.compile(r"timestamp\('(\d{4}-\d{2}-\d{2})")
_MOST_CHOICES = 12


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An answer, as it is stored and as rules see it. `value` is None for a question that is left open."""

    value: JsonValue
    seen: "CelValue | None"
    place: Place | None = None
    is_gap: bool = False

    @property
    def has_value(self) -> bool:
        """Whether rules see anything of it."""
        return self.seen is not None

    def answer(self) -> Answer:
        """The answer as a claim has it."""
        return Answer(value=self.value, place=self.place, version=1)


NOTHING = Sample(value=None, seen=None)
GAP = Sample(value={"gap": "WILL_SEND"}, seen=None, is_gap=True)


def sample(question: Question, value: JsonValue, place: Place | None = None) -> Sample:
    """The sample of a canonical answer."""
    return Sample(value=value, seen=rule_value(question, value, place), place=place)


class Samples:
    """The samples of a script's questions, for a first contact on a day. Those that a question's own checks refuse are out."""

    def __init__(self, script: Script, contact: date, rules: Iterable[Rule] = ()) -> None:
        self._script = script
        self._contact = contact
        self._rules = [*rules_of(script), *rules]
        self._found: dict[str, tuple[Sample, ...]] = {}

    def of(self, name: str) -> tuple[Sample, ...]:
        """The samples of a question, the plainest first."""
        if name not in self._found:
            self._found[name] = tuple(self._samples(self._script.questions[name]))
        return self._found[name]

    def _samples(self, question: Question) -> Iterator[Sample]:
        seen: list[JsonValue] = []
        for value, place in self._candidates(question):
            canonical = self._accepted(question, value)
            if canonical is not None and (place is not None or canonical not in seen):
                seen.append(canonical)
                yield sample(question, canonical, place)

    def _accepted(self, question: Question, value: JsonValue) -> JsonValue:
        try:
            return validate_answer(self._script.questions, question.id, value, today=self._contact)
        except InvalidArgument:
            return None

    def _candidates(self, question: Question) -> Iterator[tuple[JsonValue, Place | None]]:
        if question.located:
            yield from ((_ADDRESS, place) for place in _PLACES)
        elif question.choices_from:
            yield from ((code, None) for code in (COUNCIL, COUNCIL_NEAR))
        elif question.kind is Kind.GROUP:
            yield from ((value, None) for value in self._groups(question))
        else:
            yield from ((value, None) for value in self._plain(question, self._constants(question.id)))

    def _groups(self, question: Question) -> Iterator[JsonValue]:
        """None, one entry, one that differs in a single field from it, one of the required fields alone, and many."""
        constants = self._constants(question.id)
        parts = {field.id: list(self._plain(field, constants)) for field in question.fields}
        first: dict[str, JsonValue] = {name: values[0] for name, values in parts.items() if values}
        yield []
        yield [first]
        for name, values in parts.items():
            for value in values[1:]:
                yield [{**first, name: value}]
        yield [{field.id: first[field.id] for field in question.fields if field.required and field.id in first}]
        for count in sorted({int(number) + 1 for number in constants.numbers if 1 <= number < 20}):
            yield [first] * count

    def _plain(self, field: Field, constants: "Constants") -> Iterator[JsonValue]:
        codes: list[JsonValue] = [choice.code for choice in field.choices]
        match field.kind:
            case Kind.CHOICE:
                yield from codes
            case Kind.CHOICES:
                yield from ([code] for code in codes[:_MOST_CHOICES])
                yield []
                yield codes
            case Kind.DATE:
                yield from (day.isoformat() for day in constants.days_about(self._contact))
            case Kind.MONEY:
                yield from (f"{Decimal(pence) / 100:.2f}" for pence in constants.pence())
            case Kind.NUMBER:
                yield from constants.numbers_about(field.limits.decimals or 0, field.limits.maximum or Decimal(0))
            case kind:
                yield from _PLAIN[kind]

    def _constants(self, name: str) -> "Constants":
        rules = [rule for rule in self._rules if name in rule.names]
        names = {other for rule in rules for other in rule.names}
        return Constants(
            expressions=tuple(rule.expression for rule in rules),
            tables=tuple(table for table in self._script.tables if table.id in names),
        )


@dataclass(frozen=True, kw_only=True)
class Constants:
    """The numbers and days that some rules compare an answer with."""

    expressions: tuple[str, ...]
    tables: tuple[DatedTable, ...]

    @cached_property
    def numbers(self) -> list[Decimal]:
        """The numbers, also those of the tables that the rules name."""
        written = {Decimal(number) for text in self.expressions for number in _NUMBER.findall(_DAY.sub("", text))}
        rows = {
            Decimal(str(value)) for table in self.tables for _, value in table.rows if isinstance(value, int | float)
        }
        return sorted(written | rows)

    @property
    def days(self) -> list[date]:
        """The days, also those of the tables."""
        written = {date.fromisoformat(day) for text in self.expressions for day in _DAY.findall(text)}
        rows: set[Any] = {value for table in self.tables for _, value in table.rows if table.unit == "DATE"}
        return sorted(written | {row.date() for row in rows})

    def pence(self) -> Iterator[int]:
        """Amounts: none, some, and about each number."""
        about = [int(number) + step for number in self.numbers for step in (0, -1, 1)]
        yield from _different([0, 1000, *(amount for amount in about if amount >= 0)])

    def numbers_about(self, decimals: int, maximum: Decimal) -> Iterator[JsonValue]:
        """Numbers: none, one, and about each number."""
        step = Decimal(1).scaleb(-decimals)
        about = [number + change for number in self.numbers for change in (Decimal(0), -step, step)]
        fitting = (number for number in about if 0 <= number <= maximum and number == round(number, decimals))
        for number in _different([Decimal(0), Decimal(1), *fitting, maximum]):
            yield int(number) if number == int(number) else float(number)

    def days_about(self, contact: date) -> Iterator[date]:
        """Days about the first contact, some years and months before it, and about each day that a rule names."""
        counted = [int(number) for number in self.numbers if number == int(number) and 0 < number < 130]
        birthdays = [years_before(contact, years) for years in (*_YEARS_OF_A_LIFE, *counted)]
        months = [months_before(contact, number) for number in counted if number <= 36]
        exact = [*self.days, *birthdays[len(_YEARS_OF_A_LIFE) :], *months]
        about = [day + timedelta(days=step) for day in exact for step in (0, -1, 1)]
        near = [contact + timedelta(days=distance) for distance in _DISTANCES]
        yield from _different([birthdays[0], *near, *birthdays[1 : len(_YEARS_OF_A_LIFE)], *about])


def rules_of(script: Script) -> list[Rule]:
    """Every rule of a script."""
    found: list[Rule] = [fact.rule for fact in script.derived]
    for question in script.questions.values():
        found += [rule for rule in (question.relevant, question.required) if isinstance(rule, Rule)]
        found += [check.rule for check in question.checks]
    return found


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for a 29th."""
    return months_before(day, 12 * years)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    at = day.year * 12 + day.month - 1 - months
    first = date(at // 12, at % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(first + timedelta(days=day.day - 1), last)


def _different(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
