"""The moves that are possible in a week's rotas: an assessor's day at another office or in another channel, or a day more."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from cms_local.rotas import WrittenRota
from cms_local.schedule.plan.region import Region
from scheduling.domain.load import Desk, DeskKey
from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH
from scheduling.domain.working_time import LONDON, ONE_DAY, london_day

MOVED = (Channel.OFFICE, Channel.TELEPHONE)
"""Channels between which an assessor's day can be moved. Home visits stay: their claimants live near the office."""


class Kind(StrEnum):
    """A kind of move."""

    LEND = "LEND"
    CHANNEL = "CHANNEL"
    OPEN = "OPEN"


@dataclass(frozen=True, kw_only=True)
class Work:
    """A shift as the file has it: its times, and the rest of its line."""

    start: datetime
    end: datetime
    channel: Channel
    skills: tuple[str, ...]
    emergency_slots: int

    @property
    def starts(self) -> list[datetime]:
        """The starts of its slots."""
        return [self.start + SLOT_LENGTH * number for number in range((self.end - self.start) // SLOT_LENGTH)]

    def on(self, day: date) -> "Work":
        """The same times of London's clock on another day."""
        later = timedelta(days=(day - london_day(self.start)).days)
        return replace(self, start=self.start + later, end=self.end + later)


@dataclass(frozen=True, kw_only=True)
class AssessorDay:
    """An assessor's work of a day at a desk."""

    assessor_id: str
    day: date
    desk: DeskKey
    work: tuple[Work, ...]

    @property
    def starts(self) -> list[datetime]:
        """The starts of its slots."""
        return [start for one in self.work for start in one.starts]


@dataclass(frozen=True, kw_only=True)
class Move:
    """An assessor's day that goes to another desk, or one more at the own desk (`before` is None)."""

    kind: Kind
    before: AssessorDay | None
    after: AssessorDay

    @property
    def who(self) -> tuple[str, date]:
        """The assessor and the day."""
        return self.after.assessor_id, self.after.day


@dataclass(frozen=True, kw_only=True)
class Rotas:
    """The week's rotas of a region by assessor: their days, and the days on which they have an interview."""

    monday: date
    days: Mapping[str, Sequence[AssessorDay]]
    busy: Collection[tuple[str, date]]

    @classmethod
    def of(cls, written: Iterable[WrittenRota], *, monday: date, busy: Collection[tuple[str, date]]) -> "Rotas":
        """The rotas of this week, as a file has them; shifts of other weeks are passed over."""
        found: dict[str, dict[tuple[date, DeskKey], list[Work]]] = {}
        for rota in written:
            for shift in rota.shifts:
                work = _work(shift)
                day, desk = london_day(work.start), DeskKey(office_code=rota.office_code, channel=work.channel)
                if monday <= day < monday + 7 * ONE_DAY:
                    found.setdefault(rota.assessor_id, {}).setdefault((day, desk), []).append(work)
        days = {
            assessor_id: [
                AssessorDay(assessor_id=assessor_id, day=day, desk=desk, work=tuple(work))
                for (day, desk), work in sorted(of_one.items(), key=lambda item: (item[0][0], item[0][1]))
            ]
            for assessor_id, of_one in found.items()
        }
        return cls(monday=monday, days=days, busy=busy)

    def moves(self, region: Region) -> Iterator[Move]:
        """Every move that disturbs no claimant.

        Who has an interview on a day, works at two desks or is there for emergencies stays. Nobody is lent who
        works at two offices already.
        """
        for assessor_id, of_one in sorted(self.days.items()):
            for_day, offices = Counter(one.day for one in of_one), {one.desk.office_code for one in of_one}
            for one in of_one:
                kept = any(work.emergency_slots for work in one.work)
                if for_day[one.day] == 1 and not kept and (assessor_id, one.day) not in self.busy:
                    yield from _moves_of(one, region, lent=len(offices) == 1)
            yield from self._opened(of_one, region)

    def at_office(self, office_code: str, day: date) -> int:
        """The assessors who see claimants at the office on the day."""
        desk = DeskKey(office_code=office_code, channel=Channel.OFFICE)
        return sum(one.day == day and one.desk == desk for of_one in self.days.values() for one in of_one)

    def _opened(self, of_one: Sequence[AssessorDay], region: Region) -> Iterator[Move]:
        """A day more for who does not work on each day of the week: the work of their first day, at the same desk."""
        usual, worked = of_one[0], {one.day for one in of_one}
        office = region.offices.get(usual.desk.office_code)
        if office is None or usual.desk.channel not in MOVED:
            return
        for day in (self.monday + number * ONE_DAY for number in range(7)):
            if day not in worked and office.hours_on(day):
                work = tuple(replace(one.on(day), emergency_slots=0) for one in usual.work)
                yield Move(kind=Kind.OPEN, before=None, after=replace(usual, day=day, work=work))


def applied(desks: Iterable[Desk], moves: Iterable[Move]) -> list[Desk]:
    """The desks with these moves made."""
    found = {desk.key: desk for desk in desks}
    for move in moves:
        if move.before is not None:
            found[move.before.desk] = _closed(found[move.before.desk], move.before)
        if move.after.desk in found:
            desk = found[move.after.desk]
            found[desk.key] = replace(desk, free=sorted([*desk.free, *move.after.starts]))
    return list(found.values())


def _moves_of(one: AssessorDay, region: Region, *, lent: bool) -> Iterator[Move]:
    if one.desk.office_code not in region.offices or one.desk.channel not in MOVED:
        return
    for other in MOVED:
        if other is not one.desk.channel and other in region.offices[one.desk.office_code].channels:
            yield _move(Kind.CHANNEL, one, replace(one.desk, channel=other))
    if lent and one.desk.channel is Channel.OFFICE:
        for code in region.lent[one.desk.office_code]:
            if region.offices[code].hours_on(one.day) and Channel.OFFICE in region.offices[code].channels:
                yield _move(Kind.LEND, one, replace(one.desk, office_code=code))


def _move(kind: Kind, one: AssessorDay, desk: DeskKey) -> Move:
    work = tuple(replace(work, channel=desk.channel) for work in one.work)
    return Move(kind=kind, before=one, after=replace(one, desk=desk, work=work))


def _closed(desk: Desk, day: AssessorDay) -> Desk:
    """The desk without an assessor's slots: of its free ones of the day those nearest to them, as far as there are any."""
    free = list(desk.free)
    for start in day.starts:
        of_day = [one for one in free if london_day(one) == day.day]
        if of_day:
            free.remove(min(of_day, key=lambda one: abs(one - start)))
    return replace(desk, free=free)


def _work(shift: Mapping[str, Any]) -> Work:
    return Work(
        start=datetime.fromisoformat(shift["start"]).astimezone(LONDON),
        end=datetime.fromisoformat(shift["end"]).astimezone(LONDON),
        channel=Channel(shift["channel"].removeprefix("CHANNEL_")),
        skills=tuple(shift["skills"]),
        emergency_slots=shift["emergencySlots"],
    )
