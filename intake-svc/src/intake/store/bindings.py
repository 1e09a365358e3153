"""The catalogue and the schemes to which claims are, and were, bound."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from chassis.database import Connection, Row
from chassis.errors import NotFound
from intake.domain import problems
from intake.domain.claim import Claim
from intake.store.claims import open_claim_exists

# Finds the binding at a version: the first that ended after it, otherwise the present one.
BINDING = """
    SELECT catalogue, schemes FROM (
        SELECT until, catalogue, schemes FROM earlier_bindings
        WHERE claim_ref = %(claim_ref)s AND until > %(version)s
        UNION ALL
        SELECT NULL, catalogue, ARRAY(SELECT scheme FROM claim_schemes WHERE claim_ref = %(claim_ref)s ORDER BY 1)
        FROM claims WHERE claim_ref = %(claim_ref)s
    ) AS bindings
    ORDER BY until NULLS LAST LIMIT 1
"""

# Finds the binding at a time, in the same way.
BINDING_AT = """
    SELECT catalogue, schemes FROM (
        SELECT until, catalogue, schemes FROM earlier_bindings
        WHERE claim_ref = %(claim_ref)s AND changed_time > %(at)s
        UNION ALL
        SELECT NULL, catalogue, ARRAY(SELECT scheme FROM claim_schemes WHERE claim_ref = %(claim_ref)s ORDER BY 1)
        FROM claims WHERE claim_ref = %(claim_ref)s
    ) AS bindings
    ORDER BY until NULLS LAST LIMIT 1
"""

# Binds a claim to other schemes or another catalogue, and keeps what it was bound to until this version.
SAVE_BINDING = """
    WITH kept AS (
        INSERT INTO earlier_bindings (claim_ref, until, catalogue, schemes, changed_time)
        VALUES (%(claim_ref)s, %(version)s, %(earlier_catalogue)s, %(earlier_schemes)s, %(at)s)
    ), gone AS (
        DELETE FROM claim_schemes WHERE claim_ref = %(claim_ref)s AND scheme <> ALL(%(schemes)s)
    ), come AS (
        INSERT INTO claim_schemes (claim_ref, scheme, nino_lookup, open)
        SELECT %(claim_ref)s, scheme, %(nino_lookup)s, true FROM unnest(%(schemes)s::text[]) AS given (scheme)
        ON CONFLICT (claim_ref, scheme) DO NOTHING
    )
    UPDATE claims SET catalogue = %(catalogue)s WHERE claim_ref = %(claim_ref)s
"""

# Lists the catalogues in use, each found by one look into an index.
BOUND = """
    WITH RECURSIVE used AS (
        SELECT (SELECT min(catalogue) FROM claims) AS number
        UNION ALL
        SELECT (SELECT min(catalogue) FROM claims WHERE catalogue > used.number) FROM used WHERE used.number IS NOT NULL
    ), used_before AS (
        SELECT (SELECT min(catalogue) FROM earlier_bindings) AS number
        UNION ALL
        SELECT (SELECT min(catalogue) FROM earlier_bindings WHERE catalogue > used_before.number)
        FROM used_before WHERE used_before.number IS NOT NULL
    )
    SELECT number FROM used WHERE number IS NOT NULL UNION SELECT number FROM used_before WHERE number IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Returns the schemes and the catalogue with which a claim is evaluated."""

    catalogue: int
    schemes: tuple[str, ...]


def save_binding(conn: Connection, before: Claim, after: Claim, *, at: datetime, nino_lookup: bytes | None) -> None:
    """Saves the schemes and the catalogue of a draft, and what they were before.

    Raises AlreadyExists (`OPEN_CLAIM`) where another open claim of the NINO has one of the schemes.
    """
    values = {
        "claim_ref": after.claim_ref,
        "version": after.version,
        "earlier_catalogue": before.catalogue,
        "earlier_schemes": list(before.schemes),
        "catalogue": after.catalogue,
        "schemes": list(after.schemes),
        "nino_lookup": nino_lookup,
        "at": at,
    }
    try:
        conn.execute(SAVE_BINDING, values)
    except errors.UniqueViolation as cause:
        raise open_claim_exists(cause, field="schemes", text=problems.SCHEME_TAKEN) from None


def load_binding(conn: Connection, claim_ref: str, *, version: int) -> Binding:
    """The binding of a claim as it was at a version. Raises NotFound."""
    return _binding(conn.execute(BINDING, {"claim_ref": claim_ref, "version": version}).fetchone(), claim_ref)


def load_binding_at(conn: Connection, claim_ref: str, *, at: datetime) -> Binding:
    """The binding of a claim as it was at a time. Raises NotFound."""
    return _binding(conn.execute(BINDING_AT, {"claim_ref": claim_ref, "at": at}).fetchone(), claim_ref)


def load_bound_catalogues(conn: Connection) -> set[int]:
    """The numbers of the catalogues to which any claim is or was bound."""
    return {row["number"] for row in conn.execute(BOUND)}


def _binding(row: Row | None, claim_ref: str) -> Binding:
    if row is None:
        raise NotFound("NO_CLAIM", "there is no such claim", metadata={"claim_ref": claim_ref})
    return Binding(catalogue=row["catalogue"], schemes=tuple(row["schemes"]))
