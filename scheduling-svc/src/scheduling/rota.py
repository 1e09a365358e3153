"""The worker that keeps rotas open for booking, as the platform's clock goes on."""

from datetime import date

from chassis import clock
from chassis.database import Database
from scheduling import service
from scheduling.domain.directory import Directory

PAUSE_SECONDS = 1.0
"""Short, because the clock can be moved by days: then bookings soon find slots on the new days."""


class Rota:
    """Opens slots when it is first asked and then whenever the day in London is another."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._opened_on: date | None = None

    def step(self, database: Database) -> bool:
        """Opens what is to be opened; there is never more to do at once."""
        today = clock.today()
        if today != self._opened_on:
            with database.transaction() as conn:
                done = service.open_rotas(conn, self._directory, today)
            self._opened_on = today if done else None
        return False
