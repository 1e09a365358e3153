"""The claimants of the week, by a seed: the schemes in the proportion of July 2005, awkward names and amounts."""

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

from cms_local.cases import Case, case_of

WEEK: Mapping[str, int] = {"INCOME_SUPPORT": 1_083, "JOBSEEKERS_ALLOWANCE": 2_600, "INCAPACITY_BENEFIT": 650}
"""4,333 claims: the transfers of the week from 11 July 2005, divided among the schemes as this project assumes."""

_SURNAMES = (
    "O’Brien",
    "O'Neill-D'Arcy",
    "D'Arcy",
    "Łukasz",
    "Siân-Rhys",
    "van der Berg",
    "Smith-Jones",
    "McDonald",
    "Ó Súilleabháin",
    "Müller",
    "St John",
    "Ng",
    "Li",
    "Nguyễn",
    "Žižek",
    "İnce",
    "Şahin",
    "Æthelred",
    "Wolfeschlegelsteinhausenbergerdorff",
    "Featherstonehaugh-Cholmondeley-Smythe",
    "Brown",
    "Patel",
    "Walker",
)
_FORENAMES = (
    "Jane",
    "Zoë",
    "José María",
    "Anne-Marie",
    "Siân",
    "Björk",
    "Mohammed",
    "Jo",
    "D’Andre",
    "Renée",
    "Wilhelmina Alexandrina Constance",
    "Lee",
)
_PLACES = (
    ("Newcastle upon Tyne", "NE1 8AX"),
    ("Leeds", "LS1 3AB"),
    ("Manchester", "M2 5PD"),
    ("Liverpool", "L3 8EW"),
    ("Birmingham", "B1 2ND"),
    ("Bristol", "BS1 5TR"),
    ("London", "E8 1GQ"),
    ("Cardiff", "CF10 4UW"),
    ("Glasgow", "G3 7DN"),
    ("Croydon", "CR0 1EA"),
    ("Swansea", "SA1 1SN"),
    ("Edinburgh", "EH8 8BG"),
)
_STREETS = ("St. John's Road", "High Street (East)", "Queen's Court/Mews", "Mill Lane", "Boar Lane", "Castle & Bailey")
_CAPITAL = ("0.00", "0.01", "350.00", "999.99", "2999.99")
_PENSIONS = ("0.00", "0.01", "38.20", "999.99")
_EARNINGS = ("0.01", "19.99", "46.00")
_HOUSING = ("no_wish", "non_dependant")
"""No claim of the week asks for housing benefit: the week is about the systems that pay."""


def population(seed: int, *, size: int, today: date) -> list[Case]:
    """`size` claimants in a mixed order, the schemes in the week's proportion; the same seed gives the same ones."""
    source = random.Random(seed)
    schemes = [scheme for scheme, count in _shares(size).items() for _ in range(count)]
    source.shuffle(schemes)
    return [_claimant(source, scheme, today) for scheme in schemes]


def _shares(size: int) -> Mapping[str, int]:
    """How many of `size` claims each scheme has; what is left over by rounding goes to Jobseeker's Allowance."""
    total = sum(WEEK.values())
    shares = {scheme: size * count // total for scheme, count in WEEK.items()}
    shares["JOBSEEKERS_ALLOWANCE"] += size - sum(shares.values())
    return shares


def _claimant(source: random.Random, scheme: str, today: date) -> Case:
    town, postcode = source.choice(_PLACES)
    profiles = [source.choice(_HOUSING), *_PROFILES[scheme]]
    answers: dict[str, Any] = {
        "surname": source.choice(_SURNAMES),
        "forenames": source.choice(_FORENAMES),
        "sex": source.choice("FM"),
        "date_of_birth": {"days": -source.randrange(26 * 366, 55 * 365)},
        "address": {"lines": [f"{source.randrange(1, 300)} {source.choice(_STREETS)}", town], "postcode": postcode},
        "capital": source.choice(_CAPITAL),
        "pension_weekly": source.choice(_PENSIONS),
    }
    if source.random() < 0.2:
        profiles.append("no_account")
    if scheme != "INCAPACITY_BENEFIT" and source.random() < 0.3:
        answers |= {"part_time_hours": source.randrange(1, 16), "part_time_earnings": source.choice(_EARNINGS)}
        answers |= {"laid_off_or_short_time": False}
    if scheme == "JOBSEEKERS_ALLOWANCE" and source.random() < 0.2:
        profiles += ["couple", "two_children"]
    entry = {"title": scheme, "schemes": [scheme], "profiles": profiles, "answers": answers}
    return case_of(entry, today)


_PROFILES: Mapping[str, tuple[str, ...]] = {
    "INCOME_SUPPORT": ("lone_parent",),
    "JOBSEEKERS_ALLOWANCE": (),
    "INCAPACITY_BENEFIT": ("ill",),
}
"""The profile of cases.toml that a claim of the scheme has in any case."""
