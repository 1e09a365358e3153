"""Local offices, their assessors, and the needs that they meet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from math import hypot

from chassis.bank_holidays import Nation
from scheduling.domain.travel import USUAL_TRAVEL, Travel
from scheduling.domain.working_time import is_working_day


class Channel(StrEnum):
    """The way an interview is held."""

    OFFICE = "OFFICE"
    TELEPHONE = "TELEPHONE"
    HOME_VISIT = "HOME_VISIT"


class Need(StrEnum):
    """A claimant's need: a feature of the office or a skill of the assessor meets it."""

    INTERPRETER = "INTERPRETER"
    STEP_FREE = "STEP_FREE"
    HEARING_LOOP = "HEARING_LOOP"
    WELSH = "WELSH"
    TEXTPHONE = "TEXTPHONE"
    SIGN_LANGUAGE = "SIGN_LANGUAGE"
    FEMALE_ASSESSOR = "FEMALE_ASSESSOR"
    MALE_ASSESSOR = "MALE_ASSESSOR"


class Contract(StrEnum):
    """The contract of an assessor: a whole week, or a part of it."""

    FULL_TIME = "FULL_TIME"
    PART_TIME = "PART_TIME"


OF_THE_BUILDING = frozenset({Need.STEP_FREE, Need.HEARING_LOOP})
"""Needs that matter only for an interview in the office."""

OF_EVERY_OFFICE = frozenset({Need.TEXTPHONE})
"""Needs that every office meets: the assessor has to know of them."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """The time of a day, in Europe/London, from which to which an office is open."""

    opens: time
    closes: time


_USUAL = Hours(opens=time(8), closes=time(18, 30))
USUAL_WEEK: tuple[Hours | None, ...] = (_USUAL,) * 5 + (None, None)
"""Monday to Friday."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """A local office. `code` is six digits; `easting` and `northing` are metres on the British National Grid.

    `hours` are those of the seven days of a usual week, from Monday on; None on a day on which it is closed.
    `rooms` is the number of interviews that can be held in it at once: each shift at the office has one of them.
    """

    code: str
    name: str
    postcode: str
    easting: int
    northing: int
    nation: Nation
    features: frozenset[Need]
    hours: tuple[Hours | None, ...] = USUAL_WEEK
    rooms: int = 6
    channels: frozenset[Channel] = frozenset(Channel)
    travel: Travel = USUAL_TRAVEL

    def hours_on(self, day: date) -> Hours | None:
        """The hours of a day of London; None where it is closed, as on a bank holiday of its nation."""
        return self.hours[day.weekday()] if is_working_day(day, self.nation) else None


@dataclass(frozen=True, kw_only=True)
class Assessor:
    """A financial assessor: at most eight characters of A-Z0-9, of one office.

    `skills` are codes: of the schemes that the assessor knows (`JOBSEEKERS_ALLOWANCE`), of languages (`WELSH` and those of the
    list of languages), INTERPRETER with every one of that list, and SIGN_LANGUAGE. `sex` is one of SEXES.
    """

    assessor_id: str
    office_code: str
    sex: Need
    contract: Contract
    skills: frozenset[str]

    @property
    def meets(self) -> frozenset[str]:
        """The codes of the needs that the assessor can meet: the skills, and the sex where one is asked for."""
        return self.skills | {self.sex}


SEXES = frozenset({Need.FEMALE_ASSESSOR, Need.MALE_ASSESSOR})
"""The needs of a claimant who chooses the sex of the assessor."""


@dataclass(frozen=True, kw_only=True)
class NearOffice:
    """An office and its distance from somewhere, in kilometres as the crow flies."""

    office: Office
    distance_km: float

    @property
    def travel(self) -> timedelta:
        """The way from the office to a home visit there."""
        return self.office.travel.time(self.distance_km)

    @property
    def visits(self) -> bool:
        """Whether the office visits people there."""
        return self.office.travel.is_within_reach(self.travel)


def nearest_offices(offices: Iterable[Office], *, easting: int, northing: int) -> list[NearOffice]:
    """The offices, nearest first, from a point in metres on the British National Grid (not the Irish Grid)."""
    near = [
        NearOffice(office=office, distance_km=hypot(office.easting - easting, office.northing - northing) / 1000)
        for office in offices
    ]
    return sorted(near, key=lambda found: (found.distance_km, found.office.code))


def within_reach(near: Iterable[NearOffice], *, reach_km: float) -> list[NearOffice]:
    """The offices within reach, and the nearest in any case. `near` begins with the nearest."""
    return [found for number, found in enumerate(near) if number == 0 or found.distance_km <= reach_km]


def left_to_assessor(needs: Iterable[Need], *, office: Office, channel: Channel) -> frozenset[Need]:
    """The needs that the assessor must meet, since the office does not; those of the building matter only in the office."""
    asked = frozenset(needs) - OF_EVERY_OFFICE
    if channel is not Channel.OFFICE:
        asked -= OF_THE_BUILDING
    return asked - office.features


def asked_skills(needs: frozenset[Need], *, language: str) -> frozenset[str]:
    """The codes of these needs. Where a language is named, it takes the place of any interpreter: another is of no use."""
    return (needs - {Need.INTERPRETER}) | {language} if language else needs
