"""The calls that a switch would have counted: the same for the same seed, whenever it is asked."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulators.clock import LONDON

QUARTER = timedelta(minutes=15)
# The share of a day's calls by the hour in London, from eight in the morning; the rest of the day is closed.
_HOURS = {8: 5, 9: 11, 10: 13, 11: 12, 12: 9, 13: 9, 14: 10, 15: 9, 16: 8, 17: 6, 18: 5, 19: 3}
# Mondays are the busiest; at weekends nobody answers and nothing is counted.
_DAYS = {0: 1.25, 1: 1.05, 2: 1.0, 3: 0.9, 4: 0.8}


class Counts(BaseModel):
    """Calls of the quarter of an hour that began at `start`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: AwareDatetime
    offered: int = Field(ge=0)
    answered: int = Field(ge=0)
    abandoned: int = Field(ge=0)
    answered_within_target: int = Field(ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "Counts":
        if self.start != quarter_of(self.start):
            raise ValueError("start is not the beginning of a quarter of an hour")
        if self.answered + self.abandoned > self.offered or self.answered_within_target > self.answered:
            raise ValueError("a part is larger than its whole")
        return self


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour in which the moment lies."""
    return moment - timedelta(seconds=moment.timestamp() % QUARTER.total_seconds())


def quarters(since: datetime, until: datetime) -> Iterator[datetime]:
    """The beginnings of the quarters of an hour that are over by `until`, from the one in which `since` lies."""
    start = quarter_of(since)
    while start + QUARTER <= until:
        yield start
        start += QUARTER


def counted(start: datetime, *, calls_per_day: int, seed: int) -> Counts:
    """The counts of the quarter that begins at `start`, of a centre with so many calls on a middling day."""
    local = start.astimezone(LONDON)
    mean = calls_per_day * _DAYS.get(local.weekday(), 0) * _HOURS.get(local.hour, 0) / sum(_HOURS.values()) / 4
    source = random.Random(f"{seed}|{start.timestamp():.0f}")
    offered = max(0, round(source.gauss(mean, mean**0.5)))
    answered = round(offered * source.uniform(0.9, 0.98))
    within = round(answered * source.uniform(0.7, 0.9))
    return Counts(
        start=start,
        offered=offered,
        answered=answered,
        abandoned=offered - answered,
        answered_within_target=within,
    )
