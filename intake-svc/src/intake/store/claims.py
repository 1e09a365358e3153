"""Claims: the one that is asked for, those that are looked for, and what is saved of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from msgspec import Struct
from psycopg import errors

from chassis.database import Connection, Row
from chassis.errors import AlreadyExists, NotFound, Violation
from intake.domain.call import Security
from intake.domain.claim import Claim, ClaimState
from intake.store.answers import ANSWERS, LookUps, Sealed, recall_interview

# A claim with the schemes it is for, its data key, and the caller's own latest open call on it.
_CLAIM: LiteralString = """
    SELECT claims.*,
        ARRAY(SELECT scheme FROM claim_schemes AS part WHERE part.claim_ref = claims.claim_ref ORDER BY 1) AS schemes,
        data_keys.key_id, data_keys.wrapped,
        open_call.call_id, open_call.security, open_call.language AS call_language
    FROM claims LEFT JOIN data_keys ON data_keys.claim_ref = claims.claim_ref LEFT JOIN LATERAL (
        SELECT call_id, security, language FROM calls
        WHERE calls.claim_ref = claims.claim_ref AND calls.operator = %(caller)s AND ended IS NULL
        ORDER BY started DESC LIMIT 1
    ) AS open_call ON true
"""

_THIS_CLAIM = _CLAIM + " WHERE claims.claim_ref = %(claim_ref)s"

_THIS_CLAIM_HELD = _THIS_CLAIM + " FOR UPDATE OF claims"

# The open claim of a person in a scheme.
_OPEN_CLAIM = "SELECT claim_ref FROM claim_schemes WHERE nino_lookup = %s AND scheme = ANY(%s) AND open LIMIT 1"

_INSERT_CLAIM = """
    INSERT INTO claims (claim_ref, state, version, language, first_contact_time, first_contact_recorded,
        operator, operator_grade)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""

_INSERT_SCHEMES = """
    INSERT INTO claim_schemes (claim_ref, scheme, nino_lookup, open)
    SELECT %s, scheme, %s, true FROM unnest(%s::text[]) AS given (scheme)
"""

# The office of the claim's interview; of two bookings the later one stays.
_RECORD_BOOKING = """
    UPDATE claims
    SET office_code = %(office_code)s, appointment_id = %(appointment_id)s, booked_time = %(booked_time)s
    WHERE claim_ref = %(claim_ref)s
        AND (booked_time IS NULL OR (booked_time, appointment_id) < (%(booked_time)s, %(appointment_id)s))
"""


class OpenCall(Struct, frozen=True, kw_only=True):
    """The caller's own open call on a claim."""

    call_id: UUID
    security: Security
    language: str


class Booking(Struct, frozen=True, kw_only=True):
    """An appointment of a claim: the office that holds it, and when it was booked."""

    appointment_id: str
    office_code: str
    booked_time: datetime


class Search(Struct, frozen=True, kw_only=True):
    """Which claims to list, newest first; what is None does not matter. `after` is where the last page ended."""

    look_ups: LookUps
    state: str | None
    office: str | None
    after: tuple[datetime, str] | None
    limit: int


def load_claim(conn: Connection, claim_ref: str, *, caller: str) -> tuple[Claim, OpenCall | None]:
    """A claim and the caller's open call on it. Raises NotFound."""
    row = conn.execute(_THIS_CLAIM, {"claim_ref": claim_ref, "caller": caller}).fetchone()
    if row is None:
        raise _no_claim(claim_ref)
    return _claim(row), _open_call(row)


def load_claim_to_change(
    conn: Connection, claim_ref: str, *, caller: str, version: int
) -> tuple[Claim, OpenCall | None, Sealed]:
    """A claim, held until the transaction ends, and its answers as they stood at a version: one round trip.

    The answers are a statement of their own, because it has to look only when the claim is held; where this service
    remembers them, it is not sent. Raises NotFound.
    """
    remembered = recall_interview(conn, claim_ref, version=version)
    with conn.pipeline():
        claims = conn.execute(_THIS_CLAIM_HELD, {"claim_ref": claim_ref, "caller": caller})
        answers = None if remembered is not None else conn.execute(ANSWERS, [claim_ref, version])
    row = claims.fetchone()
    if row is None:
        raise _no_claim(claim_ref)
    sealed = Sealed(data_key=row, answers=answers.fetchall() if answers else [], remembered=remembered)
    return _claim(row), _open_call(row), sealed


def _no_claim(claim_ref: str) -> NotFound:
    return NotFound("NO_CLAIM", "there is no such claim", metadata={"claim_ref": claim_ref})


def find_open_claim(conn: Connection, nino_lookup: bytes, schemes: Sequence[str]) -> str | None:
    """The reference of the open claim for the NINO and one of the schemes, if there is one."""
    row = conn.execute(_OPEN_CLAIM, [nino_lookup, list(schemes)]).fetchone()
    return row["claim_ref"] if row else None


def find_claims(conn: Connection, search: Search, *, caller: str) -> list[tuple[Claim, OpenCall | None]]:
    """Claims, newest first, each with the caller's open call on it."""
    wanted: list[tuple[LiteralString, object]] = [
        (
            "claims.claim_ref IN (SELECT claim_ref FROM claim_schemes WHERE nino_lookup = %(nino)s)",
            search.look_ups.nino,
        ),
        ("claims.person_lookup = %(person)s", search.look_ups.person),
        ("claims.postcode_lookup = %(postcode)s", search.look_ups.postcode),
        ("claims.state = %(state)s", search.state),
        ("claims.office_code = %(office)s", search.office),
        ("(claims.first_contact_time, claims.claim_ref) < (%(after_time)s, %(after_ref)s)", search.after),
    ]
    where = " AND ".join(condition for condition, value in wanted if value is not None)
    order: LiteralString = " ORDER BY claims.first_contact_time DESC, claims.claim_ref DESC LIMIT %(limit)s"
    after_time, after_ref = search.after or (None, None)
    parameters = {
        "caller": caller,
        "nino": search.look_ups.nino,
        "person": search.look_ups.person,
        "postcode": search.look_ups.postcode,
        "state": search.state,
        "office": search.office,
        "after_time": after_time,
        "after_ref": after_ref,
        "limit": search.limit,
    }
    rows = conn.execute(_CLAIM + " WHERE " + where + order, parameters).fetchall()
    return [(_claim(row), _open_call(row)) for row in rows]


def insert_claim(conn: Connection, claim: Claim, look_ups: LookUps) -> None:
    """A new claim. Raises AlreadyExists (`OPEN_CLAIM`) where the NINO has an open one for the scheme."""
    conn.execute(
        _INSERT_CLAIM,
        [
            claim.claim_ref,
            claim.state,
            claim.version,
            claim.language,
            claim.first_contact_time,
            claim.first_contact_recorded,
            claim.operator,
            claim.operator_grade,
        ],
    )
    try:
        conn.execute(_INSERT_SCHEMES, [claim.claim_ref, look_ups.nino, list(claim.schemes)])
    except errors.UniqueViolation as cause:
        raise _open_claim_exists(cause) from None


def move_nino(conn: Connection, claim_ref: str, nino_lookup: bytes | None) -> None:
    """Has the claim found by another NINO, or by none. Raises AlreadyExists (`OPEN_CLAIM`) as `insert_claim` does."""
    try:
        conn.execute("UPDATE claim_schemes SET nino_lookup = %s WHERE claim_ref = %s", [nino_lookup, claim_ref])
    except errors.UniqueViolation as cause:
        raise _open_claim_exists(cause) from None


def save_submission(conn: Connection, claim: Claim) -> None:
    """A claim that was submitted, at commit."""
    conn.at_commit(
        "UPDATE claims SET state = %s, version = %s, submit_time = %s WHERE claim_ref = %s",
        [claim.state, claim.version, claim.submit_time, claim.claim_ref],
    )


def record_booking(conn: Connection, claim_ref: str, booking: Booking) -> None:
    """The claim's office, unless a later booking is known. Raises NotFound."""
    parameters = {
        "claim_ref": claim_ref,
        "office_code": booking.office_code,
        "appointment_id": booking.appointment_id,
        "booked_time": booking.booked_time,
    }
    if conn.execute(_RECORD_BOOKING, parameters).rowcount == 0:
        known = conn.execute("SELECT 1 FROM claims WHERE claim_ref = %s", [claim_ref]).fetchone()
        if known is None:
            raise _no_claim(claim_ref)


def _open_claim_exists(cause: errors.UniqueViolation) -> Exception:
    if cause.diag.constraint_name != "one_open_claim":
        return cause
    taken = Violation(field="nino", description="belongs to another open claim: start a call with it")
    return AlreadyExists("OPEN_CLAIM", "an open claim for this scheme has this nino", violations=[taken])


def _claim(row: Row) -> Claim:
    return Claim(
        claim_ref=row["claim_ref"],
        schemes=tuple(row["schemes"]),
        state=ClaimState(row["state"]),
        version=row["version"],
        language=row["language"],
        first_contact_time=row["first_contact_time"],
        submit_time=row["submit_time"],
        evidence_complete_time=row["evidence_complete_time"],
        first_contact_recorded=row["first_contact_recorded"],
        operator=row["operator"],
        operator_grade=row["operator_grade"],
        office_code=row["office_code"],
    )


def _open_call(row: Row) -> OpenCall | None:
    if row["call_id"] is None:
        return None
    return OpenCall(call_id=row["call_id"], security=Security(row["security"]), language=row["call_language"])
