"""Claims: loading one, finding many, and saving what changed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import errors

from chassis.database import Connection, Row
from chassis.errors import AlreadyExists, NotFound, Text, Violation
from chassis.vault import ClaimCipher
from intake.domain import problems
from intake.domain.call import OpenCall, Security
from intake.domain.claim import Booking, Channel, Claim, ClaimState, Withdrawal, WithdrawalCause
from intake.domain.earlier import EarlierClaim
from intake.domain.search import LookUps, Search
from intake.store.answers import ANSWERS

# A claim with the schemes it is for, its data key, and the caller's own latest open call on it.
_CLAIM: LiteralString = """
    SELECT claims.*,
        ARRAY(SELECT scheme FROM claim_schemes AS part WHERE part.claim_ref = claims.claim_ref ORDER BY 1) AS schemes,
        data_keys.key_id, data_keys.wrapped,
        open_call.call_id, open_call.security, open_call.language AS call_language, open_call.earlier_passed
    FROM claims LEFT JOIN data_keys ON data_keys.claim_ref = claims.claim_ref LEFT JOIN LATERAL (
        SELECT call_id, security, language, earlier_passed FROM calls
        WHERE calls.claim_ref = claims.claim_ref AND calls.operator = %(caller)s AND ended IS NULL
        ORDER BY started DESC LIMIT 1
    ) AS open_call ON true
"""

CLAIM = _CLAIM + " WHERE claims.claim_ref = %(claim_ref)s"

CLAIM_LOCKED = CLAIM + " FOR UPDATE OF claims"

VERSION = "SELECT version FROM claims WHERE claim_ref = %s"

CHANNEL = "SELECT channel FROM claims WHERE claim_ref = %s"

# Finds the open claim of a person in a scheme; of several the latest.
OPEN_CLAIM = """
    SELECT claim_ref FROM claim_schemes JOIN claims USING (claim_ref)
    WHERE nino_lookup = %s AND scheme = ANY(%s) AND open
    ORDER BY first_contact_time DESC, claim_ref DESC LIMIT 1
"""

# Finds an earlier claim of a person: of several the latest that was submitted, otherwise the latest.
EARLIER_CLAIM = """
    SELECT claims.claim_ref FROM claim_schemes JOIN claims USING (claim_ref)
    WHERE nino_lookup = %s AND claims.claim_ref <> %s AND state <> 'DRAFT'
    ORDER BY submit_time IS NULL, first_contact_time DESC, claims.claim_ref DESC LIMIT 1
"""

# Links a claim to an earlier one. Security that a call has passed is about the one before alone; tries that were taken stay
# taken, so that giving another NINO and the first one again brings no new ones. (LEAST passes over nulls.)
SAVE_EARLIER = """
    WITH passed_before AS (
        UPDATE calls SET earlier_passed = false WHERE claim_ref = %(claim_ref)s AND earlier_passed
            AND %(earlier_ref)s::text IS DISTINCT FROM (SELECT earlier_ref FROM claims WHERE claim_ref = %(claim_ref)s)
    )
    UPDATE claims SET earlier_ref = %(earlier_ref)s, earlier_questions = %(questions)s,
        earlier_tries_left = LEAST(%(tries_left)s, earlier_tries_left)
    WHERE claim_ref = %(claim_ref)s
"""

INSERT_CLAIM = """
    INSERT INTO claims (claim_ref, catalogue, state, version, language, first_contact_time, first_contact_recorded,
        operator, operator_grade, channel)
    VALUES (%(claim_ref)s, %(catalogue)s, %(state)s, %(version)s, %(language)s, %(first_contact_time)s,
        %(first_contact_recorded)s, %(operator)s, %(operator_grade)s, %(channel)s)
"""

INSERT_SCHEMES = """
    INSERT INTO claim_schemes (claim_ref, scheme, nino_lookup, open)
    SELECT %s, scheme, %s, true FROM unnest(%s::text[]) AS given (scheme)
"""

MOVE_NINO = "UPDATE claim_schemes SET nino_lookup = %s WHERE claim_ref = %s"

SAVE_SUBMISSION = "UPDATE claims SET state = %s, version = %s, submit_time = %s WHERE claim_ref = %s"

# Saves a withdrawal. Its schemes are open no longer, so that the person can claim them again at once, and nobody is called
# back about it.
SAVE_WITHDRAWAL = """
    WITH closed AS (
        UPDATE claim_schemes SET open = false WHERE claim_ref = %(claim_ref)s
    ), settled AS (
        UPDATE calls SET has_later_call = true WHERE claim_ref = %(claim_ref)s AND NOT has_later_call
    )
    UPDATE claims SET state = %(state)s, version = %(version)s, withdraw_time = %(at)s, last_live_time = %(at)s,
        withdraw_cause = %(cause)s,
        withdraw_reason = %(reason)s, withdrawn_by = %(by)s
    WHERE claim_ref = %(claim_ref)s
"""

# Notes that a scheme of a claim is decided, once.
NOTE_DECIDED = "UPDATE claim_schemes SET decided = true WHERE claim_ref = %s AND scheme = %s AND NOT decided"

DECIDED = "SELECT scheme FROM claim_schemes WHERE claim_ref = %s AND decided"

# Closes a claim. Its schemes are open no longer, so that the person can claim them again at once.
SAVE_CLOSING = """
    WITH closed AS (
        UPDATE claim_schemes SET open = false WHERE claim_ref = %(claim_ref)s
    )
    UPDATE claims SET state = %(state)s, version = %(version)s, last_live_time = %(at)s WHERE claim_ref = %(claim_ref)s
"""

# Saves when all evidence was in; of two times the later one stays.
SAVE_EVIDENCE_COMPLETE = """
    UPDATE claims SET evidence_complete_time = greatest(evidence_complete_time, %(at)s) WHERE claim_ref = %(claim_ref)s
"""

# Saves the office and the assessor of the claim's interview; of two bookings the later one stays.
SAVE_BOOKING = """
    UPDATE claims
    SET office_code = %(office_code)s, assessor_id = %(assessor_id)s, appointment_id = %(appointment_id)s,
        booked_time = %(booked_time)s
    WHERE claim_ref = %(claim_ref)s
        AND (booked_time IS NULL OR (booked_time, appointment_id) < (%(booked_time)s, %(appointment_id)s))
"""

# Conditions of a search, by the parameter that each needs. Keyset paging: each page begins where the last one ended.
_CONDITIONS: dict[str, LiteralString] = {
    "nino": "claims.claim_ref IN (SELECT claim_ref FROM claim_schemes WHERE nino_lookup = %(nino)s)",
    "person": "claims.person_lookup = %(person)s",
    "postcode": "claims.postcode_lookup = %(postcode)s",
    "state": "claims.state = %(state)s",
    "office": "claims.office_code = %(office)s",
    "after_time": "(claims.first_contact_time, claims.claim_ref) < (%(after_time)s, %(after_ref)s)",
}
_NEWEST_FIRST: LiteralString = " ORDER BY claims.first_contact_time DESC, claims.claim_ref DESC LIMIT %(limit)s"


@dataclass(frozen=True, kw_only=True)
class ClaimFound:
    """A claim as one caller finds it: with their own open call on it, and the wrapped data key of its answers."""

    claim: Claim
    open_call: OpenCall | None
    earlier: EarlierClaim | None
    data_key: Row

    @property
    def erased(self) -> bool:
        """Whether its answers cannot be read any more."""
        return self.data_key["erased_time"] is not None

    def withdrawal(self, cipher: ClaimCipher) -> Withdrawal | None:
        """How it was withdrawn; None where it was not."""
        row = self.data_key
        if row["withdraw_time"] is None:
            return None
        return Withdrawal(
            at=row["withdraw_time"],
            by=row["withdrawn_by"],
            cause=WithdrawalCause(row["withdraw_cause"]),
            reason=str(cipher.open(row["withdraw_reason"], field="withdraw_reason", version=self.claim.version)),
        )


def load_claim(conn: Connection, claim_ref: str, *, caller: str) -> ClaimFound:
    """A claim with the caller's open call on it. Raises NotFound."""
    return _the_claim(conn.execute(CLAIM, {"claim_ref": claim_ref, "caller": caller}).fetchone(), claim_ref)


def claim_version(conn: Connection, claim_ref: str) -> int:
    """The claim's version. Raises NotFound."""
    row = conn.execute(VERSION, [claim_ref]).fetchone()
    if row is None:
        raise _no_claim(claim_ref)
    return int(row["version"])


def load_channel(conn: Connection, claim_ref: str) -> Channel:
    """The way in which a claim came. Raises NotFound."""
    row = conn.execute(CHANNEL, [claim_ref]).fetchone()
    if row is None:
        raise _no_claim(claim_ref)
    return Channel(row["channel"])


def lock_claim(conn: Connection, claim_ref: str, *, caller: str, version: int) -> tuple[ClaimFound, Iterable[Row]]:
    """Does what `load_claim` does, and loads the answers at a version as well, in one trip to the database.

    Nobody else can change the claim until the transaction ends.
    """
    with conn.pipeline():
        claim = conn.execute(CLAIM_LOCKED, {"claim_ref": claim_ref, "caller": caller})
        answers = conn.execute(ANSWERS, [claim_ref, version])
    return _the_claim(claim.fetchone(), claim_ref), answers


def find_open_claim(conn: Connection, nino_lookup: bytes, schemes: Sequence[str]) -> str | None:
    """The reference of the open claim for the NINO and one of the schemes, if there is one."""
    row = conn.execute(OPEN_CLAIM, [nino_lookup, list(schemes)]).fetchone()
    return row["claim_ref"] if row else None


def find_earlier_claim(conn: Connection, nino_lookup: bytes, *, than: str) -> str | None:
    """The reference of another claim for the NINO that was submitted, closed or withdrawn; None where there is none."""
    row = conn.execute(EARLIER_CLAIM, [nino_lookup, than]).fetchone()
    return row["claim_ref"] if row else None


def save_earlier(conn: Connection, claim_ref: str, earlier: EarlierClaim | None) -> None:
    """Links a claim to an earlier one, or takes the link away.

    Where it is another one than before, security is to be passed again, with no more tries than are left.
    """
    link = {
        "earlier_ref": earlier.claim_ref if earlier else None,
        "questions": list(earlier.questions) if earlier else None,
        "tries_left": earlier.tries_left if earlier else None,
    }
    conn.execute(SAVE_EARLIER, link | {"claim_ref": claim_ref})


def lock_tries(conn: Connection, claim_ref: str, *, caller: str) -> ClaimFound:
    """Does what `load_claim` does, and keeps others from trying security questions about it meanwhile. Raises NotFound."""
    return _the_claim(conn.execute(CLAIM_LOCKED, {"claim_ref": claim_ref, "caller": caller}).fetchone(), claim_ref)


def find_claims(conn: Connection, search: Search, *, caller: str) -> list[ClaimFound]:
    """Claims that match, newest first, each with the caller's open call on it."""
    query, parameters = claims_query(search, caller=caller)
    return [_claim_found(row) for row in conn.execute(query, parameters)]


def claims_query(search: Search, *, caller: str) -> tuple[LiteralString, dict[str, object]]:
    """The query for one page of a search, and its parameters."""
    after_time, after_ref = search.after or (None, None)
    narrowing = asdict(search.look_ups) | {"state": search.state, "office": search.office, "after_time": after_time}
    where = " AND ".join(condition for name, condition in _CONDITIONS.items() if narrowing[name] is not None)
    parameters = narrowing | {"after_ref": after_ref, "caller": caller, "limit": search.limit}
    return _CLAIM + " WHERE " + where + _NEWEST_FIRST, parameters


def insert_claim(conn: Connection, claim: Claim, look_ups: LookUps) -> None:
    """Inserts a new claim. Raises AlreadyExists (`OPEN_CLAIM`) where the NINO has an open one for the scheme."""
    conn.execute(INSERT_CLAIM, asdict(claim))
    try:
        conn.execute(INSERT_SCHEMES, [claim.claim_ref, look_ups.nino, list(claim.schemes)])
    except errors.UniqueViolation as cause:
        raise open_claim_exists(cause) from None


def move_nino(conn: Connection, claim_ref: str, nino_lookup: bytes | None) -> None:
    """Changes the NINO by which the claim is found. Raises AlreadyExists (`OPEN_CLAIM`) as `insert_claim` does."""
    try:
        conn.execute(MOVE_NINO, [nino_lookup, claim_ref])
    except errors.UniqueViolation as cause:
        raise open_claim_exists(cause) from None


def save_submission(conn: Connection, claim: Claim) -> None:
    """Saves a claim that was submitted."""
    conn.execute(SAVE_SUBMISSION, [claim.state, claim.version, claim.submit_time, claim.claim_ref])


def save_withdrawal(conn: Connection, cipher: ClaimCipher, claim: Claim, withdrawal: Withdrawal) -> None:
    """Saves a claim that was withdrawn. The reason is sealed, and its schemes can be claimed again."""
    sealed = cipher.seal(withdrawal.reason, field="withdraw_reason", version=claim.version)
    changed = {"claim_ref": claim.claim_ref, "state": claim.state, "version": claim.version, "reason": sealed}
    conn.execute(SAVE_WITHDRAWAL, asdict(withdrawal) | changed)


def note_decided(conn: Connection, claim_ref: str, scheme: str) -> Collection[str]:
    """Notes that a scheme of a claim is decided; gives all that are."""
    conn.execute(NOTE_DECIDED, [claim_ref, scheme])
    return {row["scheme"] for row in conn.execute(DECIDED, [claim_ref]).fetchall()}


def save_closing(conn: Connection, claim: Claim, *, at: datetime) -> None:
    """Saves a claim that was closed. Its schemes can be claimed again."""
    changed = {"claim_ref": claim.claim_ref, "state": claim.state, "version": claim.version, "at": at}
    conn.execute(SAVE_CLOSING, changed)


def save_evidence_complete(conn: Connection, claim_ref: str, *, at: datetime) -> None:
    """Saves when all evidence was in, unless a later time is known. Raises NotFound."""
    if conn.execute(SAVE_EVIDENCE_COMPLETE, {"claim_ref": claim_ref, "at": at}).rowcount == 0:
        raise _no_claim(claim_ref)


def save_booking(conn: Connection, claim_ref: str, booking: Booking) -> None:
    """Saves the claim's office, unless a later booking is known. Raises NotFound."""
    if conn.execute(SAVE_BOOKING, {"claim_ref": claim_ref, **asdict(booking)}).rowcount == 0:
        known = conn.execute("SELECT 1 FROM claims WHERE claim_ref = %s", [claim_ref]).fetchone()
        if known is None:
            raise _no_claim(claim_ref)


def _the_claim(row: Row | None, claim_ref: str) -> ClaimFound:
    if row is None:
        raise _no_claim(claim_ref)
    return _claim_found(row)


def _no_claim(claim_ref: str) -> NotFound:
    return NotFound("NO_CLAIM", "there is no such claim", metadata={"claim_ref": claim_ref})


def open_claim_exists(
    cause: errors.UniqueViolation, *, field: str = "nino", text: Text = problems.NINO_TAKEN
) -> Exception:
    """The refusal of a second open claim, which names the field; the cause itself where another constraint is broken."""
    if cause.diag.constraint_name != "one_open_claim":
        return cause
    taken = Violation.of(field, text)
    return AlreadyExists("OPEN_CLAIM", "an open claim for this scheme has this nino", violations=[taken])


def _claim_found(row: Row) -> ClaimFound:
    return ClaimFound(claim=_claim(row), open_call=_open_call(row), earlier=_earlier(row), data_key=row)


def _claim(row: Row) -> Claim:
    return Claim(
        claim_ref=row["claim_ref"],
        schemes=tuple(row["schemes"]),
        catalogue=row["catalogue"],
        state=ClaimState(row["state"]),
        version=row["version"],
        language=row["language"],
        first_contact_time=row["first_contact_time"],
        submit_time=row["submit_time"],
        evidence_complete_time=row["evidence_complete_time"],
        first_contact_recorded=row["first_contact_recorded"],
        crisis_loan_requested=row["crisis_loan_requested"],
        operator=row["operator"],
        operator_grade=row["operator_grade"],
        office_code=row["office_code"],
        appointment_id=row["appointment_id"],
        assessor_id=row["assessor_id"],
        channel=Channel(row["channel"]),
    )


def _open_call(row: Row) -> OpenCall | None:
    if row["call_id"] is None:
        return None
    return OpenCall(call_id=row["call_id"], security=Security(row["security"]), language=row["call_language"])


def _earlier(row: Row) -> EarlierClaim | None:
    if row["earlier_ref"] is None:
        return None
    return EarlierClaim(
        claim_ref=row["earlier_ref"],
        questions=tuple(row["earlier_questions"]),
        tries_left=row["earlier_tries_left"],
        passed=bool(row["earlier_passed"]),
    )
