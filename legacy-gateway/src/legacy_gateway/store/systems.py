"""Whether each system answers, which are held, and how each does: the same for all processes."""

from datetime import datetime

from chassis.database import Connection, Row
from legacy_gateway.domain import Breaker, Gate, Hold, System, SystemCounts

GATE = """
    -- The gate before a system. A hold whose time is over still shuts it until somebody ends the hold.
    SELECT unanswered, opened_time IS NOT NULL AS is_open,
        draining_since IS NOT NULL AS is_draining,
        hold.since, hold.reason, hold.until, hold.held_by
    FROM (SELECT %(system)s AS system) AS asked
    LEFT JOIN systems USING (system)
    LEFT JOIN system_holds AS hold ON hold.system = asked.system AND hold.released_time IS NULL
"""

NOTE_UNANSWERED = """
    -- One more attempt without a readable reply; after so many in a row the breaker opens.
    INSERT INTO systems AS known (system, unanswered) VALUES (%(system)s, 1)
    ON CONFLICT (system) DO UPDATE SET
        unanswered = known.unanswered + 1,
        opened_time = CASE WHEN known.unanswered + 1 >= %(most)s THEN coalesce(known.opened_time, statement_timestamp()) END,
        next_probe_time = CASE WHEN known.unanswered + 1 >= %(most)s
            THEN coalesce(known.next_probe_time, statement_timestamp() + make_interval(secs => %(wait)s)) END,
        probes = CASE WHEN known.opened_time IS NULL THEN 0 ELSE known.probes END
    RETURNING unanswered
"""

NOTE_ANSWERED = """
    -- The system answers: nothing to write while it does, otherwise the breaker closes and what waited drains.
    UPDATE systems
    SET unanswered = 0, opened_time = NULL, next_probe_time = NULL, probes = 0,
        draining_since = CASE WHEN opened_time IS NULL THEN draining_since ELSE statement_timestamp() END,
        let_go = CASE WHEN opened_time IS NULL THEN let_go ELSE 0 END
    WHERE system = %(system)s AND unanswered > 0
    RETURNING draining_since IS NOT DISTINCT FROM statement_timestamp() AS was_open
"""

CLAIM_PROBE = """
    -- The probe that is due, for this worker alone for so long; none of a system that is held.
    UPDATE systems
    SET next_probe_time = statement_timestamp() + make_interval(secs => %(seconds)s), probes = probes + 1
    WHERE system = %(system)s AND next_probe_time <= statement_timestamp()
        AND NOT EXISTS (SELECT FROM system_holds AS hold WHERE hold.system = %(system)s AND released_time IS NULL)
    RETURNING probes
"""

PUT_OFF_PROBE = """
    -- The next probe of a system that still does not answer.
    UPDATE systems SET next_probe_time = statement_timestamp() + make_interval(secs => %(wait)s)
    WHERE system = %(system)s AND opened_time IS NOT NULL
"""

LET_GO = """
    -- One more transfer of a drain, unless as many went as may go until now: their number doubles with every step of time.
    -- When the last step is over, so is the drain.
    UPDATE systems
    SET let_go = let_go + 1, draining_since = CASE
        WHEN draining_since > statement_timestamp() - make_interval(secs => %(drain)s) THEN draining_since
    END
    WHERE system = %(system)s AND draining_since IS NOT NULL AND opened_time IS NULL
        AND let_go < floor(
            %(first)s * power(2, least(30, extract(epoch FROM statement_timestamp() - draining_since) / %(doubling)s))
        )
"""

BRING_FORWARD = """
    -- Transfers put off because the system did not answer go before later ones, oldest first.
    UPDATE transfers SET next_attempt_time = systems.draining_since - interval '1 day', may_wake_time = NULL, woken = true
    FROM systems
    WHERE systems.system = %(system)s AND transfer_id IN (
        SELECT transfer_id FROM transfers
        WHERE system = %(system)s AND may_wake_time <= statement_timestamp() AND lease_token IS NULL
        ORDER BY created LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )
"""

DRAIN = """
    -- Transfers that waited during a hold drain as they do after an outage.
    INSERT INTO systems (system, draining_since) VALUES (%(system)s, statement_timestamp())
    ON CONFLICT (system) DO UPDATE SET draining_since = statement_timestamp(), let_go = 0
"""

HOLD = """
    -- A second order replaces the reason and the end of the first.
    INSERT INTO system_holds (system, since, reason, until, held_by)
    VALUES (%(system)s, %(now)s, %(reason)s, %(until)s, %(by)s)
    ON CONFLICT (system) WHERE released_time IS NULL DO UPDATE
    SET reason = excluded.reason, until = excluded.until, held_by = excluded.held_by
"""

RELEASE = """
    -- Somebody ends a hold.
    UPDATE system_holds SET released_time = %(now)s, released_by = %(by)s
    WHERE system = %(system)s AND released_time IS NULL
"""

END_HOLD = """
    -- A hold whose time is over.
    UPDATE system_holds SET released_time = %(now)s WHERE system = %(system)s AND released_time IS NULL AND until <= %(now)s
"""

COUNTS = """
    -- Transfers under way at each system, and those accepted and refused since a time of the platform.
    SELECT system, count(*) FILTER (WHERE under_way) AS waiting, min(created) FILTER (WHERE under_way) AS oldest,
        count(*) FILTER (WHERE state = 'ACCEPTED') AS accepted, count(*) FILTER (WHERE state = 'REJECTED') AS rejected
    FROM (
        SELECT system, state, created, true AS under_way FROM transfers WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN')
        UNION ALL
        SELECT system, state, created, false FROM transfers
        WHERE state = 'REJECTED' AND NOT corrected AND updated >= %(since)s
        UNION ALL
        SELECT system, state, created, false FROM transfers WHERE state IN ('ACCEPTED', 'CANCELLED') AND updated >= %(since)s
    ) AS found
    GROUP BY system
"""

_MOST_BROUGHT_FORWARD = 1000


def gate(conn: Connection, system: System) -> Gate:
    """The gate between the waiting transfers and a system."""
    [row] = conn.execute(GATE, {"system": system}).fetchall()
    return Gate(breaker=_breaker(row), unanswered=row["unanswered"] or 0, hold=_hold(row))


def note_unanswered(conn: Connection, system: System, *, most: int, wait_seconds: float) -> int:
    """Counts an attempt without a readable reply; gives the number in a row. After `most` the breaker opens.

    `wait_seconds` is the time until the first probe.
    """
    row = conn.execute(NOTE_UNANSWERED, {"system": system, "most": most, "wait": wait_seconds}).fetchone()
    return int(row["unanswered"]) if row else 0


def note_answered(conn: Connection, system: System) -> bool:
    """Notes that a system answers; says whether that closed its breaker. Then what it kept waiting is due."""
    row = conn.execute(NOTE_ANSWERED, {"system": system}).fetchone()
    if row is None or not row["was_open"]:
        return False
    conn.execute(BRING_FORWARD, {"system": system, "most": _MOST_BROUGHT_FORWARD})
    return True


def claim_probe(conn: Connection, system: System, *, seconds: float) -> int | None:
    """The number of the probe that is due, for this worker alone for so long; None where none is due."""
    row = conn.execute(CLAIM_PROBE, {"system": system, "seconds": seconds}).fetchone()
    return int(row["probes"]) if row else None


def put_off_probe(conn: Connection, system: System, *, wait_seconds: float) -> None:
    """Sets the time of the next probe."""
    conn.execute(PUT_OFF_PROBE, {"system": system, "wait": wait_seconds})


def let_go(conn: Connection, system: System, *, first: int, doubling_seconds: float, drain_seconds: float) -> bool:
    """Whether a drain may let one more transfer go: `first` at once, and twice as many in all with every doubling."""
    values = {"system": system, "first": first, "doubling": doubling_seconds, "drain": drain_seconds}
    return conn.execute(LET_GO, values).rowcount == 1


def hold(conn: Connection, system: System, *, reason: str, until: datetime | None, by: str, now: datetime) -> None:
    """Holds a system, or changes the reason and the end of its hold."""
    conn.execute(HOLD, {"system": system, "reason": reason, "until": until, "by": by, "now": now})


def release(conn: Connection, system: System, *, by: str, now: datetime) -> bool:
    """Ends a hold, and lets drain what waited; False where the system is not held."""
    if conn.execute(RELEASE, {"system": system, "by": by, "now": now}).rowcount != 1:
        return False
    conn.execute(DRAIN, {"system": system})
    return True


def end_hold(conn: Connection, system: System, *, now: datetime) -> bool:
    """Ends a hold whose time is over, and lets drain what waited; says whether there was one."""
    if conn.execute(END_HOLD, {"system": system, "now": now}).rowcount != 1:
        return False
    conn.execute(DRAIN, {"system": system})
    return True


def counts(conn: Connection, *, since: datetime) -> list[SystemCounts]:
    """Counts the transfers under way at each system, and the outcomes since a time of the platform; none without any."""
    return [SystemCounts(**row | {"system": System(row["system"])}) for row in conn.execute(COUNTS, {"since": since})]


def _breaker(row: Row) -> Breaker:
    if row["is_open"]:
        return Breaker.OPEN
    return Breaker.DRAINING if row["is_draining"] else Breaker.CLOSED


def _hold(row: Row) -> Hold | None:
    if row["since"] is None:
        return None
    return Hold(reason=row["reason"], since=row["since"], until=row["until"], held_by=row["held_by"])
