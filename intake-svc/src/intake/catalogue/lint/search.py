"""Searches the paths through an interview: the answers to a few questions that make something true.

Only the questions on which the goal depends are answered, each with every sample that it has (see `values`), in the order
of the script, where its relevance is known. What follows from some answers is not tried with the rest once the goal is
decided: a rule that is false stays false whatever else is answered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from intake.catalogue.lint.values import GAP, NOTHING, Sample, Samples
from intake.domain.rules import CelValue, Named, Rule, timestamp
from intake.domain.script import Check, Question, Script

MOST_STEPS = 40_000
"""After so many answers a search is cut short."""
_DATED = "claim_date"


@dataclass(kw_only=True)
class Path:
    """Answers in the order in which they were given; a question without an entry is not relevant, or not looked at."""

    contact: date
    given: dict[str, Sample] = field(default_factory=dict)
    seen: dict[str, CelValue] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the question has an answer, or stands as a gap that is named."""
        return name in self.given and self.given[name] is not NOTHING


Goal = Callable[[Path, bool], "bool | None"]
"""Whether a path reaches the goal; None while it is not decided, False once nothing more can reach it. The second argument
says whether the path is at its end."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The first path that reaches the goal, if any; `whole` where nothing was left untried."""

    path: Path | None
    whole: bool
    steps: int


class Search:
    """Searches the paths of one script."""

    def __init__(self, script: Script, days: Iterable[date], rules: Iterable[Rule] = ()) -> None:
        """`days` are those of first contact to try, `rules` those that are looked at beside the script's own."""
        self.script = script
        self.days = tuple(days)
        self._rules = tuple(rules)
        self._samples: dict[date, Samples] = {}

    def samples(self, contact: date) -> Samples:
        """The samples for a first contact on this day."""
        if contact not in self._samples:
            self._samples[contact] = Samples(self.script, contact, self._rules)
        return self._samples[contact]

    def support(self, names: Iterable[str], *, wide: bool = False) -> tuple[str, ...]:
        """The questions on which these names depend, in the script's order; `wide` adds those of their checks."""
        questions = self.script.questions
        found: set[str] = set()
        open_names = set(names)
        while open_names:
            name = open_names.pop()
            if name in questions and name not in found:
                found.add(name)
                open_names |= self._depends(questions[name], wide=wide)
            elif name not in questions and self._is_dated(name) and self.script.claim_date:
                open_names |= {self.script.claim_date} - found
        return tuple(name for name in self.script.order if name in found)

    def find(self, names: Iterable[str], goal: Goal, *, wide: bool = False) -> Outcome:
        """The first path to the goal, which depends on these names."""
        wanted = set(names)
        support = self.support(wanted, wide=wide)
        checks = _checks(self.script, support)
        rules = (self.script.questions[name].relevant for name in support)
        dated = any(map(self._is_dated, wanted | {name for rule in rules if rule for name in rule.names}))
        walk = _Walk(search=self, support=support, checks=checks, goal=goal)
        for contact in self.days if dated else self.days[:1]:
            path = Path(contact=contact, seen=_of_the_claim(self.script, contact))
            if walk.reaches(path, 0):
                return Outcome(path=path, whole=True, steps=walk.steps)
            if walk.steps >= MOST_STEPS:
                break
        return Outcome(path=None, whole=walk.steps < MOST_STEPS, steps=walk.steps)

    def _depends(self, question: Question, *, wide: bool) -> set[str]:
        rules = [rule for rule in (question.relevant, question.required) if isinstance(rule, Rule)]
        if wide:
            rules += [check.rule for check in question.cross_checks]
        sources = {question.choices_from} if question.choices_from else set()
        return {name for rule in rules for name in rule.names} | sources

    def _is_dated(self, name: str) -> bool:
        return name in {_DATED, "contact_date"} or any(name == table.id for table in self.script.tables)


@dataclass(kw_only=True)
class _Walk:
    """One walk through the answers to `support`."""

    search: Search
    support: tuple[str, ...]
    checks: Mapping[str, tuple[Check, ...]]
    goal: Goal
    steps: int = 0

    def reaches(self, path: Path, at: int) -> bool:
        """Whether the goal is reached from here; the path is then the one that reached it."""
        is_whole = at == len(self.support)
        reached = self.goal(path, is_whole)
        if reached is not None or is_whole or self.steps >= MOST_STEPS:
            return reached is True and self._leaves_out_nothing_required(path)
        name = self.support[at]
        question = self.search.script.questions[name]
        if question.relevant is not None and not question.relevant.holds(path.seen):
            return self.reaches(path, at + 1)
        for given in self._answers(question, path):
            self.steps += 1
            before = self._give(path, name, given)
            if self._is_sound(path, name) and self.reaches(path, at + 1):
                return True
            path.seen = before
            del path.given[name]
        return False

    def _answers(self, question: Question, path: Path) -> Iterator[Sample]:
        yield from self.search.samples(path.contact).of(question.id)
        optional = question.required is not True
        if question.gap_allowed or optional:
            yield GAP
        if optional:
            yield NOTHING

    def _give(self, path: Path, name: str, given: Sample) -> dict[str, CelValue]:
        """Adds an answer; the values as they were before."""
        before = path.seen
        path.given[name] = given
        if given.seen is not None:
            path.seen = {**before, name: given.seen}
            if name == self.search.script.claim_date:
                path.seen.update(_by_date(self.search.script, date.fromisoformat(str(given.value))))
        return before

    def _leaves_out_nothing_required(self, path: Path) -> bool:
        """Answers on which a requirement depends may come after the question that they make required."""
        left = [self.search.script.questions[name] for name, given in path.given.items() if not given.has_value]
        return not any(
            isinstance(question.required, Rule)
            and question.required.holds(path.seen)
            and not (question.gap_allowed and path.has(question.id))
            for question in left
        )

    def _is_sound(self, path: Path, name: str) -> bool:
        return not any(check.rule.result(path.seen) is False for check in self.checks.get(name, ()))


def _checks(script: Script, support: tuple[str, ...]) -> dict[str, tuple[Check, ...]]:
    """By question, the cross-checks that its answer can break: those of a question in `support`, which name it."""
    every = [(name, check) for name in support for check in script.questions[name].cross_checks]
    return {
        name: tuple(check for owner, check in every if name == owner or name in check.rule.names) for name in support
    }


def _of_the_claim(script: Script, contact: date) -> dict[str, CelValue]:
    return {
        "contact_date": timestamp(contact),
        "schemes": list(script.schemes),
        **_by_date(script, contact),
    }


def _by_date(script: Script, day: date) -> dict[str, CelValue]:
    values = {table.id: table.on(day) for table in script.tables}
    return {_DATED: timestamp(day)} | {name: value for name, value in values.items() if value is not None}


def decided(rule: Rule | None, seen: Named) -> bool | None:
    """The value of a condition; True where there is none, None where it is not known."""
    if rule is None:
        return True
    result = rule.result(seen)
    return result if isinstance(result, bool) else None
