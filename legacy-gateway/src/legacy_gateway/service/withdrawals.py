"""The consequences of a claim's withdrawal: nothing more is sent, and what is held is ended.

The gateway itself withdraws a first phase whose second was never held. A whole claim only a person can end.

The order of events does not matter: a withdrawal that comes first keeps every later confirmation from making transfers.
A record that may be on its way is awaited, and asked about as ever, before it is known what a system holds.
"""

from datetime import UTC, datetime

from chassis import clock, logs
from chassis.database import Connection, Database
from chassis.errors import CmsError, NotFound
from legacy_gateway.domain import HalfClaim, Result, SystemAnswer, WithdrawnRecord, held_of_withdrawn
from legacy_gateway.service import breakers
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import claims, decisions, uncarried, withdrawals
from legacy_gateway.systems import RULES

_OURSELVES = "legacy-gateway"
_WITHDRAWN = "WITHDRAWN"
_FIRST = (datetime.min.replace(tzinfo=UTC), "")


def end_claim(conn: Connection, claim_ref: str, *, withdraw_time: datetime) -> None:
    """Keeps that the claim was withdrawn, and gives up all that is not on its way. A second call changes nothing."""
    claims.note_amendment(conn, claim_ref, version=0)
    withdrawals.record(conn, claim_ref, withdraw_time=withdraw_time)
    uncarried.drop(conn, claim_ref)
    decisions.drop(conn, claim_ref)
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
    # A record accepted while the withdrawal was being heard was listed as undecided beside it.
    decisions.drop(conn, claim_ref)
    withdrawals.settle(conn, claim_ref, held.items(), now=clock.now())
    logs.get().info("withdrawal settled", claim_ref=claim_ref, held_by=sorted(held))


def withdraw_half(resources: Resources) -> bool:
    """Withdraws the half claim that is due for longest from its system; says whether one was due.

    A withdrawal may be repeated, so a process that ends before it stores the answer does no harm. Where the system says
    that it holds the whole claim, our ledger is wrong, and a person looks. A phase that it does not know for good it has lost.
    Nothing is withdrawn on an event's word: intake is asked first, and where it does not call the claim withdrawn, a person
    looks.
    """
    with resources.database.transaction() as conn:
        half = withdrawals.take_half(conn, seconds=resources.lease_seconds)
    if half is None:
        return False
    if not _is_vouched_for(resources, half):
        return True
    answer = _withdrawn(resources, half)
    with resources.database.transaction() as conn:
        if answer.result is Result.HELD:
            withdrawals.remove(conn, half.claim_ref, half.system, by=_OURSELVES, now=clock.now())
        elif answer.result is Result.REFUSED:
            withdrawals.put_off_half(conn, half, wait_seconds=None)
        else:
            wait = max(answer.retry_after_seconds, resources.waits.back_off(half.setbacks))
            withdrawals.put_off_half(conn, half, wait_seconds=wait)
        breakers.note(conn, resources, half.system, answer)
    logs.get().info(
        "half claim withdrawn" if answer.result is Result.HELD else "half claim not withdrawn",
        claim_ref=half.claim_ref,
        system=half.system,
        result=answer.result,
        reason=answer.reason,
    )
    return True


def _is_vouched_for(resources: Resources, half: HalfClaim) -> bool:
    """Whether intake calls the claim withdrawn. If not, a person looks; if it cannot be asked, the half claim is put off."""
    wait: float | None = None
    try:
        state = resources.intake.state(half.claim_ref)
    except CmsError as error:
        state, wait = error.reason, resources.waits.back_off(half.setbacks)
    if state == _WITHDRAWN:
        return True
    with resources.database.transaction() as conn:
        withdrawals.put_off_half(conn, half, wait_seconds=wait)
    logs.get().warning("withdrawal not vouched for", claim_ref=half.claim_ref, system=half.system, reason=state)
    return False


def _withdrawn(resources: Resources, half: HalfClaim) -> SystemAnswer:
    """The answer to the last withdrawal that was tried. A change restores what it replaced, so that goes after it."""
    answer = SystemAnswer(result=Result.HELD)
    for transfer_id in half.transfer_ids:
        answer = resources.systems[half.system].withdraw(transfer_id)
        held_seconds = (clock.now() - half.since).total_seconds()
        if answer.result is Result.NOT_KNOWN and resources.waits.is_final(RULES[half.system], held_seconds):
            answer = SystemAnswer(result=Result.HELD)
        if answer.result is not Result.HELD:
            break
    return answer


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
