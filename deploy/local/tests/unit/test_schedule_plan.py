"""The planner: moves that lower the breaches to expect, reckoned by scheduling's domain and written as rotas."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from chassis.clock import LONDON
from cms_local.rotas import COLUMNS, read
from cms_local.schedule.plan.command import monday_after, shown
from cms_local.schedule.plan.moves import Kind, Move, Rotas
from cms_local.schedule.plan.planning import Plan, Planner, late_of
from cms_local.schedule.plan.region import BadRegion, Region, desks_of
from cms_local.schedule.plan.writing import text_of
from scheduling.data import load_offices
from scheduling.domain.load import DeskKey
from scheduling.domain.offices import Channel
from scheduling.domain.working_time import TARGET

FRIDAY, MONDAY = date(2026, 7, 3), date(2026, 7, 6)
NOW = datetime(2026, 7, 3, 17, tzinfo=UTC)
LEEDS, BRADFORD, SHEFFIELD = "600021", "600191", "600171"
"""Bradford is within reach of those who live in Leeds; Sheffield is not, but its assessors can be lent there."""
SHIFT = "09:00,12:00"


def region(other: str = BRADFORD) -> Region:
    return Region.of(f"{LEEDS},{other}", load_offices())


def answer(day_loads: dict[str, tuple[int, int, float]]) -> dict[str, Any]:
    """GetOfficeLoad's: by channel, each working day of the week and of the one after has these slots, free ones and demand."""
    days = [MONDAY + timedelta(days=number) for number in (0, 1, 2, 3, 4, 7, 8)]
    return {
        "demandDispersion": 1.0,
        "days": [
            {
                "day": {"year": day.year, "month": day.month, "day": day.day},
                "channels": [
                    {"channel": channel, "capacity": slots, "booked": slots - free, "free": free, "forecast": demand}
                    for channel, (slots, free, demand) in day_loads.items()
                ],
            }
            for day in days
        ],
    }


def rotas(*lines: str, busy: frozenset[tuple[str, date]] = frozenset()) -> Rotas:
    return Rotas.of(read("\n".join([",".join(COLUMNS), *lines])), monday=MONDAY, busy=busy)


def of_office(code: str, *assessors: str, channel: str = "OFFICE", days: int = 5) -> list[str]:
    return [
        f"{assessor},{code},{MONDAY + timedelta(days=number)},{SHIFT},{channel},,"
        for assessor in assessors
        for number in range(days)
    ]


Loads = dict[str, tuple[int, int, float]]
SHORT: Loads = {"CHANNEL_OFFICE": (8, 8, 11.0)}
EASY: Loads = {"CHANNEL_OFFICE": (20, 20, 4.0)}


def planner(of: Rotas, leeds: Loads, others: Loads, *, other: str = BRADFORD) -> Planner:
    desks = desks_of({LEEDS: answer(leeds), other: answer(others)}, region(other), last=MONDAY + timedelta(days=4))
    return Planner(region=region(other), rotas=of, desks=desks, now=NOW, target=TARGET)


def test_assessors_are_lent_to_an_office_that_is_short_and_fewer_are_late() -> None:
    short = planner(rotas(*of_office(SHEFFIELD, "A1", "A2", "A3")), SHORT, EASY, other=SHEFFIELD)

    found = short.plan(seconds=20, opened=0)

    assert {(move.kind, move.after.desk.office_code) for move in found.moves} == {(Kind.LEND, LEEDS)}
    assert found.late_after < found.late_before / 2
    assert late_of(short.load(found.moves)) == pytest.approx(found.late_after)


def test_a_day_more_is_opened_no_more_often_than_may_be() -> None:
    short = planner(rotas(*of_office(LEEDS, "A1", "A2", "A3", days=2)), SHORT, SHORT)

    found = short.plan(seconds=20, opened=2)

    assert [move.kind for move in found.moves if move.kind is Kind.OPEN] == [Kind.OPEN] * 2
    assert found.late_after < found.late_before - 1
    assert late_of(short.load(found.moves)) == pytest.approx(found.late_after)
    assert {move.after.day.isoweekday() for move in found.moves} <= {1, 2, 3, 4, 5}


def test_an_assessor_is_put_on_the_telephone_where_the_telephone_is_short() -> None:
    loads = {"CHANNEL_OFFICE": (24, 24, 4.0), "CHANNEL_TELEPHONE": (2, 2, 6.0)}
    short = planner(rotas(*of_office(LEEDS, "A1", "A2", "A3")), loads, EASY)

    found = short.plan(seconds=20, opened=0)

    assert {move.kind for move in found.moves} == {Kind.CHANNEL}
    assert found.late_after < found.late_before / 2
    assert len({move.who for move in found.moves}) == len(found.moves)


def test_nobody_with_an_interview_or_kept_for_emergencies_is_moved() -> None:
    busy = frozenset({("A1", MONDAY)})
    lines = [*of_office(LEEDS, "A1", days=1), f"A2,{LEEDS},{MONDAY},{SHIFT},OFFICE,,1"]

    moves = list(rotas(*lines, busy=busy).moves(region()))

    assert {move.kind for move in moves} == {Kind.OPEN}
    assert all(work.emergency_slots == 0 for move in moves for work in move.after.work)


def test_a_plan_is_never_worse_than_no_move() -> None:
    easy = planner(rotas(*of_office(LEEDS, "A1"), *of_office(BRADFORD, "A2")), EASY, EASY)

    assert easy.plan(seconds=20, opened=5).moves == []


def test_a_plan_says_when_the_limit_ended_it() -> None:
    short = planner(rotas(*of_office(LEEDS, "A1", days=2)), SHORT, SHORT)

    found = short.plan(seconds=0, opened=5)

    assert found.ended_by_time
    assert (found.moves, found.late_after) == ([], found.late_before)
    assert "the limit of 0 s ended the search" in shown(found, short, seconds=0).told


def test_a_lent_assessor_leaves_one_office_before_the_other_gets_them() -> None:
    of = rotas(*of_office(BRADFORD, "A1", days=1), f"A2,{BRADFORD},{MONDAY},13:00,15:15,TELEPHONE,POLISH,")
    lent = next(one for one in of.moves(region()) if one.kind is Kind.LEND)
    plan = Plan(moves=[lent], late_before=2.0, late_after=1.0, ended_by_time=False)

    left, gained = read(text_of(of, plan.moves))

    assert (left.assessor_id, left.office_code, left.shifts, left.weeks) == ("A1", BRADFORD, [], {MONDAY})
    assert (gained.assessor_id, gained.office_code) == ("A1", LEEDS)
    assert gained.shifts[0]["start"] == datetime.combine(MONDAY, time(9), tzinfo=LONDON).isoformat()


def test_the_rest_of_a_moved_assessors_week_stays_as_it_is() -> None:
    of = rotas(f"A2,{LEEDS},{MONDAY},13:00,15:15,OFFICE,POLISH,", f"A2,{LEEDS},2026-07-07,09:00,12:00,OFFICE,,2")
    [moved] = [one for one in of.moves(region()) if one.kind is Kind.CHANNEL]

    [rota] = read(text_of(of, [moved]))

    assert [(shift["channel"], shift["skills"], shift["emergencySlots"]) for shift in rota.shifts] == [
        ("CHANNEL_TELEPHONE", ["POLISH"], 0),
        ("CHANNEL_OFFICE", [], 2),
    ]


def test_an_office_has_no_more_assessors_than_rooms() -> None:
    full = [f"A{number}" for number in range(region().offices[LEEDS].rooms)]
    of = rotas(*of_office(LEEDS, *full, days=1), *of_office(SHEFFIELD, "B1", days=1))
    short = planner(of, {"CHANNEL_OFFICE": (1, 1, 30.0)}, EASY, other=SHEFFIELD)

    found = short.plan(seconds=20, opened=0)

    assert not any(_to_leeds(move) for move in found.moves)


@pytest.mark.parametrize("text", ["", "60002", "600021,Leeds", "699999", "ZZ"])
def test_what_names_no_region_is_refused(text: str) -> None:
    with pytest.raises(BadRegion):
        Region.of(text, load_offices())


def test_a_region_is_named_by_postcode_areas() -> None:
    found = Region.of("ls, 600191", load_offices())

    assert {LEEDS, BRADFORD} <= set(found.offices)
    assert all(office.postcode.startswith("LS") for code, office in found.offices.items() if code != BRADFORD)


def test_next_week_begins_on_monday() -> None:
    assert monday_after(FRIDAY) == MONDAY
    assert monday_after(MONDAY) == MONDAY + timedelta(weeks=1)


def _to_leeds(move: Move) -> bool:
    return move.after.desk == DeskKey(office_code=LEEDS, channel=Channel.OFFICE)
