"""What follows from the withdrawal of a claim: nothing more is sent, and what is held a person ends.

The order of events does not matter: a withdrawal that comes first keeps every later confirmation from making transfers.
A record that may be on its way is awaited, and asked about as ever, before it is known what a system holds.
"""

from datetime import UTC, datetime

from chassis import clock, logs
from chassis.database import Connection, Database
from chassis.errors import NotFound
from legacy_gateway.domain import WithdrawnRecord, held_of_withdrawn
from legacy_gateway.store import claims, uncarried, withdrawals

_FIRST = (datetime.min.replace(tzinfo=UTC), "")


def end_claim(conn: Connection, claim_ref: str, *, withdraw_time: datetime) -> None:
    """Keeps that the claim was withdrawn, and gives up all that is not on its way. A second call changes nothing."""
    claims.note_amendment(conn, claim_ref, version=0)
    withdrawals.record(conn, claim_ref, withdraw_time=withdraw_time)
    uncarried.drop(conn, claim_ref)
    _settle(conn, claim_ref)


def settle_all(database: Database) -> bool:
    """Looks at every withdrawal that is not settled, one transaction for each."""
    place = _FIRST
    while True:
        with database.transaction() as conn:
            found = withdrawals.unsettled_after(conn, place)
        if found is None:
            return False
        place = found
        with database.transaction() as conn:
            claims.note_amendment(conn, found[1], version=0)
            _settle(conn, found[1])


def _settle(conn: Connection, claim_ref: str) -> None:
    """Gives up what waits, and lists what systems hold once nothing is on its way any more."""
    withdrawals.give_up(conn, claim_ref, now=clock.now())
    held = held_of_withdrawn(withdrawals.transfers_of(conn, claim_ref))
    if held is None:
        return
    withdrawals.settle(conn, claim_ref, held.items(), now=clock.now())
    logs.get().info("withdrawal settled", claim_ref=claim_ref, held_by=sorted(held))


def record_removal(conn: Connection, claim_ref: str, system: str, *, by: str) -> list[WithdrawnRecord]:
    """Records that a person has ended what the system held of a withdrawn claim; gives what systems hold or held of it.

    Raises NotFound where nothing is listed.
    """
    if not withdrawals.remove(conn, claim_ref, system, by=by, now=clock.now()):
        raise NotFound(
            "NOTHING_HELD",
            "the system is not known to hold anything of this claim as withdrawn",
            metadata={"claim_ref": claim_ref, "system": system},
        )
    return withdrawals.records_of(conn, claim_ref)
