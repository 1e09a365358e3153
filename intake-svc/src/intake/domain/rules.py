"""Rules of a script in CEL (the Common Expression Language), type-checked when the script is read.

Money is whole pence, a date the UTC midnight that opens it, a number a double, an address or an entry of a group a
map; within an entry a date is text, of which `timestamp(entry.date)` makes one. Two functions beyond CEL's own count
by the calendar: `years(from, to)`, completed years, and `months_before(date, count)`.

Beside the answers a rule may name the dated tables (the value by the date of claim) and what `OF_THE_CLAIM` has.

A rule is three-valued. A name without a value makes the rule unknown unless the rest decides it: with `b` missing,
`false && b` is false, `true && b` is unknown. Unknown never counts as true.
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from cel_expr_python import cel

CelValue: TypeAlias = "bool | int | float | str | datetime | list[CelValue] | dict[str, CelValue]"
Named: TypeAlias = Mapping[str, CelValue]

_ERROR: Any = cel.Type.ERROR
BOOL: Any = cel.Type.BOOL
STRING: Any = cel.Type.STRING
STRINGS: Any = cel.Type.List(cel.Type.STRING)
TIMESTAMP: Any = cel.Type.TIMESTAMP
PENCE: Any = cel.Type.INT
NUMBER: Any = cel.Type.DOUBLE
MAP: Any = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
MAPS: Any = cel.Type.List(MAP)


OF_THE_CLAIM: Mapping[str, Any] = {
    "claim_date": TIMESTAMP,
    "contact_date": TIMESTAMP,
    "schemes": STRINGS,
    "today": TIMESTAMP,
}
"""Names that no question has: the date of claim, the London day of first contact, the claim's schemes, and, only while an
answer is taken, the London day."""


class RuleError(ValueError):
    """A rule that cannot be read: bad syntax, an unknown name, or types that do not go together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """A compiled rule and the names it depends on. A catalogue has one for each expression: compared as objects."""

    expression: str
    names: frozenset[str]
    program: Any

    def result(self, values: Named) -> bool | str | None:
        """The rule's result for these values; None where it is unknown."""
        value = self.program.eval(data={name: values[name] for name in self.names if name in values})
        plain: bool | str | None = None if value.type() == _ERROR else value.value()
        return plain

    def holds(self, values: Named) -> bool:
        """Whether the rule is true; unknown is not."""
        return self.result(values) is True


class RuleCompiler:
    """Compiles the rules of one catalogue, whose names have these types. An expression is compiled once."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._compiled: dict[str, Rule] = {}
        self._unnamed = cel.NewEnv(functions=_FUNCTIONS)
        self._environment = cel.NewEnv(functions=_FUNCTIONS, variables=dict(types))
        self._types = types

    def condition(self, expression: str) -> Rule:
        """A rule that is true or false. Raises RuleError."""
        return self._compile(expression, BOOL)

    def value(self, expression: str) -> Rule:
        """A rule that gives true or false, or a word. Raises RuleError."""
        return self._compile(expression, BOOL, STRING)

    def _compile(self, expression: str, *results: Any) -> Rule:
        if expression not in self._compiled:
            program = _checked(self._environment, expression)
            self._compiled[expression] = Rule(expression=expression, names=self._names(expression), program=program)
        rule = self._compiled[expression]
        if rule.program.return_type() not in results:
            raise RuleError(f"gives {rule.program.return_type()} in {expression!r}")
        return rule

    def _names(self, expression: str) -> frozenset[str]:
        """Without declarations the compiler complains of each name, once for each place."""
        try:
            self._unnamed.compile(expression)
        except RuntimeError as complaint:
            undeclared = re.findall(r"undeclared reference to '([a-z_0-9]+)", str(complaint))
            return frozenset(name for name in undeclared if name in self._types)
        return frozenset()


def timestamp(day: date) -> datetime:
    """A date as rules see it."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _checked(environment: Any, expression: str) -> Any:
    try:
        return environment.compile(expression)
    except RuntimeError as fault:
        raise RuleError(f"{expression!r}: {fault}") from None


def months_before(day: date, count: int) -> date:
    """The day so many months before, or the last of its month where that has fewer days."""
    return _months_before(timestamp(day), count).date()


def _years(earlier: datetime, later: datetime) -> int:
    """A person born on 29 February is a year older on 1 March in years without a 29th."""
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))


def _months_before(day: datetime, count: int) -> datetime:
    month = day.year * 12 + day.month - 1 - count
    year, month = month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


_FUNCTIONS = [
    cel.FunctionDecl("years", [cel.Overload("years_between", PENCE, [TIMESTAMP, TIMESTAMP], impl=_years)]),
    cel.FunctionDecl(
        "months_before", [cel.Overload("months_before_day", TIMESTAMP, [TIMESTAMP, PENCE], impl=_months_before)]
    ),
]
