"""Tries the outside edit rules: answers that would break one must be stopped by the interview, as the rule's data says."""

from collections.abc import Iterable, Iterator
from datetime import date

from chassis import outside
from chassis.outside import Break, EditRule, Keep, OutsideRecord, Stop
from intake.catalogue.lint.claims import Claim, Claims, refusal_of
from intake.catalogue.lint.findings import Finding, in_scheme, in_top
from intake.catalogue.lint.paths import fillers, records_of
from intake.catalogue.lint.search import Search
from intake.domain.catalogue import Catalogue
from intake.domain.interview import Blocker
from intake.domain.script import Script
from intake.domain.values import JsonValue

_STOPS = {
    Blocker.CHECK_FAILED: Stop.CHECK,
    Blocker.NOT_ENTITLED: Stop.CHECK,
    Blocker.PROPOSAL_NOT_ACCEPTED: Stop.RECORD,
    Blocker.REQUIRED: Stop.REQUIRED,
    Blocker.GAP_NOT_ALLOWED: Stop.REQUIRED,
}


def edit_findings(catalogue: Catalogue, trial: "Trial") -> Iterator[Finding]:
    """Edit rules of a scheme's records that the interview does not hold."""
    script = trial.script
    scheme = script.schemes[0]
    yield from trial.base_findings()
    for record in records_of(scheme):
        rules = [rule for rule in outside.edit_rules().rules if record.part and rule.concerns(record.part)]
        for rule in rules:
            yield from _uncovered(catalogue, script, record, rule)
            for example in (*rule.breaks, *rule.keeps):
                if example.field in record.fields and trial.applies(example):
                    yield from _tried(catalogue, scheme, rule, example, trial)


def limit_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Tables of the catalogue that are not the outside limits of the same id."""
    for limit in outside.edit_rules().limits:
        table = catalogue.tables.get(limit.id)
        rows = tuple((row.first_day, row.value) for row in limit.rows)
        if table is not None and table.rows != rows:
            yield in_top(catalogue, f"tables.{limit.id}", "differs from the limit of the outside edit rules")


def _uncovered(catalogue: Catalogue, script: Script, record: OutsideRecord, rule: EditRule) -> Iterator[Finding]:
    """A rule on a field that answers fill needs an example that this script can try."""
    if rule.platform:
        return
    for name in rule.fields:
        if name not in record.fields or not fillers(script, name).questions:
            continue
        tried = [
            example for example in rule.breaks if example.field == name and example.questions <= script.questions.keys()
        ]
        if not tried and not any(example.field == name for example in rule.breaks) and rule.breaks:
            continue  # a rule on several fields is tried on those that its examples name
        if not tried:
            problem = f"edit rule {rule.code} has no example whose questions are all asked"
            yield in_scheme(catalogue, script.schemes[0], name, problem)


def _tried(catalogue: Catalogue, scheme: str, rule: EditRule, example: Keep, trial: "Trial") -> Iterator[Finding]:
    stopped = trial.stops(example)
    wanted = {example.by} if isinstance(example, Break) else set()
    if (wanted and not wanted <= stopped) or (not wanted and stopped):
        found = ", ".join(sorted(stopped)) or "nothing"
        expected = ", ".join(wanted) or "nothing"
        given = ", ".join([*(f"{name} = {value!r}" for name, value in example.answers.items())])
        left = f" without {', '.join(example.without)}" if example.without else ""
        problem = f"edit rule {rule.code}: {given}{left} must be stopped by {expected}, and is by {found}"
        yield in_scheme(catalogue, scheme, example.field, problem)


class Trial:
    """Tries answers in claims that are otherwise whole."""

    def __init__(self, catalogue: Catalogue, script: Script, search: Search) -> None:
        self.script = script
        self.tried = 0
        self._catalogue = catalogue
        self._search = search
        self._bases: dict[date, Claim] = {}

    def applies(self, example: Keep) -> bool:
        """Whether this script has the example's questions and can be claimed on its day."""
        day = example.contact_on or self._search.days[0]
        closed = any(self._catalogue.schemes[scheme].refusal(day) for scheme in self.script.schemes)
        return example.questions <= self.script.questions.keys() and not closed

    def base_findings(self) -> Iterator[Finding]:
        """A finding where no whole claim can be made: nothing could then be tried."""
        for part in self._base(self._search.days[0]).interview.missing:
            problem = f"no whole claim could be made: {part.blocker}, {part.text.en}"
            yield in_scheme(self._catalogue, self.script.schemes[0], f"questions.{part.question_id}", problem)

    def stops(self, example: Keep) -> set[Stop]:
        """Returns the means that stops these answers."""
        self.tried += 1
        day = example.contact_on or self._search.days[0]
        claims = self._claims(day)
        refused = {name for name, value in example.answers.items() if refusal_of(claims, name, value)}
        if refused:
            return {self._refused_by(claims, name, example.answers[name]) for name in refused}
        given = {name: claims.read(name, value) for name, value in example.answers.items()}
        claim = claims.completed(given, frozenset(example.without), base=self._base(day).answers)
        found = {_STOPS[part.blocker] for part in claim.interview.missing}
        return found | self._left_out(claim, example.answers)

    def _left_out(self, claim: Claim, answers: Iterable[str]) -> set[Stop]:
        states = {state.question.id: state for state in claim.interview.questions}
        return {Stop.RELEVANCE for name in answers if not states[name].relevant}

    def _refused_by(self, claims: Claims, name: str, value: JsonValue) -> Stop:
        refusal = refusal_of(claims, name, value)
        problems = {check.problem.en for check in self.script.questions[name].checks}
        told = {violation.description for violation in refusal.violations} if refusal else set()
        return Stop.CHECK if told & problems else Stop.KIND

    def _base(self, day: date) -> Claim:
        if day not in self._bases:
            self._bases[day] = self._claims(day).completed({})
        return self._bases[day]

    def _claims(self, day: date) -> Claims:
        return Claims(self.script, self._search.samples(day), day)
