"""Delays of claims that other services tell of, interim payments, and the measure that ties emergencies to delay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from assessment.domain.emergencies import Emergencies, OfficeDay, first_day, measure, week_begins
from assessment.domain.interim import Delay, DelayCause, InterimOutcome, InterimPayment, NotRecommended, Place
from assessment.store import interim_payments, office_days
from chassis import call, clock
from chassis.database import Connection

_REASON = "interim_payment"
MOST_OFFICES = 200


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All offices asked about together, and each that had anything."""

    together: Emergencies
    offices: Sequence[Emergencies]


def hear_of_delay(conn: Connection, claim_ref: str, delay: Delay) -> None:
    """Recommends an interim payment for the claim. A transfer that stalled counts for the claim's office."""
    if not interim_payments.note_delay(conn, claim_ref, delay) or delay.cause is not DelayCause.STALLED_TRANSFER:
        return
    office = office_days.office_of_claim(conn, claim_ref)
    if office is not None:
        day = _london_day(delay.since_time)
        office_days.count(conn, OfficeDay(office_code=office, day=day, stalled_transfers=1))


def count_booking(conn: Connection, office_code: str, *, booked_time: datetime, lead_seconds: int) -> None:
    """Counts an interview that was booked, with the time from first contact to its start."""
    day = _london_day(booked_time)
    office_days.count(conn, OfficeDay(office_code=office_code, day=day, interviews=1, lead_seconds=lead_seconds))


def count_crisis_loan(conn: Connection, office_code: str, *, refused: bool) -> None:
    """Counts a decision on a crisis loan, today."""
    counted = OfficeDay(office_code=office_code, day=clock.today(), crisis_loans=1, refused=int(refused))
    office_days.count(conn, counted)


def list_interim_payments(
    conn: Connection, *, office: str | None, after: Place | None, limit: int
) -> list[InterimPayment]:
    """Claims for which an interim payment should be considered, those that wait longest first."""
    return interim_payments.waiting(conn, office=office, after=after, limit=limit)


def record_interim_payment(
    conn: Connection, claim_ref: str, *, outcome: InterimOutcome, reason: str, version: int
) -> InterimPayment:
    """Keeps what became of a recommendation. Raises NotRecommended, StaleVersion, AlreadyConsidered."""
    waiting = interim_payments.lock(conn, claim_ref)
    if waiting is None:
        raise NotRecommended(claim_ref)
    considered = waiting.considered(outcome, version=version)
    caller = call.current()
    sealed = caller.vault.cipher(conn, claim_ref).seal(reason, field=_REASON, version=considered.version)
    interim_payments.save_considered(
        conn, considered, reason=sealed, decided_by=caller.identity.subject, decided_time=clock.now()
    )
    return considered


def measured(conn: Connection, offices: Sequence[str], *, until: date) -> Measured:
    """Crisis loans beside delays in the week until this day: of these offices, or of all."""
    begun = office_days.begun(conn)
    first, parted = first_day(until, begun), week_begins(until)
    days = office_days.of_offices(conn, offices, first=first, parted=parted, last=until)
    each = [
        measure(code, of_office, until=until, begun=begun)
        for code, of_office in groupby(days, key=attrgetter("office_code"))
    ]
    each.sort(key=lambda one: (-one.rise, one.office_code))
    return Measured(together=measure("", days, until=until, begun=begun), offices=each[:MOST_OFFICES])


def _london_day(moment: datetime) -> date:
    return moment.astimezone(clock.LONDON).date()
