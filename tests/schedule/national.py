"""A diary of national size: every office and assessor, twelve weeks of shifts, a third of their slots booked.

Offices and assessors are those of the service's data. Who works when, and what is booked, is synthetic: by a generator with
a seed.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from scheduling.domain.offices import Assessor, Channel, Office
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import LONDON

WEEKS = 12
HOURS = ((time(9), time(12)), (time(13), time(17, 30)))
"""The two shifts of a day: four slots and six."""
BOOKED = ((2, 0.9), (4, 0.6), (6, 0.3), (WEEKS, 0.067))
"""The share that is booked of the slots of a week, by how many weeks ahead it is: a third of all."""


@dataclass(frozen=True, kw_only=True)
class Country:
    """Offices, and the assessors of each."""

    offices: Sequence[Office]
    assessors: Sequence[Assessor]

    def part(self, of: int) -> "Country":
        """Every so many-th office, with its assessors."""
        offices = self.offices[::of]
        codes = {office.code for office in offices}
        return Country(offices=offices, assessors=[one for one in self.assessors if one.office_code in codes])


@dataclass(frozen=True, kw_only=True)
class Work:
    """A shift, and the slots in it that are booked."""

    shift: Shift
    booked: tuple[Slot, ...]


def work(country: Country, monday: date, *, weeks: int = WEEKS, seed: int = 14) -> Iterator[Work]:
    """The shifts of all assessors from a Monday on, with what is booked.

    Every eighth assessor of an office telephones in the mornings.
    """
    chance = random.Random(seed)
    offices = {office.code: office for office in country.offices}
    of_office: dict[str, list[Assessor]] = defaultdict(list)
    for assessor in country.assessors:
        of_office[assessor.office_code].append(assessor)
    days = [monday + timedelta(days=7 * week + day) for week in range(weeks) for day in range(5)]
    spans = {day: [(_moment(day, start), _moment(day, end)) for start, end in HOURS] for day in days}
    for code, assessors in of_office.items():
        worked = [day for day in days if offices[code].hours_on(day)]
        for number, assessor in enumerate(assessors):
            for day in worked:
                share = share_booked((day - monday).days // 7)
                for half, (start, end) in enumerate(spans[day]):
                    shift = Shift(
                        assessor_id=assessor.assessor_id,
                        office_code=code,
                        start_time=start,
                        end_time=end,
                        channel=Channel.TELEPHONE if telephones(number, half=half) else Channel.OFFICE,
                        skills=frozenset(str(skill) for skill in assessor.skills),
                    )
                    yield Work(shift=shift, booked=tuple(slot for slot in shift.slots() if chance.random() < share))


def telephones(number: int, *, half: int) -> bool:
    """Whether this assessor of an office telephones in this half of the day: every eighth one does, in the mornings."""
    return number % 8 == 7 and half == 0


def share_booked(week: int) -> float:
    """The share that is booked of the slots of a week, by how many weeks ahead it is."""
    return next(share for until, share in BOOKED if week < until)


def _moment(day: date, local: time) -> datetime:
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)
