"""Changes in order: what amendments make of a claim's transfers at each system, and the withdrawal of first phases.

Everything that decides about a claim holds the lock of the claim's row (`claims.note_amendment`) and those of its transfers at
the system. A sender that settles one of them holds that one alone, so that each either sees the other's work or is seen.
"""

from datetime import UTC, datetime

from chassis import clock, logs
from chassis.database import Connection, Database
from legacy_gateway import mapping
from legacy_gateway.domain import Result, Rules, System
from legacy_gateway.domain.changes import Course, Fed, decide, decide_anew
from legacy_gateway.service import breakers
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import changes, claims, first_phases, withdrawals
from legacy_gateway.systems import RULES

_BEFORE_ALL = (datetime.min.replace(tzinfo=UTC), "", "")


def take_turn(conn: Connection, claim_ref: str, system: System) -> Course:
    """Decides about a claim's amendments at a system, and does it. It may be asked at any time, and does nothing twice.

    Call `claims.note_amendment` first. Nothing follows from a claim that was withdrawn.
    """
    if withdrawals.withdraw_time_of(conn, claim_ref) is not None:
        return Course.NOTHING
    rules = RULES[system]
    decision = decide(changes.locked_entries(conn, claim_ref, system), _fed(conn, claim_ref, rules), rules)
    changes.apply(conn, claim_ref, system, decision, phases=rules.phases)
    if decision.course is not Course.NOTHING:
        logs.get().info(
            "amendment", claim_ref=claim_ref, system=system, course=decision.course, claim_version=decision.version
        )
    return decision.course


def send_anew(conn: Connection, claim_ref: str, system: System) -> None:
    """Another record of the same version goes in the place of a refused one, as a correction does.

    Call `claims.note_amendment` first. psycopg's UniqueViolation where another record of the claim is on its way there.
    """
    decision = decide_anew(changes.locked_entries(conn, claim_ref, system))
    changes.apply(conn, claim_ref, system, decision, phases=RULES[system].phases)


def take_turns(database: Database) -> bool:
    """Looks at every held change whose turn has come, one transaction for each."""
    place: changes.Place | None = _BEFORE_ALL
    while place is not None:
        with database.transaction() as conn:
            place = changes.next_turn(conn, place)
        if place is not None:
            with database.transaction() as conn:
                claims.note_amendment(conn, place[1], version=0)
                take_turn(conn, place[1], System(place[2]))
    return False


def withdraw_first_phase(resources: Resources) -> bool:
    """Withdraws the first phase that is due for longest from its system; says whether one was due.

    A withdrawal may be repeated, so a process that ends before it stores the answer does no harm. A system that does not know
    the phase, long enough after it accepted it, has lost it, which comes to the same. Where it says that the phase is used,
    our ledger is wrong: a person looks.
    """
    with resources.database.transaction() as conn:
        due = first_phases.take(conn, seconds=resources.lease_seconds)
    if due is None:
        return False
    answer = resources.systems[due.system].withdraw(due.transfer_id)
    accepted_seconds = (clock.now() - due.since).total_seconds()
    is_lost = answer.result is Result.NOT_KNOWN and resources.waits.is_final(RULES[due.system], accepted_seconds)
    is_gone = answer.result is Result.HELD or is_lost
    with resources.database.transaction() as conn:
        if is_gone:
            claims.note_amendment(conn, due.claim_ref, version=0)
            first_phases.give_up(conn, due.transfer_id, now=clock.now())
            take_turn(conn, due.claim_ref, due.system)
        elif answer.result is Result.REFUSED:
            first_phases.put_off(conn, due.transfer_id, wait_seconds=None)
        else:
            wait = max(answer.retry_after_seconds, resources.waits.back_off(due.setbacks))
            first_phases.put_off(conn, due.transfer_id, wait_seconds=wait)
        breakers.note(conn, resources, due.system, answer)
    logs.get().info(
        "first phase withdrawn" if is_gone else "first phase not withdrawn",
        transfer_id=due.transfer_id,
        claim_ref=due.claim_ref,
        system=due.system,
        result=answer.result,
        reason=answer.reason,
    )
    return True


def _fed(conn: Connection, claim_ref: str, rules: Rules) -> Fed:
    """The phases of a system that each amendment of a claim feeds: all of them, where it is not known what it changed."""
    phases = range(1, rules.phases + 1)
    feeding = {phase: mapping.feeding(rules.system, phase) for phase in phases}
    return {
        version: [phase for phase in phases if facts is None or facts & feeding[phase]]
        for version, facts in changes.amendments(conn, claim_ref).items()
    }
