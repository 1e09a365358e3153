"""The synthetic part of the offices: their hours, rooms, channels and features, their assessors, and the rotas of these.

All of it follows from an office's code and the number of its assessors, so it is the same whenever it is made. No assessor is
anybody: references are numbered, and skills are drawn by the shares below, which are plausible and no statistics.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random

ASSESSORS = 6_000
PRESENT_ASSESSORS = 6
"""The offices that were there before the others have so many each; their people stay as they are."""
FEWEST, MOST = 2, 40
_PATTERNS = {
    "FULL_TIME": ("full_week", "early", "full_week", "late", "telephone_mornings", "full_week", "visiting"),
    "PART_TIME": ("early_week", "late_week", "mornings"),
    "three_days": ("three_days", "three_days_telephone"),
}
SCHEMES = ("INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT", "CRISIS_LOAN")
SHORT = {"INCOME_SUPPORT": "IS", "JOBSEEKERS_ALLOWANCE": "JSA", "INCAPACITY_BENEFIT": "IB", "CRISIS_LOAN": "CL"}
_LANGUAGES = {
    "POLISH": 14, "PUNJABI": 10, "URDU": 10, "BENGALI": 7, "GUJARATI": 6, "ARABIC": 8, "FRENCH": 5, "PORTUGUESE": 6,
    "SPANISH": 5, "TAMIL": 4, "TURKISH": 5, "SOMALI": 6, "KURDISH": 4, "FARSI": 4, "ROMANIAN": 5, "CANTONESE": 3,
    "MANDARIN": 3, "RUSSIAN": 3, "LITHUANIAN": 3, "PASHTO": 3, "TIGRINYA": 2, "HINDI": 4, "VIETNAMESE": 2,
}  # fmt: skip
_WELSH_HEARTLAND = ("W06000001", "W06000002", "W06000008", "W06000010")
"""Anglesey, Gwynedd, Ceredigion, Carmarthenshire: most people there speak Welsh at work."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """An office as far as it is real, and the share of the country's people that it serves."""

    code: str
    name: str
    nation: str
    authority_code: str
    weight: int
    metropolitan: bool


@dataclass(frozen=True, kw_only=True)
class Person:
    """An assessor and the pattern of the weeks."""

    assessor_id: str
    office_code: str
    sex: str
    contract: str
    schemes: Sequence[str]
    skills: Sequence[str]
    pattern: str


@dataclass(frozen=True, kw_only=True)
class Furnishing:
    """The features, hours, rooms and channels of an office."""

    features: Sequence[str]
    hours: str
    rooms: int
    channels: Sequence[str] = field(default=("OFFICE", "TELEPHONE", "HOME_VISIT"))


def numbers(sites: Sequence[Site], *, in_all: int) -> dict[str, int]:
    """The assessors of each office by its code: FEWEST to MOST, by weight, and `in_all` together."""
    free, left, share = list(sites), in_all, dict[str, int]()
    while True:
        total = sum(site.weight for site in free)
        bound = {
            site.code: FEWEST if left * site.weight < FEWEST * total else MOST
            for site in free
            if not FEWEST * total <= left * site.weight <= MOST * total
        }
        if not bound:
            break
        share |= bound
        left -= sum(bound.values())
        free = [site for site in free if site.code not in bound]
    exact = {site.code: left * site.weight / sum(site.weight for site in free) for site in free}
    share |= {code: int(number) for code, number in exact.items()}
    by_remainder = sorted(exact, key=lambda code: (int(exact[code]) - exact[code], code))
    for code in by_remainder[: in_all - sum(share.values())]:
        share[code] += 1
    return share


def people(site: Site, *, number: int) -> Iterator[Person]:
    """The assessors of an office."""
    source = Random(f"people {site.code}")
    three_days = opens_three_days(number)
    for index in range(1, number + 1):
        contract = "PART_TIME" if three_days or source.random() < 0.25 else "FULL_TIME"
        patterns = _PATTERNS["three_days" if three_days else contract]
        yield Person(
            assessor_id=f"A{letters(site.name)}{int(site.code[2:5]):03}{index:02}",
            office_code=site.code,
            sex="FEMALE" if source.random() < 0.62 else "MALE",
            contract=contract,
            schemes=_schemes(source, index),
            skills=sorted(_skills(source, site, index)),
            pattern=patterns[0] if index == 1 and not three_days else patterns[int(source.random() * len(patterns))],
        )


def furnishing(site: Site, staff: Sequence[Person]) -> Furnishing:
    """Hours, rooms and features: the larger an office, the likelier it has them."""
    source = Random(f"office {site.code}")
    size = min(len(staff) / 10, 1)
    chances = {"STEP_FREE": 0.75 + 0.2 * size, "HEARING_LOOP": 0.55 + 0.4 * size, "INTERPRETER": 0.1 + 0.4 * size}
    if site.metropolitan:
        chances["INTERPRETER"] += 0.3
    hours = "three_days" if opens_three_days(len(staff)) else "weekdays"
    return Furnishing(
        features=[name for name, chance in chances.items() if source.random() < chance],
        hours=hours,
        rooms=len(staff) + ceil(source.random() * 2),
    )


def opens_three_days(number: int) -> bool:
    """Whether an office with so many assessors is open on three days of the week alone."""
    return number <= FEWEST


def letters(name: str) -> str:
    """Two letters of a town."""
    return "".join(letter for letter in name.upper() if "A" <= letter <= "Z")[:2]


def _schemes(source: Random, index: int) -> Sequence[str]:
    # The first two of an office know every scheme, so that no claim is without an assessor for it.
    shares = (0.95, 1.0, 0.75, 0.6)
    drawn = [scheme for scheme, share in zip(SCHEMES, shares, strict=True) if source.random() < share]
    return SCHEMES if index <= FEWEST else drawn


def _skills(source: Random, site: Site, index: int) -> set[str]:
    found = set()
    if site.nation == "WLS" and (
        index == 1 or source.random() < (0.6 if site.authority_code in _WELSH_HEARTLAND else 0.15)
    ):
        found.add("WELSH")
    if source.random() < (0.3 if site.metropolitan else 0.06):
        found.add(_drawn(source, _LANGUAGES))
        if source.random() < 0.25:
            found.add(_drawn(source, _LANGUAGES))
    if source.random() < 0.02:
        found.add("SIGN_LANGUAGE")
    return found


def _drawn(source: Random, shares: Mapping[str, int]) -> str:
    left = source.random() * sum(shares.values())
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    raise AssertionError("the shares are drawn from")
