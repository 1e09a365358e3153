"""The worker that keeps rotas open for booking as the platform's clock goes on."""

from chassis.database import Database
from chassis.workers import Worker
from scheduling.service.rotas import Rotas

_PAUSE_SECONDS = 1.0
"""Short, because the clock can be moved by days: then bookings soon find slots on the new days."""


def rota_worker(rotas: Rotas, database: Database) -> Worker:
    """Opens one week a step."""
    return Worker("rota", lambda: rotas.open_next_week(database), pause_seconds=_PAUSE_SECONDS)
