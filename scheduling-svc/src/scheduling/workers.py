"""The workers: what the service does by itself, each in steps."""

from datetime import timedelta

from chassis.database import Database
from chassis.workers import Worker
from scheduling.domain.directory import Directory
from scheduling.service import changes, demand, offers, pruning, replanning, waiting, watch
from scheduling.service.pruning import Kept

_PAUSE_SECONDS = 1.0
"""Short, because the clock can be moved by days."""
_PRUNING_PAUSE_SECONDS = 60.0
_HOLDS_PAUSE_SECONDS = 10.0
_HOLDS_AT_ONCE = 200
_LOAD_PAUSE_SECONDS = 5.0


def breach_worker(directory: Directory, database: Database, *, target: timedelta) -> Worker:
    """Tells of claims whose target passes without a booking."""

    def step() -> bool:
        with database.transaction() as conn:
            return changes.tell_of_breaches(conn, directory, target=target)

    return Worker("target_breaches", step, pause_seconds=_PAUSE_SECONDS)


def pruning_worker(database: Database, kept: Kept) -> Worker:
    """Deletes what is over, a part a step."""

    def step() -> bool:
        with database.transaction() as conn:
            return pruning.prune(conn, kept)

    return Worker("history", step, pause_seconds=_PRUNING_PAUSE_SECONDS)


def demand_worker(directory: Directory, database: Database) -> Worker:
    """Counts the interviews booked on each day that is over, and learns from them."""

    def step() -> bool:
        with database.transaction() as conn:
            return demand.keep_up(conn, directory)

    return Worker("demand", step, pause_seconds=_PAUSE_SECONDS)


def holds_worker(database: Database) -> Worker:
    """Deletes holds that are nobody's any more."""

    def step() -> bool:
        with database.transaction() as conn:
            return offers.prune(conn, number=_HOLDS_AT_ONCE)

    return Worker("holds", step, pause_seconds=_HOLDS_PAUSE_SECONDS)


def replanning_worker(directory: Directory, database: Database) -> Worker:
    """Moves what a long absence or closure left for later steps: each a transaction of its own."""

    def step() -> bool:
        with database.transaction() as conn:
            return replanning.replan_next(conn, directory)

    return Worker("replanning", step, pause_seconds=_PAUSE_SECONDS)


def waiting_worker(directory: Directory, database: Database) -> Worker:
    """Gives freed slots to those who wait for an earlier one."""
    return Worker("waiting_list", lambda: waiting.give_out(database, directory), pause_seconds=_PAUSE_SECONDS)


def load_worker(directory: Directory, database: Database, *, target: timedelta) -> Worker:
    """Measures offices, and tells of breaches that are likely soon."""

    def step() -> bool:
        with database.transaction() as conn:
            return watch.measure_next(conn, directory, target=target)

    return Worker("load", step, pause_seconds=_LOAD_PAUSE_SECONDS)
