"""The load of offices, the neighbours that help, and the remedies with their effect."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.load import DayLoad, Desk, DeskKey, Load, load_of
from scheduling.domain.offices import Channel
from scheduling.domain.remedies import Remedy, Scene, Suggestion, suggestions
from scheduling.domain.working_time import LONDON, TARGET, working_days

NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)
WEEK = working_days(date(2026, 6, 1), Nation.ENGLAND, number=5)
WITH_THE_DAYS_AFTER = working_days(date(2026, 6, 1), Nation.ENGLAND, number=8)


def _desk(code: str, *, mean: float, slots: int, channel: Channel = Channel.OFFICE) -> Desk:
    free = [
        datetime.combine(day, time(9), tzinfo=LONDON) + timedelta(minutes=45 * (place % 10))
        for day in WITH_THE_DAYS_AFTER
        for place in range(slots)
    ]
    return Desk(
        key=DeskKey(office_code=code, channel=channel),
        nation=Nation.ENGLAND,
        capacity=dict.fromkeys(WEEK, slots + 2),
        booked=dict.fromkeys(WEEK, 2),
        free=sorted(free),
        demand=dict.fromkeys(WEEK, Expected(mean=mean, dispersion=1.3)),
    )


def _load(*desks: Desk, near: Mapping[str, Sequence[str]] | None = None) -> Load:
    return load_of(desks, near or {}, now=NOW)


def _late(days: Sequence[DayLoad]) -> float:
    return sum(day.late for day in days)


def test_a_desk_shows_slots_demand_and_breaches_by_day() -> None:
    desk = _desk("600011", mean=14, slots=10)

    days = _load(desk).days(desk.key)

    assert [day.day for day in days] == WEEK
    assert {(day.capacity, day.booked, day.demand) for day in days} == {(12, 2, 14)}
    assert not days[0].breach_expected
    assert days[-1].breach_expected
    assert [day.late for day in days] == sorted(day.late for day in days)


def test_a_day_without_calls_shows_its_slots_all_the_same() -> None:
    saturday = date(2026, 6, 6)
    desk = _desk("600011", mean=1, slots=1)
    overtime = Desk(**vars(desk) | {"capacity": {**desk.capacity, saturday: 4}})

    shown = _load(overtime).days(overtime.key)[-1]

    assert shown == DayLoad(day=saturday, capacity=4, booked=0, demand=0.0)


def test_a_neighbour_with_room_keeps_the_target() -> None:
    short, roomy = _desk("600011", mean=14, slots=10), _desk("600021", mean=3, slots=10)

    # The slots that a neighbour can spare are known as long as its own demand is: not on the days after the last one.
    alone = _load(short, roomy).days(short.key)[:-1]
    together = _load(short, roomy, near={"600011": ["600021"]}).days(short.key)[:-1]

    assert _late(alone) > 5
    assert _late(together) < 0.1
    assert sum(day.elsewhere for day in together) > 2
    assert not any(day.breach_expected for day in together)


def test_two_offices_do_not_count_on_the_same_slots_of_a_third() -> None:
    first, second = _desk("600011", mean=16, slots=10), _desk("600012", mean=16, slots=10)
    third = _desk("600021", mean=6, slots=11)

    one = _load(first, third, near={"600011": ["600021"]})
    both = _load(first, second, third, near={"600011": ["600021"], "600012": ["600021"]})

    late_of_both = _late(both.days(first.key)) + _late(both.days(second.key))
    assert late_of_both > 2 * _late(one.days(first.key)) + 1


def test_a_desk_of_another_channel_gives_no_room() -> None:
    short = _desk("600011", mean=14, slots=10)
    telephone = _desk("600021", mean=1, slots=10, channel=Channel.TELEPHONE)

    assert _late(_load(short, telephone, near={"600011": ["600021"]}).days(short.key)) == pytest.approx(
        _late(_load(short).days(short.key))
    )


def _remedies(*desks: Desk, lenders: Sequence[str] = (), telephones: Sequence[str] = ()) -> list[Suggestion]:
    scene = Scene(load=_load(*desks), now=NOW, target=TARGET)
    return suggestions(scene, desks[0].key, lenders=lenders, telephones=telephones)


def test_an_office_with_room_gets_no_suggestion() -> None:
    assert _remedies(_desk("600011", mean=5, slots=10), _desk("600021", mean=5, slots=10), lenders=["600021"]) == []


def test_slots_are_opened_day_by_day_until_enough_are_open() -> None:
    found = [one for one in _remedies(_desk("600011", mean=16, slots=10)) if one.remedy is Remedy.OPEN_SLOTS]

    assert len(found) > 1
    assert [one.day for one in found] == sorted(one.day for one in found)
    assert [one.late_before for one in found[1:]] == [one.late_after for one in found[:-1]]
    assert found[-1].late_after < 0.5 < found[0].late_before


def test_the_effect_of_opened_slots_is_that_of_the_same_slots_in_the_rota() -> None:
    desk = _desk("600011", mean=13, slots=10)
    first = _remedies(desk)[0]
    opened = [
        datetime.combine(first.day, time(9), tzinfo=LONDON) + timedelta(minutes=45 * (place % 8))
        for place in range(first.slots)
    ]

    with_them = Desk(**vars(desk) | {"free": sorted([*desk.free, *opened])})

    assert _late(_load(with_them).days(desk.key)) == pytest.approx(first.late_after)


def test_an_office_that_lends_an_assessor_shows_its_own_loss() -> None:
    found = _remedies(
        _desk("600011", mean=16, slots=10),
        _desk("600021", mean=5, slots=10),
        _desk("600031", mean=30, slots=10),
        lenders=["600031", "600021"],
    )

    borrowed = [one for one in found if one.remedy is Remedy.BORROW_ASSESSOR]
    assert [one.from_office for one in borrowed] == ["600021"]
    assert borrowed[0].late_after < borrowed[0].late_before
    assert borrowed[0].lender_before <= borrowed[0].lender_after < 0.5
    assert 0 < borrowed[0].slots <= 8


def test_interviews_are_held_by_telephone_where_somebody_has_time() -> None:
    found = _remedies(
        _desk("600011", mean=16, slots=10),
        _desk("600041", mean=2, slots=8, channel=Channel.TELEPHONE),
        _desk("600051", mean=9, slots=3, channel=Channel.TELEPHONE),
        telephones=["600051", "600041"],
    )

    by_telephone = [one for one in found if one.remedy is Remedy.HOLD_BY_TELEPHONE]
    assert [one.from_office for one in by_telephone] == ["600041"]
    assert by_telephone[0].late_after < by_telephone[0].late_before
