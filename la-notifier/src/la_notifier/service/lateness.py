"""Telling of notices that are late: in a state for longer than their channel allows. Each is told once for a state."""

from chassis import clock, logs, outbox
from chassis.conversions import date_message
from chassis.database import Database
from chassis.deadlines import Deadline
from cms.notifier.v1 import events_pb2
from la_notifier.deadlines import OF_NOTICES
from la_notifier.store import late, rests


def tell_late(database: Database) -> bool:
    """Tells of the notices that have become late, one transaction for each deadline; says whether there may be more.

    An authority for which nothing is open is not away any more.
    """
    with database.transaction() as conn:
        rests.end_idle(conn)
    more = [_tell(database, deadline) for deadline in OF_NOTICES]
    return any(more)


def _tell(database: Database, deadline: Deadline) -> bool:
    state = deadline.state.partition("_")[0]  # the channel is the version's own
    with database.transaction() as conn:
        found = late.note_new(conn, deadline.query, state=state, cut_off=deadline.cut_off(clock.now()))
        for row in found:
            event = events_pb2.NoticeLate(
                notice_id=str(row["notice_id"]),
                notice_version=row["version"],
                authority_code=row["authority_code"],
                state=deadline.state,
                owner=deadline.owner,
                at_stake_on=date_message(row["at_stake_on"]) if row["at_stake_on"] else None,
            )
            outbox.append(conn, claim_ref=row["claim_ref"], version=row["version"], event=event)
    if found:
        logs.get().warning("notices late", state=deadline.state, count=len(found), owner=deadline.owner)
    return len(found) == late.MOST_AT_ONCE
