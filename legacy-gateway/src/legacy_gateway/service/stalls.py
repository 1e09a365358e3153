"""Telling of transfers that are in a state for longer than its deadline: once for each stay in a state."""

from chassis import clock, logs, outbox
from chassis.database import Database
from chassis.deadlines import Deadline
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2
from legacy_gateway.deadlines import OF_TRANSFERS
from legacy_gateway.store import stalls


def tell_stalled(database: Database) -> bool:
    """Tells of the stalls that are new, one transaction for each deadline; says whether there may be more."""
    more = [_tell(database, deadline) for deadline in OF_TRANSFERS]
    return any(more)


def _tell(database: Database, deadline: Deadline) -> bool:
    with database.transaction() as conn:
        found = stalls.note_new(conn, deadline.query, state=deadline.state, cut_off=deadline.cut_off(clock.now()))
        for row in found:
            event = events_pb2.TransferStalled(
                system=number_of(common_pb2.System, row["system"]),
                transfer_id=row["transfer_id"],
                state=deadline.state,
                owner=deadline.owner,
            )
            outbox.append(conn, claim_ref=row["claim_ref"], version=row["claim_version"], event=event)
    if found:
        logs.get().warning("transfers stalled", state=deadline.state, count=len(found), owner=deadline.owner)
    return len(found) == stalls.MOST_AT_ONCE
