"""Days that pass: each life goes on when its day has come, and a day ends when all is quiet."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from chassis import clock
from tests.weeks.claimants import works
from tests.weeks.lives import Life

_OPENING = time(9)
_CALLERS = 8


@dataclass(frozen=True, kw_only=True)
class Day:
    """The work of offices on every working day: `opens` is done before the first call, `closes` after the last one."""

    opens: Callable[[date], object]
    closes: Callable[[date], object]


def pass_days(lives: Sequence[Life], day: Day, *, first: date, last: date) -> None:
    """Lets the working days from `first` to `last` pass. AssertionError where a life goes on after that.

    Raises what a door refused with.
    """
    due: dict[date, list[tuple[Life, Iterator[date]]]] = defaultdict(list)

    def go_on(entry: tuple[Life, Iterator[date]]) -> None:
        life, days = entry
        life.acts.append(clock.now())
        come_back = next(days, None)
        if come_back is not None:
            due[come_back].append((life, days))

    for life in lives:
        go_on((life, life.days()))
    today = first
    with ThreadPoolExecutor(_CALLERS) as callers:
        while today <= last:
            if works(today):
                set_clock(today)
                day.opens(today)
                while entries := due.pop(today, []):
                    list(callers.map(go_on, entries))
                day.closes(today)
            today += timedelta(days=1)
    assert not due, f"{sum(map(len, due.values()))} claims are not at their end on {last}"


def set_clock(day: date) -> None:
    """Moves the platform's clock forward to the opening of offices on a day."""
    clock.advance(datetime.combine(day, _OPENING, tzinfo=clock.LONDON) - clock.now())
