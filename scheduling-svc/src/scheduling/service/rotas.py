"""Rotas are opened for booking a week at a time, when the service starts and whenever the day in London changes."""

from datetime import date

from chassis import clock
from chassis.database import Connection, Database
from scheduling import store
from scheduling.domain.directory import OPEN_WEEKS, Directory


class Rotas:
    """The weeks that this process has opened."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._day: date | None = None
        self._weeks = 0

    def open_next_week(self, database: Database) -> bool:
        """Opens the next week that is not open yet; gives whether one more is left."""
        today = clock.today()
        if today != self._day:
            self._day, self._weeks = today, 0
        if self._weeks == OPEN_WEEKS:
            return False
        with database.transaction() as conn:
            if not open_rotas(conn, self._directory, today, week=self._weeks):
                return False
        self._weeks += 1
        return self._weeks < OPEN_WEEKS


def open_rotas(conn: Connection, directory: Directory, today: date, *, week: int) -> bool:
    """Opens the slots of every rota for a week from today on; False where another replica opens slots now."""
    if not store.try_rota_lock(conn):
        return False
    store.open_slots(conn, directory.slots_of_week(today, week))
    return True
