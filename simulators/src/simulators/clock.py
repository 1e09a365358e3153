"""The stand-ins' clock: real time, moved by the platform's offset file."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.errors import ConfigurationError

LONDON = ZoneInfo("Europe/London")


class Clock:
    """Tells the time. The offset file, when it exists, holds the seconds to add; it is read at every question."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """The time in UTC. Raises ConfigurationError when the offset file holds no number."""
        return datetime.now(UTC) + timedelta(seconds=self._offset())

    def today(self) -> date:
        """The day in London, which is what dates of receipt go by."""
        return london_day(self.now())

    def _offset(self) -> float:
        if self._offset_file is None or not self._offset_file.exists():
            return 0.0
        try:
            return float(self._offset_file.read_text())
        except ValueError as error:
            raise ConfigurationError("the clock's offset file holds no number of seconds") from error


def london_day(moment: datetime) -> date:
    """The day in London at this moment."""
    return moment.astimezone(LONDON).date()
