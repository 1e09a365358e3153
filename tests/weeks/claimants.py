"""The claimants of the six weeks, by a seed: intake's personas, on other days, at other addresses and with other homes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chassis.bank_holidays import Nation, is_bank_holiday
from cms_local.cases import Case, case_of
from tests.personas.persona import Persona, personas

_PLACES: Mapping[str, Sequence[tuple[str, str]]] = {
    "API": (("Leeds", "LS1 3AB"), ("Manchester", "M2 5PD"), ("Cardiff", "CF10 4UW"), ("Glasgow", "G3 7DN")),
    "SFTP": (("Beeston", "NG9 1AA"), ("Bakewell", "DE45 1AA"), ("Aberystwyth", "SY23 1AA")),
    "POST": (("Lerwick", "ZE1 0AA"), ("Oakham", "LE15 6AA"), ("Boston", "PE21 1AA")),
}
"""Towns whose authorities are told by each channel."""
AWAY, AWAY_POSTCODE = "W06000015", "CF10 4UW"
"""The authority that cannot be reached for some days."""
_WITHOUT_HOME = "one_without_nino_address_or_bank_account"
_HOMES = ("council_tenant", "private_tenant", "owner", "lodger", "non_dependant", "no_wish")
_HOUSING = (
    "tenure",
    "liable_for_rent",
    "liable_for_council_tax",
    "wishes_housing_benefit",
    "wishes_council_tax_benefit",
    "landlord",
    "rent_amount",
    "rent_period",
    "moved_in_on",
    "non_dependants",
    "has_mortgage",
    "service_charge",
)
_MEANS = ("capital", "other_income")
"""Questions that a claim by contributions answers only where it comes with housing or council tax benefit."""
_PLACE = ("council", "postcode_again")
_CALLS_WITHIN = 21
_SATURDAY = 5


class Turn(StrEnum):
    """An event on a claim's way, beside those of every claim."""

    NOTHING = "NOTHING"
    EVIDENCE = "EVIDENCE"
    """The assessor asks for evidence, which comes a few days later."""
    CORRECTED = "CORRECTED"
    """The assessor corrects the rent."""
    WITHDRAWN = "WITHDRAWN"
    MOVED = "MOVED"
    """The claimant moves to another authority before the interview."""
    LATE = "LATE"
    """The claimant completes the claim more than a month after the first call."""


_NOT_TOLD = (AWAY_POSTCODE, Turn.WITHDRAWN)
"""An authority that was never told of a claim is not told that it was withdrawn."""


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """A claimant, the day of the first call, and what happens on the way."""

    case: Case
    call_on: date
    channel: str
    turn: Turn
    awarded: bool
    basis: str | None
    """On what Jobseeker's Allowance is based: INCOME, CONTRIBUTION or BOTH."""

    @property
    def is_told_at_once(self) -> bool:
        """Whether the authority hears of the claim while the first call goes on."""
        return self.case.wants_notice and self.channel == "API" and self.case.postcode != AWAY_POSTCODE

    @property
    def is_tenant(self) -> bool:
        """Whether the claimant pays rent for a home."""
        return "rent_amount" in self.case.answers and bool(self.case.answers.get("liable_for_rent"))


def claimants(seed: int, *, size: int, first_day: date) -> list[Claimant]:
    """`size` claimants who call on working days of three weeks from `first_day`; the same seed gives the same ones."""
    source = random.Random(seed)
    known = list(personas().values())
    return [_claimant(source, known[number % len(known)], number, first_day) for number in range(size)]


def _claimant(source: random.Random, persona: Persona, number: int, first_day: date) -> Claimant:
    channel = ("API", "SFTP", "POST")[number % 3]
    turn = source.choices(list(Turn), weights=[10, 4, 3, 2, 2, 1])[0]
    call_on = working_day(first_day + timedelta(days=0 if turn is Turn.LATE else source.randrange(_CALLS_WITHIN)))
    answers = _shifted(dict(persona.answers), call_on - persona.called_on)
    if persona.name != _WITHOUT_HOME:
        answers = _settled(source, answers, channel, call_on)
    case = Case(title=persona.name, schemes=persona.schemes, language=persona.language, answers=answers)
    return Claimant(
        case=case,
        call_on=call_on,
        channel=channel,
        turn=turn if case.needs_interview and (case.postcode, turn) != _NOT_TOLD else Turn.NOTHING,
        awarded=source.random() < 0.8,
        basis=source.choice(("INCOME", "CONTRIBUTION", "BOTH")) if "JOBSEEKERS_ALLOWANCE" in case.schemes else None,
    )


def _settled(source: random.Random, answers: dict[str, Any], channel: str, today: date) -> dict[str, Any]:
    """The answers with an address whose authority is told by the channel; every second time with another kind of home."""
    moved = {name: value for name, value in answers.items() if name not in _PLACE} | {
        "address": address(source, channel)
    }
    if source.random() < 0.5:
        return moved
    home = case_of({"title": "", "profiles": [source.choice(_HOMES)], "answers": {}}, today).answers
    without = {name: value for name, value in moved.items() if name not in _HOUSING}
    means = {name: home[name] for name in _MEANS if name not in without}
    return without | means | {name: home[name] for name in _HOUSING if name in home}


def address(source: random.Random, channel: str) -> Mapping[str, Any]:
    """An address whose authority is told by the channel."""
    town, postcode = source.choice(_PLACES[channel])
    return {"lines": [f"{source.randrange(1, 200)} Mill Lane", town], "postcode": postcode}


def works(day: date) -> bool:
    """Whether offices are open on the day."""
    return day.weekday() < _SATURDAY and not is_bank_holiday(day, Nation.ENGLAND)


def working_day(day: date) -> date:
    """The day, or the first one after it on which offices are open."""
    while not works(day):
        day += timedelta(days=1)
    return day


def _shifted(value: Any, by: timedelta) -> Any:
    """The value with its dates, in groups too, so many days later."""
    if isinstance(value, dict):
        return {name: _shifted(part, by) for name, part in value.items()}
    if isinstance(value, list):
        return [_shifted(part, by) for part in value]
    if isinstance(value, str) and len(value) == len("2005-07-11"):
        try:
            return (date.fromisoformat(value) + by).isoformat()
        except ValueError:
            return value
    return value
