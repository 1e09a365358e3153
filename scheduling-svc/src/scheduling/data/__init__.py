"""The offices and assessors of the country, from the CSV files beside this module.

Every function raises ValueError, naming the file and the line's key, where a file does not hold together.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import time
from functools import cache
from importlib import resources
from types import MappingProxyType

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Assessor, Channel, Contract, Hours, Need, Office
from scheduling.domain.reasons import OfferReason, Words
from scheduling.domain.travel import USUAL_TRAVEL, Travel

OFFICE_COLUMNS = [
    "code", "name", "postcode", "easting", "northing", "nation", "features", "hours", "rooms", "channels",
]  # fmt: skip
TRAVEL_COLUMNS = ["office_code", "kilometres_per_hour", "detour", "arrival_minutes", "longest_minutes"]
HOURS_COLUMNS = ["hours", "weekday", "opens", "closes"]
ASSESSOR_COLUMNS = ["assessor_id", "office_code", "sex", "contract", "schemes", "skills"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SCHEMES = {"IS": "INCOME_SUPPORT", "JSA": "JOBSEEKERS_ALLOWANCE", "IB": "INCAPACITY_BENEFIT", "CL": "CRISIS_LOAN"}
"""The schemes that have an interview, as the file writes them and as the contract names them."""
FEATURES = frozenset({Need.INTERPRETER, Need.STEP_FREE, Need.HEARING_LOOP})
LANGUAGE_COLUMNS = ["language", "name"]
WORDS_COLUMNS = ["reason", "en", "cy"]
_SEXES = {"FEMALE": Need.FEMALE_ASSESSOR, "MALE": Need.MALE_ASSESSOR}

MOST_MINUTES = 240
"""The database keeps no longer way, one way."""
_AS_USUAL: Mapping[str, Travel] = MappingProxyType({"": USUAL_TRAVEL})

Weeks = Mapping[str, tuple[Hours | None, ...]]


@cache
def load_offices() -> tuple[Office, ...]:
    """The offices, in the order of their codes."""
    return parse_offices(
        _text("offices.csv"), hours=parse_hours(_text("opening_hours.csv")), travel=parse_travel(_text("travel.csv"))
    )


@cache
def load_assessors() -> tuple[Assessor, ...]:
    """The assessors of those offices, in the order of their references."""
    return parse_assessors(_text("assessors.csv"), offices=load_offices())


@cache
def load_languages() -> frozenset[str]:
    """The codes of the languages, beside English and Welsh, in which an interview can be asked for."""
    return parse_languages(_text("languages.csv"))


@cache
def load_offer_words() -> Mapping[OfferReason, Words]:
    """The words by which a claimant is told why a slot is offered, in both languages, for every reason."""
    return parse_offer_words(_text("offer_words.csv"))


def parse_offer_words(text: str) -> Mapping[OfferReason, Words]:
    """Words by reason, from CSV with the columns WORDS_COLUMNS: each reason once, none without words."""
    lines = list(_lines(text, WORDS_COLUMNS))
    _refuse_doubles("offer_words", [line["reason"] for line in lines])
    found = {OfferReason(line["reason"]): Words(en=line["en"], cy=line["cy"]) for line in lines}
    if set(found) != set(OfferReason) or not all(words.en and words.cy for words in found.values()):
        raise ValueError("offer_words: every reason must have words in both languages")
    return found


def parse_languages(text: str) -> frozenset[str]:
    """Codes from CSV with the columns LANGUAGE_COLUMNS: capital letters, as they stand among the skills of assessors."""
    codes = [line["language"] for line in _lines(text, LANGUAGE_COLUMNS)]
    _refuse_doubles("languages", codes)
    if not all(re.fullmatch(r"[A-Z]{2,30}", code) for code in codes) or set(codes) & {*Need, *SCHEMES.values()}:
        raise ValueError("languages: a code must be two to thirty capital letters, and no need or scheme")
    return frozenset(codes)


def parse_hours(text: str) -> Weeks:
    """Weeks of opening hours by name, each from Monday on, from CSV with the columns HOURS_COLUMNS."""
    weeks: dict[str, dict[int, Hours]] = {}
    for line in _lines(text, HOURS_COLUMNS):
        name, weekday = line["hours"], WEEKDAYS.index(line["weekday"])
        hours = Hours(opens=time.fromisoformat(line["opens"]), closes=time.fromisoformat(line["closes"]))
        if hours.closes <= hours.opens or weekday in weeks.setdefault(name, {}):
            raise ValueError(f"opening_hours: {name} on {line['weekday']} closes before it opens, or stands twice")
        weeks[name][weekday] = hours
    return {name: tuple(days.get(number) for number in range(len(WEEKDAYS))) for name, days in weeks.items()}


def parse_travel(text: str) -> Mapping[str, Travel]:
    """How assessors travel to home visits, by the office's code, from CSV with the columns TRAVEL_COLUMNS.

    The line without a code is that of every office that has none of its own.
    """
    found: dict[str, Travel] = {}
    for line in _lines(text, TRAVEL_COLUMNS):
        code, longest = line["office_code"], int(line["longest_minutes"])
        if code in found or not 0 < longest <= MOST_MINUTES:
            raise ValueError(f"travel: {code!r} stands twice, or travels for more than {MOST_MINUTES} minutes")
        found[code] = Travel(
            kilometres_per_hour=float(line["kilometres_per_hour"]),
            detour=float(line["detour"]),
            arrival_minutes=int(line["arrival_minutes"]),
            longest_minutes=longest,
        )
    if "" not in found:
        raise ValueError("travel: the line of every other office is missing")
    return found


def parse_offices(text: str, *, hours: Weeks, travel: Mapping[str, Travel] = _AS_USUAL) -> tuple[Office, ...]:
    """Offices from CSV with the columns OFFICE_COLUMNS. `travel` may name none but these offices."""
    offices = [_office(line, hours, travel) for line in _lines(text, OFFICE_COLUMNS)]
    unknown = set(travel) - {office.code for office in offices} - {""}
    if unknown:
        raise ValueError(f"travel: {', '.join(sorted(unknown))} is no office")
    _refuse_doubles("offices", [office.code for office in offices])
    _refuse_doubles("offices", [office.name for office in offices])
    return tuple(sorted(offices, key=lambda office: office.code))


def parse_assessors(text: str, *, offices: Iterable[Office]) -> tuple[Assessor, ...]:
    """Assessors from CSV with the columns ASSESSOR_COLUMNS, each of a known office."""
    codes = {office.code for office in offices}
    assessors = [_assessor(line, codes=codes) for line in _lines(text, ASSESSOR_COLUMNS)]
    _refuse_doubles("assessors", [assessor.assessor_id for assessor in assessors])
    return tuple(sorted(assessors, key=lambda assessor: assessor.assessor_id))


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _lines(text: str, columns: list[str]) -> Iterable[dict[str, str]]:
    lines = csv.DictReader(io.StringIO(text), strict=True)
    if lines.fieldnames != columns:
        raise ValueError(f"the columns must be {', '.join(columns)}")
    return lines


def _office(line: dict[str, str], hours: Weeks, travel: Mapping[str, Travel]) -> Office:
    code, rooms = line["code"], int(line["rooms"])
    if not re.fullmatch(r"[0-9]{6}", code) or not line["name"]:
        raise ValueError(f"offices: {code!r} must be six digits with a name")
    if line["hours"] not in hours or rooms < 1:
        raise ValueError(f"offices: {code} must have opening hours that are listed, and a room")
    return Office(
        code=code,
        name=line["name"],
        postcode=line["postcode"],
        easting=int(line["easting"]),
        northing=int(line["northing"]),
        nation=Nation(line["nation"]),
        features=frozenset(Need(word) for word in _words("offices", line["features"], FEATURES)),
        hours=hours[line["hours"]],
        rooms=rooms,
        channels=frozenset(Channel(word) for word in line["channels"].split()),
        travel=travel.get(code, travel[""]),
    )


def _assessor(line: dict[str, str], *, codes: set[str]) -> Assessor:
    reference, office_code = line["assessor_id"], line["office_code"]
    if not re.fullmatch(r"[A-Z0-9]{1,8}", reference):
        raise ValueError(f"assessors: {reference!r} must be at most eight of A-Z0-9")
    if office_code not in codes or line["sex"] not in _SEXES:
        raise ValueError(f"assessors: {reference} must have an office that is listed, and FEMALE or MALE")
    return Assessor(
        assessor_id=reference,
        office_code=office_code,
        sex=_SEXES[line["sex"]],
        contract=Contract(line["contract"]),
        skills=_skills(line["schemes"], line["skills"]),
    )


@cache
def _skills(schemes: str, skills: str) -> frozenset[str]:
    """The codes of schemes and skills; they are few beside the assessors, so that many share one set."""
    found = _words("assessors", skills, load_languages() | {Need.WELSH, Need.SIGN_LANGUAGE})
    interpreter = {Need.INTERPRETER.value} if found & load_languages() else set()
    return frozenset(SCHEMES[word] for word in _words("assessors", schemes, SCHEMES)) | found | interpreter


def _words(name: str, text: str, known: Collection[str]) -> frozenset[str]:
    words = frozenset(text.split())
    if not words <= frozenset(known):
        raise ValueError(f"{name}: {', '.join(sorted(words - frozenset(known)))} is not known here")
    return words


def _refuse_doubles(name: str, keys: list[str]) -> None:
    if len(set(keys)) != len(keys):
        raise ValueError(f"{name}: a key stands twice")
