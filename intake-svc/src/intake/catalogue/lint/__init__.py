"""The lint of a catalogue: what must hold of it before it is used. See docs/adr/0041.

The catalogue that new claims take is linted in full when it is loaded; older ones were when they were the newest, and are
never changed: claims bound to them must stay readable whatever the lint learns later.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from intake.catalogue.lint.edits import Trial, edit_findings, limit_findings
from intake.catalogue.lint.findings import Finding
from intake.catalogue.lint.paths import (
    Proof,
    Reach,
    conditions_of,
    days_of,
    proofs,
    reaches,
    records_of,
    unfilled,
    unknown_conditions,
    unreached,
)
from intake.catalogue.lint.search import Search
from intake.catalogue.lint.wording import bank_findings, scheme_findings
from intake.domain.catalogue import Catalogue
from intake.domain.rules import Rule
from intake.domain.script import Script, ScriptError

__all__ = ["Finding", "Proof", "Reach", "Report", "refuse_faulty", "report", "search_of", "sets_of"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The findings of the lint, and how much it looked at."""

    findings: Sequence[Finding]
    reaches: Sequence[Reach] = ()
    proofs: Sequence[Proof] = ()
    tried: int = 0
    """Answers that were tried against the edit rules."""


def refuse_faulty(catalogue: Catalogue) -> None:
    """Raises ScriptError naming the file, the question and the problem of everything that the lint finds."""
    found = report(catalogue).findings
    if found:
        raise ScriptError("\n".join(map(str, found)))


def report(catalogue: Catalogue, sets: Iterable[Sequence[str]] | None = None) -> Report:
    """Lints a catalogue. Paths are searched for each of these sets of schemes; unless given, for each scheme alone.

    Each question must be reached in each scheme that asks it, claimed alone; edit rules are tried there too. In a set of
    several schemes only the mandatory fields are looked at.
    """
    found = [*bank_findings(catalogue), *scheme_findings(catalogue), *limit_findings(catalogue)]
    unknown = list(unknown_conditions(catalogue))
    if unknown:
        return Report(findings=[*found, *unknown])
    searched = [_searched(catalogue, part) for part in (sets or [[scheme] for scheme in catalogue.schemes])]
    return Report(
        findings=list(dict.fromkeys([*found, *(finding for part in searched for finding in part.findings)])),
        reaches=[reach for part in searched for reach in part.reaches],
        proofs=[proof for part in searched for proof in part.proofs],
        tried=sum(part.tried for part in searched),
    )


def sets_of(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """Every set of the catalogue's schemes that can be claimed together, the single ones first."""
    names = sorted(catalogue.schemes)
    return [part for count in range(1, len(names) + 1) for part in combinations(names, count)]


def _searched(catalogue: Catalogue, schemes: Iterable[str]) -> Report:
    script = catalogue.script_for(schemes)
    search = search_of(catalogue, script)
    proved = list(proofs(catalogue, script, search))
    found = [finding for proof in proved for finding in unfilled(catalogue, script, proof)]
    if len(script.schemes) > 1:  # beside another scheme a question may well be spared
        return Report(findings=found, proofs=proved)
    reached = list(reaches(script, search))
    trial = Trial(catalogue, script, search)
    found += [finding for reach in reached for finding in unreached(catalogue, reach)]
    found += edit_findings(catalogue, trial)
    return Report(findings=found, reaches=reached, proofs=proved, tried=trial.tried)


def search_of(catalogue: Catalogue, script: Script) -> Search:
    """The search of a script's paths, which knows the conditions of the outside records as well."""
    return Search(script, days_of(catalogue, script), _conditions(catalogue, script))


def _conditions(catalogue: Catalogue, script: Script) -> Iterator[Rule]:
    for scheme in script.schemes:
        for record in records_of(scheme):
            for field in record.fields.values():
                yield from conditions_of(catalogue, record, field)
