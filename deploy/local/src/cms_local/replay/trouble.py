"""The disasters of the week, beside the failures of single attempts: when each comes, by a seed."""

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from cms_local.layout import Layout
from cms_local.platform import Platform

GATEWAY = "legacy-gateway"
KILLS = 10
_DAY = 24.0
_TUESDAY, _WEDNESDAY = 15.0, 39.0
"""Hours from the beginning, nine on Monday morning, to each midnight."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that goes wrong `at` so many hours after the beginning of the week."""

    at: float
    what: str
    happens: Callable[[], None]


@dataclass(kw_only=True)
class Troubles:
    """The disasters that are still to come, in their order, and those that came."""

    to_come: list[Trouble]
    came: list[Trouble] = field(default_factory=list)

    def happen(self, hours: float) -> None:
        """Lets everything happen that is due at this hour."""
        while self.to_come and self.to_come[0].at <= hours:
            trouble = self.to_come.pop(0)
            trouble.happens()
            self.came.append(trouble)


@dataclass(frozen=True, kw_only=True)
class Outages:
    """How a system is made to go away for so many hours."""

    iscs: Callable[[float], None]
    pscs: Callable[[float], None]


def troubles(platform: Platform, outages: Outages, *, seed: int, hours: float) -> Troubles:
    """The disasters of a week whose work lasts about `hours`.

    ISCS is down for all of Tuesday and PSCS is silent for six hours of Wednesday. The gateway is killed ten times, Redis is
    emptied twice and PostgreSQL restarted once, at moments that the seed chooses.
    """
    source = random.Random(seed)

    def any_hour() -> float:
        return source.uniform(0.02, 0.8) * hours

    found = [
        Trouble(at=_TUESDAY, what="ISCS is down for a day", happens=lambda: outages.iscs(_DAY)),
        Trouble(at=_WEDNESDAY + 9, what="PSCS is silent for six hours", happens=lambda: outages.pscs(6.0)),
        Trouble(at=any_hour(), what="PostgreSQL is restarted", happens=lambda: _restart_postgres(platform)),
    ]
    found += [
        Trouble(at=any_hour(), what="Redis is emptied", happens=lambda: _empty_bus(platform.layout)) for _ in range(2)
    ]
    found += [
        Trouble(at=any_hour(), what="the gateway is killed", happens=lambda: _kill(platform)) for _ in range(KILLS)
    ]
    return Troubles(to_come=sorted(found, key=lambda trouble: trouble.at))


def _restart_postgres(platform: Platform) -> None:
    platform.stop("postgres")
    platform.start("postgres")


def _kill(platform: Platform) -> None:
    """Ends the gateway by SIGKILL and starts it again, as a supervisor does."""
    platform.stop(GATEWAY, number=signal.SIGKILL)
    platform.start(GATEWAY)


def _empty_bus(layout: Layout) -> None:
    with redis.Redis(port=layout.bus_port, socket_timeout=5.0) as bus:
        bus.flushall()
