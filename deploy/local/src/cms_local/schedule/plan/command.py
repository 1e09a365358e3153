"""`cms schedule plan`: asks, plans, and says what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis import clock
from cms_local.layout import Layout
from cms_local.rotas import BadRota, read
from cms_local.schedule.plan.asking import ask
from cms_local.schedule.plan.moves import Kind, Move, Rotas
from cms_local.schedule.plan.planning import Plan, Planner
from cms_local.schedule.plan.region import BadRegion, Region, desks_of
from cms_local.schedule.plan.writing import text_of
from scheduling.data import load_offices
from scheduling.domain.working_time import ONE_DAY, TARGET

__all__ = ["BadRegion", "Planned", "plan"]
_TOLD = {
    Kind.LEND: "works at {after}",
    Kind.CHANNEL: "is on the telephone",
    Kind.OPEN: "works a day more",
}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan as it is shown: the moves as rows, the file's text, a sentence, and the same for a program."""

    moves: Sequence[dict[str, str]]
    text: str
    told: str
    summary: dict[str, Any]


def plan(layout: Layout, region_text: str, rotas_text: str, *, seconds: float, opened: int) -> Planned:
    """Plans next week. Raises BadRegion, BadRota, Refused, httpx.TransportError."""
    region, written = Region.of(region_text, load_offices()), read(rotas_text)
    monday = monday_after(clock.today())
    asked = ask(layout, region, monday=monday)
    rotas = Rotas.of(written, monday=monday, busy=asked.busy)
    if not rotas.days:
        raise BadRota(f"there is no shift in the week of {monday}")
    planner = Planner(
        region=region,
        rotas=rotas,
        desks=desks_of(asked.loads, region, last=monday + 4 * ONE_DAY),
        now=clock.now(),
        target=TARGET,
    )
    return shown(planner.plan(seconds=seconds, opened=opened), planner, seconds=seconds)


def monday_after(today: date) -> date:
    """The Monday of next week."""
    return today + timedelta(days=7 - today.weekday())


def shown(found: Plan, planner: Planner, *, seconds: float) -> Planned:
    """The plan for a person and for a program."""
    rows = [_row(move, planner.region) for move in sorted(found.moves, key=lambda one: (one.after.day, one.who))]
    told = (
        f"week of {planner.rotas.monday}, {len(planner.region.offices)} offices: {len(rows)} moves; "
        f"claimants not seen in time, expected until its end: {found.late_before:.1f} before, {found.late_after:.1f} after"
    )
    ended = f"; the limit of {seconds:g} s ended the search" if found.ended_by_time else ""
    summary = {
        "week": f"{planner.rotas.monday}",
        "offices": sorted(planner.region.offices),
        "moves": rows,
        "breaches_before": round(found.late_before, 2),
        "breaches_after": round(found.late_after, 2),
        "ended_by_time": found.ended_by_time,
    }
    return Planned(moves=rows, text=text_of(planner.rotas, found.moves), told=told + ended, summary=summary)


def _row(move: Move, region: Region) -> dict[str, str]:
    before, after = move.before or move.after, move.after
    told = _TOLD[move.kind].format(after=region.offices[after.desk.office_code].name)
    if move.kind is Kind.CHANNEL and after.desk.channel.value == "OFFICE":
        told = "sees claimants at the office"
    return {
        "day": f"{after.day:%a %d %b}",
        "assessor": after.assessor_id,
        "of": region.offices[before.desk.office_code].name,
        "move": told,
        "slots": str(len(after.starts)),
    }
