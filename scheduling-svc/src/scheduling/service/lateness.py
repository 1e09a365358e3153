"""The times that are tried for a claimant whom no office can see in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.database import Connection
from scheduling.domain.claims import Claim
from scheduling.domain.lateness import Span, later, next_callers
from scheduling.domain.limits import Limits
from scheduling.domain.load import DeskKey
from scheduling.domain.search import Wish
from scheduling.service.search import free
from scheduling.store import demand


def times_after(
    conn: Connection, claim: Claim, wish: Wish, *, due: datetime, target: timedelta, limits: Limits
) -> Sequence[Span]:
    """The times after the target, in the order in which they are tried.

    The claimant is put behind the next callers where these are expected to need what the nearest office has. An emergency
    is not, nor is a claimant whose interview fell through: nobody is put back twice for a claim.
    """
    home = wish.offices[0].office
    if claim.is_emergency or due != claim.due(home.nation, target=target):
        return later(due, home.nation, target=target, is_deferred=False)
    level = demand.levels(conn, [home.code]).get(DeskKey(office_code=home.code, channel=wish.channel))
    if level is None:
        return later(due, home.nation, target=target, is_deferred=False)
    callers, learnt = next_callers(due, home.nation, now=limits.now, target=target), demand.learnt(conn)
    expected = [learnt.expected(day, nation=home.nation, level=level) for day in callers.days]
    here = Wish(offices=wish.offices[:1], channel=wish.channel, needs=frozenset())
    slots = free(conn, here, since=callers.span.first, until=callers.span.until, limits=limits)
    is_deferred = callers.need(sum(1 for _ in slots), expected)
    return later(due, home.nation, target=target, is_deferred=is_deferred)
