"""The claims of the demo, from cases.toml."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("cases.toml")
_FIRST_LETTERS = "ABCEGHJKLMNOPRSTWXYZ"
_SECOND_LETTERS = "ABCEGHJKLMNPRSTWXYZ"
_CHILD_MAINTENANCE = "CHILD_MAINTENANCE"
_WITHOUT_INTERVIEW = {_CHILD_MAINTENANCE, "CRISIS_LOAN"}
_OPENS_THE_GATEWAY = {"INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT"}
"""Schemes with which housing and council tax benefit are asked for: docs/interfaces/local-authority.md."""
_NOT_ISSUED = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}

Answers = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One claim: the claimant's answers, the changes on the way, and the failures of the outside world."""

    title: str
    answers: Answers
    schemes: tuple[str, ...]
    language: str = "EN"
    amend_before: Answers = field(default_factory=dict)
    amend_after: Answers = field(default_factory=dict)
    correct: Answers = field(default_factory=dict)
    amend_confirmed: Answers = field(default_factory=dict)
    failures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The failure that each stand-in, by its name, is to show to this claim."""
    by_post: bool = False
    """Whether the claim's authority is told by post, so that people print letters and record receipts."""
    withdraws: bool = False
    """Whether the claimant withdraws the claim once it is submitted."""

    @property
    def postcode(self) -> str:
        """The claimant's postcode when the interview is booked."""
        return str({**self.answers, **self.amend_before}["address"]["postcode"])

    @property
    def wants_notice(self) -> bool:
        """Whether the authority gets a notice: the claimant is liable and wishes to claim its benefit."""
        if _OPENS_THE_GATEWAY.isdisjoint(self.schemes):
            return False
        rent = self.answers.get("liable_for_rent") and self.answers.get("wishes_housing_benefit")
        tax = self.answers.get("liable_for_council_tax") and self.answers.get("wishes_council_tax_benefit")
        return bool(rent or tax)

    @property
    def needs_interview(self) -> bool:
        """Whether an interview is booked: child maintenance has none, and a crisis loan does not wait for one."""
        return not set(self.schemes) <= _WITHOUT_INTERVIEW

    @property
    def desks(self) -> tuple[str, ...]:
        """The roles that confirm the claim: a caseworker for child maintenance, an assessor for every other scheme."""
        return tuple(sorted({_desk_of(scheme) for scheme in self.schemes}))

    def schemes_at(self, desk: str) -> tuple[str, ...]:
        """The schemes that a desk confirms."""
        return tuple(scheme for scheme in self.schemes if _desk_of(scheme) == desk)


def _desk_of(scheme: str) -> str:
    return "CASEWORKER" if scheme == _CHILD_MAINTENANCE else "ASSESSOR"


def load_cases(today: date) -> list[Case]:
    """Reads all cases; days are counted from `today`."""
    raw = _raw()
    return [_case(entry, raw, today) for entry in raw["cases"]]


def case_of(entry: Mapping[str, Any], today: date) -> Case:
    """A case as an entry of the file describes it: title, schemes, profiles, answers. Days are counted from `today`."""
    return _case(entry, _raw(), today)


@cache
def _raw() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text())


def _case(entry: Mapping[str, Any], raw: Mapping[str, Any], today: date) -> Case:
    answers: dict[str, Any] = dict(raw["base"])
    for profile in entry["profiles"]:
        answers |= raw["profiles"][profile]
    answers |= entry["answers"]
    dated = {name: _dated(value, today) for name, value in answers.items()}
    rest = {name: value for name, value in entry.items() if name not in {"profiles", "answers", "schemes"}}
    return Case(answers=dated, schemes=tuple(entry.get("schemes", raw["schemes"])), **rest)


def _dated(value: Any, today: date) -> Any:
    """A value with its days, in groups too, as dates."""
    if isinstance(value, dict) and value.keys() == {"days"}:
        return (today + timedelta(days=value["days"])).isoformat()
    if isinstance(value, dict):
        return {name: _dated(part, today) for name, part in value.items()}
    return [_dated(part, today) for part in value] if isinstance(value, list) else value


def random_nino(source: random.Random) -> str:
    """A random National Insurance number of the right form (HMRC NIM39110). It may be a real person's."""
    while True:
        prefix = source.choice(_FIRST_LETTERS) + source.choice(_SECOND_LETTERS)
        if prefix not in _NOT_ISSUED:
            return f"{prefix}{source.randrange(1_000_000):06d}{source.choice('ABCD')}"
