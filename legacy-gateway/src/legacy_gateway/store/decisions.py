"""Claims that wait for a decision, and decisions. Call `claims.note_amendment` first, where something changes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from chassis.database import Connection, Row
from legacy_gateway.domain import System
from legacy_gateway.domain.decisions import Decision, DecisionBasis, DecisionOutcome, Undecided, UndecidedPlace

ADD = """
    -- A claim that its system holds whole waits for a decision, unless it was decided before, or withdrawn.
    INSERT INTO undecided (claim_ref, scheme, system, legacy_ref, confirmed_time, accepted_time, deadline_time)
    SELECT %(claim_ref)s, %(scheme)s, %(system)s, %(legacy_ref)s, %(confirmed_time)s, %(accepted_time)s, %(deadline_time)s
    WHERE NOT EXISTS (SELECT FROM decisions WHERE claim_ref = %(claim_ref)s AND scheme = %(scheme)s)
        AND NOT EXISTS (SELECT FROM withdrawals WHERE claim_ref = %(claim_ref)s)
    ON CONFLICT DO NOTHING
"""

PAGE = """
    -- Undecided claims of these schemes behind a place, those first that were accepted first.
    SELECT found.* FROM unnest(%(schemes)s::text[]) AS of_scheme, LATERAL (
        SELECT * FROM undecided
        WHERE scheme = of_scheme AND accepted_time < %(before)s
            AND (accepted_time, claim_ref) >= (%(accepted_time)s, %(claim_ref)s)
            AND (accepted_time, claim_ref, scheme) > (%(accepted_time)s, %(claim_ref)s, %(scheme)s)
        ORDER BY accepted_time, claim_ref LIMIT %(limit)s
    ) AS found
    ORDER BY accepted_time, claim_ref, scheme LIMIT %(limit)s
"""

TAKE = """
    -- A claim that waits for a decision waits no more.
    DELETE FROM undecided WHERE claim_ref = %s AND scheme = %s
"""

DROP = """
    -- A withdrawn claim waits for no decision.
    DELETE FROM undecided WHERE claim_ref = %s
"""

ADD_DECISION = """
    -- A decision, or a new version of one.
    INSERT INTO decisions (claim_ref, scheme, version, outcome, basis, from_day, to_day, decided_by, decided_time)
    VALUES (%(claim_ref)s, %(scheme)s, %(version)s, %(outcome)s, %(basis)s, %(from_day)s, %(to_day)s, %(decided_by)s,
        %(decided_time)s)
"""

OF_CLAIM = """
    -- Every version of the decisions on a claim.
    SELECT * FROM decisions WHERE claim_ref = %s ORDER BY scheme, version DESC
"""

COUNTS = """
    -- How many claims of each scheme wait for a decision.
    SELECT scheme, count(*) AS count FROM undecided GROUP BY scheme
"""

ACCEPTED = """
    -- Of each phase that a system holds of a claim, the transfer that was accepted last.
    SELECT DISTINCT ON (phase) transfers.* FROM transfers
    WHERE claim_ref = %s AND system = %s AND state = 'ACCEPTED' ORDER BY phase, generation DESC
"""

_FIRST = UndecidedPlace(accepted_time=datetime.min.replace(tzinfo=UTC), claim_ref="", scheme="")


def add(conn: Connection, undecided: Undecided) -> None:
    """Lists a claim as undecided, unless it is listed, was decided or was withdrawn."""
    conn.execute(ADD, asdict(undecided))


def page(
    conn: Connection,
    schemes: Sequence[str],
    *,
    older_than: datetime | None,
    after: UndecidedPlace | None,
    limit: int,
) -> list[Undecided]:
    """Undecided claims of these schemes behind a place, those first that were accepted first."""
    values = asdict(after or _FIRST) | {
        "schemes": list(schemes),
        "before": older_than or datetime.max.replace(tzinfo=UTC),
        "limit": limit,
    }
    return [Undecided(**row | {"system": System(row["system"])}) for row in conn.execute(PAGE, values).fetchall()]


def take(conn: Connection, claim_ref: str, scheme: str) -> bool:
    """Takes a claim off the list for a scheme; says whether it was on it."""
    return conn.execute(TAKE, [claim_ref, scheme]).rowcount == 1


def drop(conn: Connection, claim_ref: str) -> None:
    """Takes a withdrawn claim off the list."""
    conn.execute(DROP, [claim_ref])


def add_decision(conn: Connection, decision: Decision) -> None:
    """Adds a decision, or a new version of one."""
    conn.execute(ADD_DECISION, asdict(decision))


def of_claim(conn: Connection, claim_ref: str) -> list[Decision]:
    """Every version of the decisions on a claim, by scheme, the newest of each first."""
    return [_decision(row) for row in conn.execute(OF_CLAIM, [claim_ref]).fetchall()]


def counts(conn: Connection) -> list[Row]:
    """Rows of scheme and count: the claims that wait for a decision."""
    return conn.execute(COUNTS).fetchall()


def accepted(conn: Connection, claim_ref: str, system: System) -> list[Row]:
    """Rows of the transfers that a system holds of a claim, one for each phase."""
    return conn.execute(ACCEPTED, [claim_ref, system]).fetchall()


def _decision(row: Row) -> Decision:
    basis = DecisionBasis(row["basis"]) if row["basis"] else None
    return Decision(**row | {"outcome": DecisionOutcome(row["outcome"]), "basis": basis})
