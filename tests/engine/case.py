"""The claim that is evaluated: every question that a set of schemes can ask at once, with ten children."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from intake.catalogue import load_catalogues
from intake.catalogue.lint import search_of
from intake.catalogue.lint.claims import Claims
from intake.domain.interview import Answer, Interview, KnownValues, evaluate, known_values
from intake.domain.script import Script

LETTERS = "ABCDEFGHIJ"
"""The names of ten children."""
CONTACT = date(2005, 7, 11)
FIXED = {
    "has_partner": True,
    "ever_worked": True,
    "has_account": True,
    "part_time_hours": 8,
    "tenure": "PRIVATE_TENANT",
    "liable_for_rent": True,
    "liable_for_council_tax": True,
    "wishes_housing_benefit": True,
    "wishes_council_tax_benefit": True,
    "hours_available": 30,
}
"""Answers that lead to many questions; the rest are the plainest that are sound."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A script and the answers of a whole claim."""

    script: Script
    answers: dict[str, Answer]

    def evaluate(self) -> Interview:
        """The whole evaluation that is measured."""
        return evaluate(self.script, self.answers, language="EN", contact_date=CONTACT)

    def known(self) -> KnownValues:
        """The values that rules see."""
        return known_values(self.script, self.answers, CONTACT)


def case() -> Case:
    """The script of all schemes of the newest catalogue, and a claim with ten children."""
    catalogue = load_catalogues().newest
    script = catalogue.script_for(catalogue.schemes)
    samples = search_of(catalogue, script).samples(CONTACT)
    claims = Claims(script, samples, CONTACT)
    given = {name: claims.read(name, value) for name, value in FIXED.items() if name in script.questions}
    child: Any = next(sample.value for sample in samples.of("children") if sample.value)
    children = [{**child[0], "name": f"Child {letter}"} for letter in LETTERS]
    given["children"] = claims.read("children", children)
    return Case(script=script, answers=dict(claims.completed(given).answers))
