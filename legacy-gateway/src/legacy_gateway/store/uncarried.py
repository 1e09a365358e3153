"""Confirmed schemes that no system carries yet."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from chassis import tracing
from chassis.database import Connection
from legacy_gateway.domain import Confirmation, UncarriedScheme
from legacy_gateway.store.transfers import confirmation_of

ADD = """
    -- A scheme is confirmed once.
    INSERT INTO uncarried_schemes (
        claim_ref, scheme, claim_version, confirmed_time, office_code, assessor_id, traceparent
    ) VALUES (
        %(claim_ref)s, %(scheme)s, %(claim_version)s, %(confirmed_time)s, %(office_code)s, %(assessor_id)s, %(traceparent)s
    ) ON CONFLICT DO NOTHING
"""

NEXT = """
    -- The oldest confirmation of one of these schemes.
    SELECT claim_ref FROM uncarried_schemes WHERE scheme = ANY(%s) ORDER BY confirmed_time LIMIT 1
"""

TAKE = """
    -- The confirmations of these schemes of a claim, which wait no more.
    DELETE FROM uncarried_schemes WHERE claim_ref = %s AND scheme = ANY(%s) RETURNING *
"""

DROP = """
    -- Nothing may follow from a withdrawn claim.
    DELETE FROM uncarried_schemes WHERE claim_ref = %s
"""

OF_CLAIM = """
    -- The waiting schemes of a claim.
    SELECT scheme, claim_version, confirmed_time FROM uncarried_schemes WHERE claim_ref = %s ORDER BY scheme
"""

COUNT = """
    -- How many wait, by scheme.
    SELECT scheme, count(*) AS count FROM uncarried_schemes GROUP BY scheme
"""


def add(conn: Connection, confirmation: Confirmation, schemes: Iterable[str]) -> None:
    """Keeps the schemes until a system carries them; those that are kept already stay as they are."""
    values = asdict(confirmation) | {"traceparent": tracing.current()}
    for scheme in schemes:
        conn.execute(ADD, values | {"scheme": scheme})


def next_claim(conn: Connection, schemes: Collection[str]) -> str | None:
    """The claim that has waited for longest with one of these schemes; None where none waits."""
    row = conn.execute(NEXT, [list(schemes)]).fetchone()
    return row["claim_ref"] if row else None


def take(conn: Connection, claim_ref: str, schemes: Collection[str]) -> list[tuple[str, Confirmation]]:
    """Takes these schemes of a claim out: each with its confirmation. Call `claims.note_amendment` first."""
    rows = conn.execute(TAKE, [claim_ref, list(schemes)]).fetchall()
    return [(row["scheme"], confirmation_of(claim_ref, row)) for row in rows]


def drop(conn: Connection, claim_ref: str) -> None:
    """Gives up what waits of a claim."""
    conn.execute(DROP, [claim_ref])


def of_claim(conn: Connection, claim_ref: str) -> list[UncarriedScheme]:
    """The waiting schemes of a claim."""
    return [UncarriedScheme(**row) for row in conn.execute(OF_CLAIM, [claim_ref])]


def count_by_scheme(conn: Connection) -> dict[str, int]:
    """How many wait, by scheme; a scheme without any is absent."""
    return {row["scheme"]: int(row["count"]) for row in conn.execute(COUNT)}
