"""All SQL of intake-svc. Functions take a connection; what a claimant said goes in and out by the claim's cipher."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import errors

from chassis.database import Connection, Row
from chassis.errors import AlreadyExists, NotFound, Violation
from chassis.vault import ClaimCipher
from intake.domain.call import Call, Caller, Outcome, Security
from intake.domain.claim import Claim, ClaimState
from intake.domain.interview import Answer, Answers
from intake.domain.values import JsonValue

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

# A changed claim together with the answers that changed it: one statement, one round trip.
_SAVE_CLAIM = """
    WITH given AS (
        INSERT INTO answers
            (claim_ref, question_id, version, value, record_form, answered_by, at, reason, script_version)
        SELECT %(claim_ref)s, question_id, %(version)s, value, record_form,
            %(answered_by)s, %(at)s, reason, %(script_version)s
        FROM unnest(%(names)s::text[], %(values)s::bytea[], %(record_forms)s::bytea[], %(reasons)s::bytea[])
            AS given (question_id, value, record_form, reason)
    )
    UPDATE claims SET version = %(version)s, language = %(language)s,
        first_contact_recorded = %(first_contact_recorded)s,
        person_lookup = %(person_lookup)s, postcode_lookup = %(postcode_lookup)s
    WHERE claim_ref = %(claim_ref)s
"""

# The answers that stood at a version.
_ANSWERS = """
    SELECT DISTINCT ON (question_id) question_id, version, value, record_form
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY question_id, version DESC
"""

_HISTORY = """
    SELECT question_id, version, value, answered_by, at, reason, script_version
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY version, question_id COLLATE "C"
"""

_INSERT_CALL = """
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller,
        security, security_questions, tries_left, started)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# Calls that nobody ended, the oldest first; one that is being ended now is left alone.
_FORGOTTEN_CALLS = """
    SELECT * FROM calls WHERE ended IS NULL AND started < %s ORDER BY started LIMIT 100 FOR UPDATE SKIP LOCKED
"""

_SAVE_CALL = """
    UPDATE calls SET security = %s, tries_left = %s, ended = %s, outcome = %s, call_back_time = %s WHERE call_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class OpenCall:
    """The caller's own open call on a claim."""

    call_id: UUID
    security: Security
    language: str


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A claim's answers, still encrypted, and its data key, still wrapped."""

    data_key: Row
    answers: list[Row]


@dataclass(frozen=True, kw_only=True)
class LookUps:
    """What stands for a claimant in indexes; None where the fact is not known."""

    nino: bytes | None = None
    person: bytes | None = None
    postcode: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who gave answers, when and why (empty in the interview), and the version of the script that asked."""

    by: str
    at: datetime
    reason: str
    script_version: int


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One answer, and what stood before it (None: nothing, or it had been cleared)."""

    question_id: str
    version: int
    old: JsonValue
    new: JsonValue
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which claims to list, newest first; what is None does not matter. `after` is where the last page ended."""

    look_ups: LookUps
    state: str | None
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

    The answers are a statement of their own, because it has to look only when the claim is held. Raises NotFound.
    """
    with conn.pipeline():
        claims = conn.execute(_THIS_CLAIM_HELD, {"claim_ref": claim_ref, "caller": caller})
        answers = conn.execute(_ANSWERS, [claim_ref, version])
    row = claims.fetchone()
    if row is None:
        raise _no_claim(claim_ref)
    return _claim(row), _open_call(row), Sealed(data_key=row, answers=answers.fetchall())


def _no_claim(claim_ref: str) -> NotFound:
    return NotFound("NO_CLAIM", "there is no such claim", metadata={"claim_ref": claim_ref})


def find_open_claim(conn: Connection, nino_lookup: bytes, schemes: Sequence[str]) -> str | None:
    """The reference of the open claim for the NINO and one of the schemes, if there is one."""
    row = conn.execute(_OPEN_CLAIM, [nino_lookup, list(schemes)]).fetchone()
    return row["claim_ref"] if row else None


def list_claims(conn: Connection, search: Search, *, caller: str) -> list[tuple[Claim, OpenCall | None]]:
    """Claims, newest first, each with the caller's open call on it."""
    wanted: list[tuple[LiteralString, object]] = [
        (
            "claims.claim_ref IN (SELECT claim_ref FROM claim_schemes WHERE nino_lookup = %(nino)s)",
            search.look_ups.nino,
        ),
        ("claims.person_lookup = %(person)s", search.look_ups.person),
        ("claims.postcode_lookup = %(postcode)s", search.look_ups.postcode),
        ("claims.state = %(state)s", search.state),
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


def save_answers(
    conn: Connection, cipher: ClaimCipher, claim: Claim, changed: Answers, *, origin: Origin, look_ups: LookUps
) -> None:
    """A claim with the answers that made its version. Append-only: what stood before stays."""
    conn.execute(
        _SAVE_CLAIM,
        {
            "claim_ref": claim.claim_ref,
            "version": claim.version,
            "language": claim.language,
            "first_contact_recorded": claim.first_contact_recorded,
            "person_lookup": look_ups.person,
            "postcode_lookup": look_ups.postcode,
            "answered_by": origin.by,
            "at": origin.at,
            "script_version": origin.script_version,
        }
        | _sealed(cipher, claim.version, changed, origin.reason),
    )


def move_nino(conn: Connection, claim_ref: str, nino_lookup: bytes | None) -> None:
    """Has the claim found by another NINO, or by none. Raises AlreadyExists (`OPEN_CLAIM`) as `insert_claim` does."""
    try:
        with conn.pipeline():  # its refusal must come here, also where more is sent together
            conn.execute("UPDATE claim_schemes SET nino_lookup = %s WHERE claim_ref = %s", [nino_lookup, claim_ref])
    except errors.UniqueViolation as cause:
        raise _open_claim_exists(cause) from None


def save_submission(conn: Connection, claim: Claim) -> None:
    """A claim that was submitted."""
    conn.execute(
        "UPDATE claims SET state = %s, version = %s, submit_time = %s WHERE claim_ref = %s",
        [claim.state, claim.version, claim.submit_time, claim.claim_ref],
    )


def load_answers(conn: Connection, cipher: ClaimCipher, *, version: int) -> dict[str, Answer]:
    """The claim's answers as they stood at a version."""
    return open_answers(cipher, conn.execute(_ANSWERS, [cipher.claim_ref, version]).fetchall())


def open_answers(cipher: ClaimCipher, rows: list[Row]) -> dict[str, Answer]:
    """Answers that were loaded sealed."""
    return {row["question_id"]: _answer(cipher, row) for row in rows}


def load_history(conn: Connection, cipher: ClaimCipher, *, version: int) -> list[HistoryEntry]:
    """Every answer up to a version, oldest first."""
    standing: dict[str, JsonValue] = {}
    entries = []
    for row in conn.execute(_HISTORY, [cipher.claim_ref, version]):
        entry = _history_entry(cipher, row, standing.get(row["question_id"]))
        standing[entry.question_id] = entry.new
        entries.append(entry)
    return entries


def insert_call(conn: Connection, cipher: ClaimCipher, call: Call, caller: Caller) -> None:
    """A new call. Who is on the line is sealed."""
    on_the_line = {"relation": caller.relation, "name": caller.name, "authority": caller.authority}
    conn.execute(
        _INSERT_CALL,
        [
            call.call_id,
            call.claim_ref,
            call.operator,
            call.purpose,
            call.language,
            list(call.needs),
            cipher.seal(on_the_line, field=f"caller|{call.call_id}", version=1),
            call.security,
            list(call.security_questions),
            call.tries_left,
            call.started,
        ],
    )


def load_call(conn: Connection, call_id: UUID) -> Call:
    """A call, held until the transaction ends. Raises NotFound."""
    row = conn.execute("SELECT * FROM calls WHERE call_id = %s FOR UPDATE", [call_id]).fetchone()
    if row is None:
        raise NotFound("NO_CALL", "there is no such call", metadata={"call_id": str(call_id)})
    return _call(row)


def lock_forgotten_calls(conn: Connection, *, started_before: datetime) -> list[Call]:
    """Calls that began before then and have not ended, a hundred at most, held until the transaction ends."""
    return [_call(row) for row in conn.execute(_FORGOTTEN_CALLS, [started_before])]


def save_call(conn: Connection, call: Call) -> None:
    """A call after a try at its security questions, or at its end."""
    conn.execute(
        _SAVE_CALL, [call.security, call.tries_left, call.ended, call.outcome, call.call_back_time, call.call_id]
    )


def _open_claim_exists(cause: errors.UniqueViolation) -> Exception:
    if cause.diag.constraint_name != "one_open_claim":
        return cause
    taken = Violation(field="nino", description="belongs to another open claim: start a call with it")
    return AlreadyExists("OPEN_CLAIM", "an open claim for this scheme has this nino", violations=[taken])


def _sealed(cipher: ClaimCipher, version: int, changed: Answers, reason: str) -> dict[str, object]:
    def seal(name: str, part: str, value: JsonValue) -> bytes:
        return cipher.seal(value, field=f"{part}|{name}", version=version)

    return {
        "names": list(changed),
        "values": [seal(name, "value", answer.value) for name, answer in changed.items()],
        "record_forms": [
            None if answer.record_form is None else seal(name, "record_form", answer.record_form)
            for name, answer in changed.items()
        ],
        "reasons": [seal(name, "reason", reason) if reason else None for name in changed],
    }


def _opened(cipher: ClaimCipher, row: Row, part: str) -> Any:
    if row[part] is None:
        return None
    return cipher.open(row[part], field=f"{part}|{row['question_id']}", version=row["version"])


def _answer(cipher: ClaimCipher, row: Row) -> Answer:
    return Answer(
        value=_opened(cipher, row, "value"), record_form=_opened(cipher, row, "record_form"), version=row["version"]
    )


def _history_entry(cipher: ClaimCipher, row: Row, old: JsonValue) -> HistoryEntry:
    return HistoryEntry(
        question_id=row["question_id"],
        version=row["version"],
        old=old,
        new=_opened(cipher, row, "value"),
        origin=Origin(
            by=row["answered_by"],
            at=row["at"],
            reason=_opened(cipher, row, "reason") or "",
            script_version=row["script_version"],
        ),
    )


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
    )


def _open_call(row: Row) -> OpenCall | None:
    if row["call_id"] is None:
        return None
    return OpenCall(call_id=row["call_id"], security=Security(row["security"]), language=row["call_language"])


def _call(row: Row) -> Call:
    return Call(
        call_id=row["call_id"],
        claim_ref=row["claim_ref"],
        operator=row["operator"],
        purpose=row["purpose"],
        language=row["language"],
        needs=tuple(row["needs"]),
        security=Security(row["security"]),
        security_questions=tuple(row["security_questions"]),
        tries_left=row["tries_left"],
        started=row["started"],
        ended=row["ended"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        call_back_time=row["call_back_time"],
    )
