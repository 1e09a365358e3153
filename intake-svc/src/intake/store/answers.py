"""The rows of answers. They are never changed: the current answer is the latest, the history is all of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chassis.database import Connection, Row
from chassis.errors import FieldChange
from chassis.vault import ClaimCipher
from intake.domain.binding import CATALOGUE, SCHEMES
from intake.domain.claim import Claim
from intake.domain.history import HistoryEntry, Origin
from intake.domain.interview import Answer, Answers
from intake.domain.place import Place
from intake.domain.search import LookUps
from intake.domain.values import JsonValue

# Saves a changed claim together with the answers that changed it.
SAVE_ANSWERS = """
    WITH given AS (
        INSERT INTO answers
            (claim_ref, question_id, version, value, record_form, place, answered_by, roles, at, reason,
            script_version, confirmed_from)
        SELECT %(claim_ref)s, question_id, %(version)s, value, record_form, place,
            %(answered_by)s, %(roles)s, %(at)s, reason, %(script_version)s, confirmed_from
        FROM unnest(%(names)s::text[], %(values)s::bytea[], %(record_forms)s::bytea[], %(places)s::bytea[],
            %(reasons)s::bytea[], %(confirmed_from)s::text[])
            AS given (question_id, value, record_form, place, reason, confirmed_from)
    )
    UPDATE claims SET version = %(version)s, language = %(language)s,
        first_contact_recorded = %(first_contact_recorded)s, crisis_loan_requested = %(crisis_loan_requested)s,
        person_lookup = %(person_lookup)s, postcode_lookup = %(postcode_lookup)s
    WHERE claim_ref = %(claim_ref)s
"""

# Reads the answers that stood at a version.
ANSWERS = """
    SELECT DISTINCT ON (question_id) question_id, version, value, record_form, place
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY question_id, version DESC
"""

# Reads the answers that stood at a time.
ANSWERS_AT = """
    SELECT DISTINCT ON (question_id) question_id, version, value, record_form, place
    FROM answers WHERE claim_ref = %s AND at <= %s
    ORDER BY question_id, version DESC
"""

# Reads when each answer that stood at a version was given.
TIMES = """
    SELECT DISTINCT ON (question_id) question_id, at
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY question_id, version DESC
"""

# Reads a page of the answers up to a version, the oldest first, each with the answer before it.
HISTORY = """
    SELECT given.question_id, given.version, given.value, given.answered_by, given.roles, given.at, given.reason,
        given.script_version, given.confirmed_from, earlier.value AS old_value, earlier.version AS old_version,
        bound.schemes AS bound_schemes, bound.catalogue AS bound_catalogue
    FROM answers AS given LEFT JOIN LATERAL (
        SELECT value, version FROM answers AS earlier
        WHERE earlier.claim_ref = given.claim_ref AND earlier.question_id = given.question_id
            AND earlier.version < given.version
        ORDER BY version DESC LIMIT 1
    ) AS earlier ON true
    LEFT JOIN earlier_bindings AS bound ON bound.claim_ref = given.claim_ref AND bound.until = given.version
    WHERE given.claim_ref = %(claim_ref)s AND given.version <= %(version)s
        AND (given.version, given.question_id COLLATE "C") > (%(after_version)s, %(after_question)s COLLATE "C")
    ORDER BY given.version, given.question_id COLLATE "C" LIMIT %(limit)s
"""

# Names the answers that changed after a version, of each question the last change.
CHANGES = """
    SELECT DISTINCT ON (question_id) question_id, version, answered_by, roles, at
    FROM answers WHERE claim_ref = %s AND version > %s
    ORDER BY question_id, version DESC
"""


def save_answers(
    conn: Connection, cipher: ClaimCipher, claim: Claim, changed: Answers, *, origin: Origin, look_ups: LookUps
) -> None:
    """Saves a claim with the answers that made its version. Append-only: earlier answers stay."""
    conn.execute(
        SAVE_ANSWERS,
        {
            "claim_ref": claim.claim_ref,
            "version": claim.version,
            "language": claim.language,
            "first_contact_recorded": claim.first_contact_recorded,
            "crisis_loan_requested": claim.crisis_loan_requested,
            "person_lookup": look_ups.person,
            "postcode_lookup": look_ups.postcode,
            "answered_by": origin.by,
            "roles": list(origin.roles),
            "at": origin.at,
            "script_version": origin.script_version,
        }
        | _sealed(cipher, claim.version, changed, origin.reason),
    )


def load_answers(conn: Connection, cipher: ClaimCipher, *, version: int) -> Answers:
    """The claim's answers as they stood at a version."""
    return opened_answers(cipher, conn.execute(ANSWERS, [cipher.claim_ref, version]))


def load_answers_at(conn: Connection, cipher: ClaimCipher, *, at: datetime) -> Answers:
    """The claim's answers as they stood at a time."""
    return opened_answers(cipher, conn.execute(ANSWERS_AT, [cipher.claim_ref, at]))


def load_answer_times(conn: Connection, claim_ref: str, *, version: int) -> dict[str, datetime]:
    """By question, when the answer that stood at a version was given."""
    return {row["question_id"]: row["at"] for row in conn.execute(TIMES, [claim_ref, version])}


def opened_answers(cipher: ClaimCipher, rows: Iterable[Row]) -> Answers:
    """The answers in rows of `ANSWERS`."""
    return {row["question_id"]: _answer(cipher, row) for row in rows}


def load_history(
    conn: Connection, cipher: ClaimCipher, *, version: int, after: tuple[int, str] = (0, ""), limit: int | None = None
) -> list[HistoryEntry]:
    """The answers up to a version, oldest first: those behind `after` (a version and a question), `limit` at most."""
    place = {"version": version, "after_version": after[0], "after_question": after[1], "limit": limit}
    return [_history_entry(cipher, row) for row in conn.execute(HISTORY, {"claim_ref": cipher.claim_ref, **place})]


def load_changes(conn: Connection, claim_ref: str, *, since: int) -> list[FieldChange]:
    """The questions whose answers changed after a version: who changed each last, and when."""
    return [
        FieldChange(
            field=row["question_id"],
            by=row["answered_by"],
            roles=tuple(row["roles"]),
            at=row["at"],
            version=row["version"],
        )
        for row in conn.execute(CHANGES, [claim_ref, since])
    ]


def _sealed(cipher: ClaimCipher, version: int, changed: Answers, reason: str) -> dict[str, object]:
    def seal(name: str, part: str, value: JsonValue) -> bytes | None:
        return None if value is None else cipher.seal(value, field=f"{part}|{name}", version=version)

    return {
        "names": list(changed),
        "values": [
            cipher.seal(answer.value, field=f"value|{name}", version=version) for name, answer in changed.items()
        ],
        "record_forms": [seal(name, "record_form", answer.record_form) for name, answer in changed.items()],
        "places": [seal(name, "place", _written(answer.place)) for name, answer in changed.items()],
        "reasons": [seal(name, "reason", reason or None) for name in changed],
        "confirmed_from": [answer.confirmed_from for answer in changed.values()],
    }


def _opened(cipher: ClaimCipher, row: Row, part: str) -> Any:
    if row[part] is None:
        return None
    return cipher.open(row[part], field=f"{part}|{row['question_id']}", version=row["version"])


def _answer(cipher: ClaimCipher, row: Row) -> Answer:
    return Answer(
        value=_opened(cipher, row, "value"),
        record_form=_opened(cipher, row, "record_form"),
        place=_place(_opened(cipher, row, "place")),
        version=row["version"],
    )


def _written(place: Place | None) -> JsonValue:
    return None if place is None else {"listed": place.is_listed, "councils": list(place.councils)}


def _place(written: Any) -> Place | None:
    return None if written is None else Place(is_listed=written["listed"], councils=tuple(written["councils"]))


def _history_entry(cipher: ClaimCipher, row: Row) -> HistoryEntry:
    return HistoryEntry(
        question_id=row["question_id"],
        version=row["version"],
        old=_opened_before(cipher, row),
        new=_opened(cipher, row, "value"),
        confirmed_from=row["confirmed_from"],
        origin=Origin(
            by=row["answered_by"],
            roles=tuple(row["roles"]),
            at=row["at"],
            reason=_opened(cipher, row, "reason") or "",
            script_version=row["script_version"],
        ),
    )


def _opened_before(cipher: ClaimCipher, row: Row) -> Any:
    """The value that was bound before. The first binding was never an answer: `earlier_bindings` has it."""
    if row["question_id"] == SCHEMES:
        return row["bound_schemes"]
    if row["question_id"] == CATALOGUE:
        return row["bound_catalogue"]
    if row["old_value"] is None:
        return None
    return cipher.open(row["old_value"], field=f"value|{row['question_id']}", version=row["old_version"])
