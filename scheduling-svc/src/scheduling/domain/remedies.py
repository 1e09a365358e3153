"""Suggestions to a manager whose office will not see everybody in time, each with its effect computed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from math import ceil

from scheduling.domain import breaches
from scheduling.domain.breaches import Moment, Outcome
from scheduling.domain.load import DeskKey, Load
from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH
from scheduling.domain.working_time import LONDON, ONE_DAY, london_day, working_days

ENOUGH = 0.5
"""A remedy is large enough when fewer late claimants than this are left."""
MOST_SLOTS = 24
"""The largest remedy that is suggested: three assessors for a day."""
MOST_DAYS = 5
"""Days with a breach, from the first on, for which slots are suggested."""
LENDERS = 3
"""Offices that are suggested as lenders, the nearest that can spare something."""
SLOTS_OF_A_DAY = 8
"""An assessor's slots on a day, by which opened ones are placed."""
_OPENS = time(9)


class Remedy(StrEnum):
    """A kind of suggestion."""

    OPEN_SLOTS = "OPEN_SLOTS"
    BORROW_ASSESSOR = "BORROW_ASSESSOR"
    HOLD_BY_TELEPHONE = "HOLD_BY_TELEPHONE"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """So many slots on a day, and the expected late claimants of all days without them and with them.

    `from_office` lends the assessor or holds the interviews by telephone; `lender_before` and `lender_after` are its own late
    claimants.
    """

    remedy: Remedy
    day: date
    slots: int
    from_office: str
    late_before: float
    late_after: float
    lender_before: float = 0.0
    lender_after: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The load, and the rules by which a desk's moments are made anew."""

    load: Load
    now: datetime
    target: timedelta

    def late(
        self,
        key: DeskKey,
        *,
        opened: Sequence[datetime] = (),
        closed: Sequence[datetime] = (),
        until: date = date.max,
    ) -> float:
        """The late claimants of a desk, to a day, with more free slots or with fewer."""
        line = takewhile(lambda moment: moment.day <= until, self.load.lines[key])
        return breaches.late(breaches.changed(line, opened=opened, closed=closed))


def suggestions(scene: Scene, key: DeskKey, *, lenders: Iterable[str], telephones: Iterable[str]) -> list[Suggestion]:
    """The remedies for a desk; none where no breach is expected.

    First the slots to open, day by day, each as if those before it were open; then, for the first day with a breach, what
    others can do. `lenders` are offices from which an assessor can be sent, nearest first; `telephones` those that can hold
    interviews for it.
    """
    short = [day.day for day in scene.load.days(key) if day.breach_expected]
    if not short:
        return []
    found = [*_open(scene, key, short), *_borrow(scene, key, short[0], lenders)]
    if key.channel is Channel.OFFICE:
        found += _by_telephone(scene, key, short[0], telephones)
    return [one for one in found if one.late_after < one.late_before]


def _open(scene: Scene, key: DeskKey, short: Sequence[date]) -> Iterator[Suggestion]:
    opened: list[datetime] = []
    before = scene.late(key)
    for late_day in short[:MOST_DAYS]:
        day = _day_after(scene, key, late_day)
        slots = _fewest(scene, key, opened, day=day, late_day=late_day, most=MOST_SLOTS)
        if slots:
            opened += _starts(day, slots)
            after = scene.late(key, opened=opened)
            yield Suggestion(
                remedy=Remedy.OPEN_SLOTS,
                day=day,
                slots=slots,
                from_office=key.office_code,
                late_before=before,
                late_after=after,
            )
            before = after


def _borrow(scene: Scene, key: DeskKey, late_day: date, lenders: Iterable[str]) -> Iterator[Suggestion]:
    day = _day_after(scene, key, late_day)
    before = scene.late(key)
    known = (DeskKey(office_code=code, channel=key.channel) for code in lenders)
    able = ((lender, _to_lend(scene, lender, day)) for lender in known if lender in scene.load.desks)
    for lender, starts in islice(((lender, starts) for lender, starts in able if starts), LENDERS):
        slots = _fewest(scene, key, [], day=day, late_day=late_day, most=len(starts))
        yield Suggestion(
            remedy=Remedy.BORROW_ASSESSOR,
            day=day,
            slots=slots,
            from_office=lender.office_code,
            late_before=before,
            late_after=scene.late(key, opened=_starts(day, slots)),
            lender_before=scene.late(lender),
            lender_after=scene.late(lender, closed=starts[:slots]),
        )


def _by_telephone(scene: Scene, key: DeskKey, late_day: date, telephones: Iterable[str]) -> Iterator[Suggestion]:
    line = scene.load.lines[key]
    of_day = [moment for moment in line if moment.day == late_day]
    known = (DeskKey(office_code=code, channel=Channel.TELEPHONE) for code in telephones)
    able = ((other, _unused(scene.load, other, of_day[0].at, of_day[-1].due)) for other in known)
    for other, spare in islice(((other, spare) for other, spare in able if spare), LENDERS):
        needed = ceil(sum(outcome.breaches for outcome in _outcomes_on(scene.load, key, late_day)))
        slots = min(spare, max(1, needed))
        yield Suggestion(
            remedy=Remedy.HOLD_BY_TELEPHONE,
            day=late_day,
            slots=slots,
            from_office=other.office_code,
            late_before=breaches.late(line),
            late_after=breaches.late(_spared(line, late_day, slots)),
        )


def _fewest(scene: Scene, key: DeskKey, opened: Sequence[datetime], *, day: date, late_day: date, most: int) -> int:
    """The fewest slots on a day that are enough for those who call by `late_day`, or `most` where no number is."""

    def is_enough(number: int) -> bool:
        return scene.late(key, opened=[*opened, *_starts(day, number)], until=late_day) < ENOUGH

    low, high = 0, most
    if not is_enough(most):
        return most
    while low < high:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _outcomes_on(load: Load, key: DeskKey, day: date) -> list[Outcome]:
    return [outcome for outcome in load.outcomes[key] if outcome.day == day]


def _day_after(scene: Scene, key: DeskKey, day: date) -> date:
    """The next working day: a slot on it is in time for those who call on the day."""
    return working_days(day + ONE_DAY, scene.load.desks[key].nation, number=1)[0]


def _spared(line: Sequence[Moment], day: date, number: int) -> list[Moment]:
    """The moments with so many slots elsewhere for those of a day, shared between them."""
    of_day = [moment.at for moment in line if moment.day == day]
    shares = {at: (number + place) // len(of_day) for place, at in enumerate(of_day)}
    return [replace(moment, spare=moment.spare + shares.get(moment.at, 0)) for moment in line]


def _starts(day: date, number: int) -> list[datetime]:
    """Starts of so many slots on the day, those of one assessor after another."""
    first = datetime.combine(day, _OPENS, tzinfo=LONDON).astimezone(UTC)
    return [first + SLOT_LENGTH * (place % SLOTS_OF_A_DAY) for place in range(number)]


def _to_lend(scene: Scene, lender: DeskKey, day: date) -> list[datetime]:
    """Free slots of a day that one assessor could hold elsewhere, as many as nobody is expected to take, the latest first."""
    free = [start for start in scene.load.desks[lender].free if london_day(start) == day]
    spare = int(sum(outcome.unused for outcome in _outcomes_on(scene.load, lender, day)))
    return free[::-1][: min(spare, SLOTS_OF_A_DAY)]


def _unused(load: Load, key: DeskKey, since: datetime, until: datetime) -> int:
    """The slots of a desk in a stretch of time that nobody is expected to take; none where there is no such desk."""
    return int(sum(outcome.unused for outcome in load.outcomes.get(key, []) if since <= outcome.at < until))
