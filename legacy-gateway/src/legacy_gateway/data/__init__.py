"""Dated rules as data: how long a decision may take, scheme by scheme, by the day on which the claim was confirmed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec

from chassis.bank_holidays import Nation
from chassis.clock import LONDON
from chassis.deadlines import within_working_days

_FILE = Path(__file__).with_name("decision_targets.toml")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts": "from"}):
    """Working days to decide, by scheme, for claims confirmed on this day or later."""

    starts: date
    working_days: dict[str, int]


class _Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    targets: list[Target]


def deadline_of(scheme: str, *, confirmed_time: datetime) -> datetime:
    """When the decision on a claim is due that was confirmed then. KeyError for a scheme that has no target."""
    day = confirmed_time.astimezone(LONDON).date()
    return within_working_days(_working_days(scheme, day), Nation.ENGLAND).deadline(confirmed_time)


def _working_days(scheme: str, day: date) -> int:
    """The target of that day; of a day before all targets, the first one's."""
    known = [target for target in targets() if scheme in target.working_days]
    in_force = [target for target in known if target.starts <= day]
    found: Mapping[str, int] = (in_force[-1] if in_force else known[0]).working_days if known else {}
    return found[scheme]


@cache
def targets() -> Sequence[Target]:
    """The targets, the oldest first."""
    found = msgspec.toml.decode(_FILE.read_bytes(), type=_Targets).targets
    return sorted(found, key=lambda target: target.starts)
