"""Routing on paper: where to go on after an answer, and which questions are only for some.

Both follow from the relevance rules. `routes` asks the rules themselves: a question is skipped after an answer where its
rule can no longer become true. What routes do not settle is said above the question, in words where the rule is simple.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from intake.domain.answers import rule_value
from intake.domain.forms.layout import Entry, Form
from intake.domain.forms.wording import Condition, conditions_of
from intake.domain.rules import CelValue, Rule
from intake.domain.script import Kind, Question, Script
from intake.domain.values import JsonValue

PLATFORM_NAMES = frozenset({"claim_date", "contact_date", "schemes", "today"})
"""Names in rules that are no questions; the schemes are known when a form is printed."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """After one of these answers the claimant goes on at the question `to`; at the declaration where it is None."""

    answers: tuple[JsonValue, ...]
    to: Entry | None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Questions that are for some only: `conditions` must all be met. None: it depends on these questions in another way."""

    first: Entry
    last: Entry
    conditions: tuple[Condition, ...] | None
    depends_on: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Routing:
    """The routing of a form, by the numbers of its questions."""

    routes: Mapping[int, tuple[Route, ...]]
    """The route after an answer that makes the next questions irrelevant."""
    filters: Mapping[int, Filter]
    """The filter above a question; of questions in a row with the same conditions, above the first."""


def routing_of(form: Form) -> Routing:
    """The routing that a form needs."""
    routes = {entry.number: _routes(form, entry) for entry in form.entries}
    found: dict[int, Filter] = {}
    before: Filter | None = None
    for entry in form.entries:
        own = _filter(form, entry, routes)
        if own is None:
            before = None
            continue
        if before and before.last.part == entry.part and _is_same(before, own):
            own = replace(before, last=entry)
        found[own.first.number] = before = own
    return Routing(routes=routes, filters=found)


def _routes(form: Form, entry: Entry) -> tuple[Route, ...]:
    to: dict[int | None, list[JsonValue]] = {}
    following = form.entries[entry.number :]
    for answer in _answers(entry.question) if following else ():
        skipped = _never_relevant(form.script, {entry.id: rule_value(entry.question, answer)})
        target = next((other.number for other in following if other.id not in skipped), None)
        if target != entry.number + 1:
            to.setdefault(target, []).append(answer)
    return tuple(Route(answers=tuple(answers), to=form.by_number[at] if at else None) for at, answers in to.items())


def _filter(form: Form, entry: Entry, routes: Mapping[int, tuple[Route, ...]]) -> Filter | None:
    rule = entry.question.relevant
    if rule is None:
        return None
    assured = _assured(form, entry, routes)
    if rule.holds(assured) or any(
        all(rule.holds({**assured, other.id: rule_value(other.question, answer)}) for answer in staying)
        for other, staying in _staying(form, entry, routes)
    ):
        return None
    conditions = conditions_of(form, rule, given=assured)
    depends_on = tuple(other for other in form.entries if other.id in rule.names)
    return Filter(first=entry, last=entry, conditions=conditions, depends_on=depends_on)


def _is_same(one: Filter, other: Filter) -> bool:
    return one.conditions == other.conditions and one.depends_on == other.depends_on


def _assured(form: Form, entry: Entry, routes: Mapping[int, tuple[Route, ...]]) -> dict[str, CelValue]:
    """The schemes, and answers that whoever comes to this question has given if they followed the routes."""
    assured: dict[str, CelValue] = {"schemes": list(form.script.schemes)}
    for other, staying in _staying(form, entry, routes):
        if len(staying) == 1:
            assured[other.id] = rule_value(other.question, staying[0])
    return assured


def _staying(
    form: Form, entry: Entry, routes: Mapping[int, tuple[Route, ...]]
) -> Iterator[tuple[Entry, list[JsonValue]]]:
    """Earlier questions with answers that lead past this one, each with the answers that do not."""
    for other in form.entries[: entry.number - 1]:
        passing = [answer for route in routes[other.number] if _passes(route, entry) for answer in route.answers]
        if passing:
            yield other, [answer for answer in _answers(other.question) if answer not in passing]


def _passes(route: Route, entry: Entry) -> bool:
    return route.to is None or route.to.number > entry.number


def _answers(question: Question) -> tuple[JsonValue, ...]:
    """The answers after which the way may part: of a group none and some."""
    match question.kind:
        case Kind.YES_NO:
            return (True, False)
        case Kind.CHOICE:
            return tuple(choice.code for choice in question.choices)
        case Kind.GROUP:
            return ([], [{}])  # an entry of which nothing is known yet
    return ()


def _never_relevant(script: Script, known: Mapping[str, CelValue]) -> set[str]:
    """The questions whose rule is false with these values, or waits for values that can never come."""
    never = {name for question in script.questions.values() for name in _names(question)} - set(script.questions)
    never -= PLATFORM_NAMES | {table.id for table in script.tables}
    all_known: dict[str, CelValue] = {"schemes": list(script.schemes), **known}
    for name in script.order:
        rule = script.questions[name].relevant
        if rule is not None and _cannot_hold(rule, all_known, never):
            never.add(name)
    return never


def _names(question: Question) -> frozenset[str]:
    return question.relevant.names if question.relevant else frozenset()


def _cannot_hold(rule: Rule, known: Mapping[str, CelValue], never: set[str]) -> bool:
    result = rule.result(known)
    return result is False or (result is None and rule.names - set(known) <= never)
