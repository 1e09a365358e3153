"""Local offices, their assessors, and the needs that they meet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from math import hypot

from chassis.bank_holidays import Nation


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


OF_THE_BUILDING = frozenset({Need.STEP_FREE, Need.HEARING_LOOP})
"""Needs that matter only for an interview in the office."""

OF_EVERY_OFFICE = frozenset({Need.TEXTPHONE})
"""Needs that every office meets: the assessor has to know of them."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """A local office. `code` is six digits; `easting` and `northing` are metres on the British National Grid."""

    code: str
    name: str
    postcode: str
    easting: int
    northing: int
    nation: Nation
    features: frozenset[Need]


@dataclass(frozen=True, kw_only=True)
class WeeklyShift:
    """A stretch of work that recurs every week, in the time of Europe/London. `weekday` 0 is Monday."""

    weekday: int
    start: time
    end: time
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Assessor:
    """A financial assessor: at most eight characters of A-Z0-9, one office, skills, and the weekly rota."""

    assessor_id: str
    office_code: str
    skills: frozenset[Need]
    rota: tuple[WeeklyShift, ...]


@dataclass(frozen=True, kw_only=True)
class NearOffice:
    """An office and its distance from somewhere, in kilometres as the crow flies."""

    office: Office
    distance_km: float


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
