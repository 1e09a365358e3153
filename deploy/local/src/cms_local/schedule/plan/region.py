"""A region: some offices, and their load as GetOfficeLoad tells it, as desks of scheduling's domain."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from scheduling.domain.demand import Expected
from scheduling.domain.directory import Directory
from scheduling.domain.load import Desk, DeskKey
from scheduling.domain.offices import Channel, Office
from scheduling.domain.working_time import LONDON

MOST_OFFICES = 60
"""The offices of a region at most: the work grows with their number."""
NEIGHBOURS = 10
"""The nearest offices within reach whose free slots count, as in scheduling-svc."""
LENT_KM = 60.0
"""An assessor is lent for a day to an office no farther away. Within reach claimants could come themselves."""
_CODE = re.compile(r"[0-9]{6}")
_AREA = re.compile(r"[A-Z]{1,2}")
_OPENS, _OPEN_FOR = time(9), timedelta(hours=8)


class BadRegion(ValueError):
    """The text names no region; it says why."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """The offices by their codes.

    For each of them, nearest first: `near`, the others whose free slots its claimants can take, and `lent`, those to which its
    assessors can be lent.
    """

    offices: Mapping[str, Office]
    near: Mapping[str, Sequence[str]]
    lent: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, text: str, offices: Iterable[Office]) -> "Region":
        """The offices that are named by code or by the area of their postcode, with commas between. Raises BadRegion."""
        known = list(offices)
        found = {office.code: office for name in text.split(",") for office in _named(name.strip().upper(), known)}
        if len(found) > MOST_OFFICES:
            raise BadRegion(f"{text} are {len(found)} offices: {MOST_OFFICES} at most are planned at a time")
        directory = Directory(found.values(), ())
        near = {
            code: [one.office.code for one in directory.near_office(code) if one.office.code != code][:NEIGHBOURS]
            for code in found
        }
        lent = {
            code: sorted(_others(code, directory), key=lambda other: directory.distance_km(code, other))
            for code in found
        }
        return cls(offices=found, near=near, lent=lent)


def desks_of(answers: Mapping[str, dict[str, Any]], region: Region, *, last: date) -> list[Desk]:
    """The desks of the answers of GetOfficeLoad by office; demand counts to the last day, free slots as long as they are told.

    The answers tell how many slots of a day are free, and not when: they are spread evenly over the day.
    """
    return [desk for code, answer in answers.items() for desk in _desks(answer, region.offices[code], last)]


def spread(day: date, number: int) -> list[datetime]:
    """So many starts of slots on a day, spread evenly over it."""
    opens = datetime.combine(day, _OPENS, tzinfo=LONDON).astimezone(UTC)
    return [opens + _OPEN_FOR * (2 * place + 1) / (2 * number) for place in range(number)]


def day_of(message: Mapping[str, int]) -> date:
    """The day of a message of google.type.Date."""
    return date(message["year"], message["month"], message["day"])


def _others(code: str, directory: Directory) -> list[str]:
    return [
        other.code
        for other in directory.offices
        if other.code != code and directory.distance_km(code, other.code) <= LENT_KM
    ]


def _named(name: str, offices: Sequence[Office]) -> list[Office]:
    if _CODE.fullmatch(name):
        found = [office for office in offices if office.code == name]
    elif _AREA.fullmatch(name):
        found = [office for office in offices if re.split(r"[0-9]", office.postcode)[0] == name]
    else:
        raise BadRegion(f"{name!r} is neither an office's code, six digits, nor a postcode area such as LS")
    if not found:
        raise BadRegion(f"there is no office {name}")
    return found


def _desks(answer: Mapping[str, Any], office: Office, last: date) -> list[Desk]:
    dispersion = max(1.0, float(answer["demandDispersion"]))
    by_channel: dict[Channel, dict[date, dict[str, Any]]] = {}
    for told in answer["days"]:
        for load in told["channels"]:
            channel = Channel(load["channel"].removeprefix("CHANNEL_"))
            by_channel.setdefault(channel, {})[day_of(told["day"])] = load
    return [
        Desk(
            key=DeskKey(office_code=office.code, channel=channel),
            nation=office.nation,
            capacity={day: load["capacity"] for day, load in days.items()},
            booked={day: load["booked"] for day, load in days.items()},
            free=sorted(start for day, load in days.items() for start in spread(day, load["free"])),
            demand={
                day: Expected(mean=load["forecast"], dispersion=dispersion)
                for day, load in days.items()
                if day <= last and office.hours_on(day)
            },
        )
        for channel, days in by_channel.items()
    ]
