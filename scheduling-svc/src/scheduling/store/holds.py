"""Slots that are held for a call: entries of the diary without an appointment. Holds count by real time."""

from collections.abc import Collection
from datetime import datetime, timedelta

import psycopg

from chassis.database import Connection
from scheduling.domain.demand import Demand
from scheduling.domain.offices import Channel
from scheduling.domain.slots import Slot, SlotId, SlotTaken

# Takes away holds in the way that are nobody's any more. What another transaction clears is waited for by the constraint.
CLEAR_EXPIRED = """
    DELETE FROM diary WHERE entry_id IN (
        SELECT entry_id FROM diary
        WHERE appointment_id IS NULL AND assessor_id = %(assessor_id)s AND held_until <= now()
            AND tstzrange(start_time, end_time) && tstzrange(%(start_time)s, %(end_time)s)
        FOR UPDATE SKIP LOCKED
    )
"""

HOLD = """
    INSERT INTO diary (
        assessor_id, claim_ref, start_time, end_time, held_until, held_since, wanted_channel, home_office_code
    )
    VALUES (
        %(assessor_id)s, %(claim_ref)s, %(start_time)s, %(end_time)s, now() + %(held_for)s, %(held_since)s,
        %(wanted_channel)s, %(home_office_code)s
    )
    RETURNING held_until
"""

# What a claimant wanted to whom a slot was offered. It is as true after the hold has run out.
DEMAND = """
    SELECT wanted_channel, home_office_code FROM diary
    WHERE claim_ref = %s AND assessor_id = %s AND appointment_id IS NULL AND wanted_channel IS NOT NULL
        AND start_time <= %s AND end_time > %s
    LIMIT 1
"""

# Gives up what is held for a claim: of some slots, or all of it. What is being cleared by another transaction is left to it.
RELEASE = """
    DELETE FROM diary WHERE entry_id IN (
        SELECT entry_id FROM diary AS entry
        WHERE claim_ref = %(claim_ref)s AND appointment_id IS NULL
            AND (%(offered_by)s::timestamptz IS NULL OR held_since <= %(offered_by)s)
            AND (%(all)s OR EXISTS (
                SELECT 1 FROM unnest(%(assessors)s::text[], %(starts)s::timestamptz[]) AS slot (assessor_id, start)
                WHERE slot.assessor_id = entry.assessor_id AND start >= entry.start_time AND start < entry.end_time
            ))
        FOR UPDATE SKIP LOCKED
    )
    RETURNING assessor_id, start_time
"""

# Holds that are nobody's any more.
PRUNE = """
    DELETE FROM diary WHERE entry_id IN (
        SELECT entry_id FROM diary WHERE appointment_id IS NULL AND held_until <= now()
        ORDER BY held_until LIMIT %s FOR UPDATE SKIP LOCKED
    )
    RETURNING assessor_id, start_time
"""


def hold(
    conn: Connection, slot: Slot, *, claim_ref: str, demand: Demand, held_for: timedelta, at: datetime
) -> datetime:
    """Holds the slot, with the ways of a home visit, for the claim; gives until when. The slot must be locked and free.

    Raises SlotTaken.
    """
    entry = {
        "assessor_id": slot.assessor_id,
        "claim_ref": claim_ref,
        "start_time": slot.leave_time,
        "end_time": slot.return_time,
        "held_for": held_for,
        "held_since": at,
        "wanted_channel": demand.channel,
        "home_office_code": demand.home_office,
    }
    conn.execute(CLEAR_EXPIRED, entry)
    try:
        row = conn.execute(HOLD, entry).fetchone()
    except psycopg.errors.ExclusionViolation as cause:
        raise SlotTaken from cause
    held_until: datetime = row["held_until"]  # type: ignore[index]
    return held_until


def demand_of(conn: Connection, slot: Slot, *, claim_ref: str) -> Demand | None:
    """The demand that was asked for when this slot was offered for the claim; None where it was not offered."""
    row = conn.execute(DEMAND, [claim_ref, slot.assessor_id, slot.start_time, slot.start_time]).fetchone()
    return Demand(channel=Channel(row["wanted_channel"]), home_office=row["home_office_code"]) if row else None


def release(
    conn: Connection,
    claim_ref: str,
    *,
    slots: Collection[SlotId] | None = None,
    offered_by: datetime | None = None,
) -> list[SlotId]:
    """Gives up what is held for the claim: of these slots, or all of it; only what was offered by then, if that is given.

    Gives the starts that are free again.
    """
    parameters = {
        "claim_ref": claim_ref,
        "offered_by": offered_by,
        "all": slots is None,
        "assessors": [slot.assessor_id for slot in slots or ()],
        "starts": [slot.start_time for slot in slots or ()],
    }
    return [SlotId(**row) for row in conn.execute(RELEASE, parameters)]


def prune(conn: Connection, *, number: int) -> list[SlotId]:
    """Deletes at most `number` holds that are nobody's any more; gives the starts that were held."""
    return [SlotId(**row) for row in conn.execute(PRUNE, [number])]
