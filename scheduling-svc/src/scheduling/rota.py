"""The worker that keeps rotas open for booking, as the platform's clock goes on."""

from datetime import date

from chassis import clock
from chassis.database import Database
from scheduling import service
from scheduling.domain.directory import OPEN_WEEKS, Directory

PAUSE_SECONDS = 1.0
"""Short, because the clock can be moved by days: then bookings soon find slots on the new days."""


class Rota:
    """Opens slots, a week at a time, when it is first asked and then whenever the day in London is another."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._day: date | None = None
        self._weeks = 0

    def step(self, database: Database) -> bool:
        """Opens the next week that is to be opened; gives whether there is one more."""
        today = clock.today()
        if today != self._day:
            self._day, self._weeks = today, 0
        if self._weeks == OPEN_WEEKS:
            return False
        with database.transaction() as conn:
            if not service.open_rotas(conn, self._directory, today, week=self._weeks):
                return False
        self._weeks += 1
        return self._weeks < OPEN_WEEKS
