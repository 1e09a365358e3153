"""The load of offices, from their working times, what is taken of them, and the demand to expect."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.clock import LONDON
from chassis.database import Connection
from scheduling.domain.demand import Learnt
from scheduling.domain.directory import Directory
from scheduling.domain.load import DayLoad, Desk, DeskKey, load_of
from scheduling.domain.offices import Channel
from scheduling.domain.remedies import Scene, Suggestion, suggestions
from scheduling.domain.supply import Supply, supplies
from scheduling.domain.working_time import ONE_DAY, is_working_day, working_days
from scheduling.store import demand, working_times

NEIGHBOURS = 10
"""Offices within reach that count, the nearest: those farther away change little."""


@dataclass(frozen=True, kw_only=True)
class OfficeLoads:
    """The load of some offices from a day to a day, and what the forecast rests on. `offices` are codes, in order."""

    offices: Sequence[str]
    first: date
    last: date
    scene: Scene
    learnt: Learnt
    near: Mapping[str, Sequence[str]]

    def days(self, office_code: str) -> dict[date, dict[Channel, DayLoad]]:
        """The load of an office by day and channel, in order."""
        found: dict[date, dict[Channel, DayLoad]] = {}
        for channel in Channel:
            key = DeskKey(office_code=office_code, channel=channel)
            if key in self.scene.load.desks:
                for day in self.scene.load.days(key):
                    if self.first <= day.day <= self.last:
                        found.setdefault(day.day, {})[channel] = day
        return dict(sorted(found.items()))

    def remedies(self, office_code: str) -> Iterator[tuple[Channel, Suggestion]]:
        """The remedies for an office, by channel."""
        others = self.near[office_code]
        for channel in Channel:
            key = DeskKey(office_code=office_code, channel=channel)
            if key in self.scene.load.desks:
                for one in suggestions(self.scene, key, lenders=others, telephones=[office_code, *others]):
                    yield channel, one


def loads_of(
    conn: Connection, directory: Directory, offices: Sequence[str], *, first: date, last: date, target: timedelta
) -> OfficeLoads:
    """The load of these offices; those within their reach count as neighbours."""
    now = clock.now()
    near = {code: _near(directory, code) for code in offices}
    known = sorted({*offices, *(code for others in near.values() for code in others)})
    learnt = demand.learnt(conn)
    desks = _desks(conn, directory, known, learnt, last=last, now=now, target=target)
    load = load_of(
        desks, near | {code: _near(directory, code) for code in known if code not in near}, now=now, target=target
    )
    return OfficeLoads(
        offices=offices,
        first=first,
        last=last,
        scene=Scene(load=load, now=now, target=target),
        learnt=learnt,
        near=near,
    )


def _near(directory: Directory, code: str) -> list[str]:
    return [found.office.code for found in directory.near_office(code) if found.office.code != code][:NEIGHBOURS]


def _desks(
    conn: Connection,
    directory: Directory,
    offices: Sequence[str],
    learnt: Learnt,
    *,
    last: date,
    now: datetime,
    target: timedelta,
) -> Iterator[Desk]:
    """The desks of these offices that have a shift or a demand.

    What neighbours can spare is known as long as their own demand is: so it is carried on by the days of the target.
    """
    days = {nation: _days(nation, last=last, now=now, target=target) for nation in directory.nations}
    end = max(
        working_days(of_nation[-1] + ONE_DAY, nation, number=_reach(target))[-1] for nation, of_nation in days.items()
    )
    found = supplies(
        working_times.of_offices(conn, offices, since=_midnight(clock.today()), until=_midnight(end + ONE_DAY)), now=now
    )
    levels = demand.levels(conn, offices)
    for key in sorted({*found, *levels}):
        nation, supply = directory.office(key.office_code).nation, found.get(key, Supply())
        level = levels.get(key, 0.0)
        yield Desk(
            key=key,
            nation=nation,
            capacity=supply.capacity,
            booked=supply.booked,
            free=sorted(supply.free),
            demand={day: learnt.expected(day, nation=nation, level=level) for day in days[nation]},
        )


def _days(nation: Nation, *, last: date, now: datetime, target: timedelta) -> list[date]:
    """The working days from today on, and so many after the last one as the target has."""
    after = working_days(last + ONE_DAY, nation, number=_reach(target))
    today = now.astimezone(LONDON).date()
    whole = (today + timedelta(days=number) for number in range((last - today).days + 1))
    return [*(day for day in whole if is_working_day(day, nation)), *after]


def _reach(target: timedelta) -> int:
    """The working days after a call's own on which its target can end."""
    return ceil(target / ONE_DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LONDON)
