"""The workers: one keeps rotas open for booking as the platform's clock goes on, one tells of targets that passed."""

from datetime import timedelta

from chassis.database import Database
from chassis.workers import Worker
from scheduling.domain.directory import Directory
from scheduling.service import changes
from scheduling.service.rotas import Rotas

_PAUSE_SECONDS = 1.0
"""Short, because the clock can be moved by days: then bookings soon find slots on the new days."""


def rota_worker(rotas: Rotas, database: Database) -> Worker:
    """Opens one week a step."""
    return Worker("rota", lambda: rotas.open_next_week(database), pause_seconds=_PAUSE_SECONDS)


def breach_worker(directory: Directory, database: Database, *, target: timedelta) -> Worker:
    """Tells of claims whose target passes without a booking."""

    def step() -> bool:
        with database.transaction() as conn:
            return changes.tell_of_breaches(conn, directory, target=target)

    return Worker("target_breaches", step, pause_seconds=_PAUSE_SECONDS)
