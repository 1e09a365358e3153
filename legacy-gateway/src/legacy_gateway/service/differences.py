"""The use cases of staff: a balance now, the list of differences, and the closing of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from chassis import clock
from chassis.database import Connection, Database
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from legacy_gateway.deadlines import OF_DIFFERENCES
from legacy_gateway.domain import Balance, Closing, DifferenceState, NotFed, ShownDifference, System
from legacy_gateway.service.reconciling import balance
from legacy_gateway.store import balances, differences, lost_records
from legacy_gateway.systems import RULES

_FIRST_DAY = date(2000, 1, 1)
MOST_SHOWN = 500
"""The most differences of each side that a balance shows; the list has all."""


FIRST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""The place before every difference."""


@dataclass(frozen=True, kw_only=True)
class ShownBalance:
    """A balance as staff see it. `compared`: when the lists of the last whole comparison began to be read, by real time."""

    balance: Balance
    missing_there: Sequence[ShownDifference]
    unknown_here: Sequence[ShownDifference]
    compared: datetime | None


def balance_now(database: Database, system: System, day: date) -> ShownBalance:
    """The balance of a day as it stands, with its differences."""
    with database.transaction() as conn:
        missing = differences.of_day(conn, system, day, missing=True, limit=MOST_SHOWN)
        unknown = differences.of_day(conn, system, day, missing=False, limit=MOST_SHOWN)
        compared = balances.run_time(conn, system, day)
    return ShownBalance(
        balance=balance(database, system, day), missing_there=missing, unknown_here=unknown, compared=compared
    )


def page(conn: Connection, system: System | None, *, after: tuple[datetime, UUID], limit: int) -> list[ShownDifference]:
    """Differences that are not closed, of one system or of all, the oldest first."""
    return differences.page(conn, system, after=after, limit=limit)


def deadline_of(shown: ShownDifference) -> tuple[datetime | None, str]:
    """When somebody should have seen to a difference, and the role that has to; of a closed one neither."""
    if shown.state is DifferenceState.CLOSED:
        return None, "UNSPECIFIED"
    deadline = OF_DIFFERENCES[shown.state]
    return deadline.cut_off.deadline(shown.since), deadline.owner


def request(conn: Connection, system: System, day: date) -> datetime:
    """Asks for the balance of a day now; gives the real time of the request.

    FailedPrecondition for a day to come, and for a system that no release feeds yet; InvalidArgument for a day before this
    century.
    """
    if day > clock.today():
        raise FailedPrecondition("DAY_TO_COME", "the day has not begun", metadata={"date": day.isoformat()})
    if day < _FIRST_DAY:
        raise InvalidArgument.of(Violation(field="date", description="is before the platform"))
    if system not in RULES:
        raise NotFed(system)
    return balances.request(conn, system, day)


def is_answered(conn: Connection, system: System, day: date, *, asked: datetime) -> bool:
    """Whether a run of the day began since it was asked for and is whole, and the system was asked about what is missing."""
    begun = balances.run_time(conn, system, day)
    return begun is not None and begun >= asked and not differences.any_not_asked(conn, system, day)


def close(conn: Connection, difference_id: UUID, reason: Closing, *, by: str) -> ShownDifference:
    """Closes a difference for a reason, and its transfer with it.

    Raises NotFound, FailedPrecondition unless a person is to look at it, InvalidArgument where the reason does not fit.
    """
    found = differences.locked(conn, difference_id)
    if found is None:
        raise NotFound("DIFFERENCE", "no such difference", metadata={"difference_id": str(difference_id)})
    state = found.closed(reason)
    if state is not None:
        lost_records.from_clerical(conn, found.transfer_id, state, now=clock.now())
    now = clock.now()
    differences.close(conn, difference_id, by=by, reason=reason, now=now)
    return replace(found, state=DifferenceState.CLOSED, closed_time=now, closed_by=by, closing_reason=reason)
