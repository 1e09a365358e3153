"""The rotas of the managers' rota system, published for a service under test without the door: all in one statement."""

from collections.abc import Iterable

from chassis import clock
from chassis.database import Database
from scheduling.data import load_assessors
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.store import shifts
from simulators.rotas import planning
from simulators.rotas.planning import Rota, rotas_of_offices, weeks_from

STAFFED = tuple(f"6{number:04}1" for number in range(1, 17))
"""The codes of the offices that have rotas on one machine."""


def publish(database: Database, *, weeks_ahead: int = 1, offices: Iterable[str] = STAFFED) -> None:
    """Publishes this week and those ahead for every assessor of the offices who has no shift to come."""
    now, weeks = clock.now(), weeks_from(clock.today(), ahead=weeks_ahead)
    meets = {assessor.assessor_id: assessor.meets for assessor in load_assessors()}
    with database.transaction() as conn:
        rows = conn.execute("SELECT DISTINCT assessor_id FROM shifts WHERE end_time > %s", [now])
        have = {row["assessor_id"] for row in rows}
        rotas = [rota for code in offices for rota in rotas_of_offices()[code] if rota.assessor_id not in have]
        planned = (
            shift_of(rota, shift, meets[rota.assessor_id])
            for rota in rotas
            for week in weeks
            for shift in rota.shifts(week)
        )
        shifts.insert(conn, [shift for shift in planned if shift.end_time > now])


def shift_of(rota: Rota, shift: planning.Shift, skills: frozenset[str]) -> Shift:
    """A shift of the stand-in's plan as one of scheduling's."""
    return Shift(
        assessor_id=rota.assessor_id,
        office_code=rota.office_code,
        start_time=shift.start,
        end_time=shift.end,
        channel=Channel(shift.channel),
        skills=skills,
    )
