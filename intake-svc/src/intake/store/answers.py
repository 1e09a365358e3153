"""The rows of answers. They are never changed: the current answer is the latest, the history is all of them."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault
from intake.domain.claim import Claim
from intake.domain.interview import Answer, Answers, Interview
from intake.domain.values import JsonValue

# A changed claim together with the answers that changed it: one statement, one round trip.
_SAVE_CLAIM = """
    WITH given AS (
        INSERT INTO answers
            (claim_ref, question_id, version, value, record_form, answered_by, at, reason, script_version)
        SELECT %(claim_ref)s, question_id, %(version)s, value, record_form,
            %(answered_by)s, %(at)s, reason, %(script_version)s
        FROM unnest(%(names)b::text[], %(values)b::bytea[], %(record_forms)b::bytea[], %(reasons)b::bytea[])
            AS given (question_id, value, record_form, reason)
    )
    UPDATE claims SET version = %(version)s, language = %(language)s,
        first_contact_recorded = %(first_contact_recorded)s,
        person_lookup = %(person_lookup)s, postcode_lookup = %(postcode_lookup)s
    WHERE claim_ref = %(claim_ref)s
"""

# The answers that stood at a version.
ANSWERS = """
    SELECT DISTINCT ON (question_id) question_id, version, value, record_form
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY question_id, version DESC
"""

_HISTORY = """
    SELECT question_id, version, value, answered_by, at, reason, script_version
    FROM answers WHERE claim_ref = %s AND version <= %s
    ORDER BY version, question_id COLLATE "C"
"""


class Sealed(Struct, frozen=True, kw_only=True):
    """A claim's answers, still encrypted unless they are remembered, and its data key, still wrapped."""

    data_key: Row
    answers: list[Row]
    remembered: Interview | None


class LookUps(Struct, frozen=True, kw_only=True):
    """What stands for a claimant in indexes; None where the fact is not known."""

    nino: bytes | None = None
    person: bytes | None = None
    postcode: bytes | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """Who gave answers, when and why (empty in the interview), and the version of the script that asked."""

    by: str
    at: datetime
    reason: str
    script_version: int


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """One answer, and what stood before it (None: nothing, or it had been cleared)."""

    question_id: str
    version: int
    old: JsonValue
    new: JsonValue
    origin: Origin


def save_answers(
    conn: Connection, cipher: ClaimCipher, claim: Claim, changed: Answers, *, origin: Origin, look_ups: LookUps
) -> None:
    """A claim with the answers that made its version, at commit. Append-only: what stood before stays."""
    conn.at_commit(
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


def load_answers(conn: Connection, vault: Vault, claim_ref: str, *, version: int) -> Answers:
    """The claim's answers as they stood at a version."""
    remembered = recall_interview(conn, claim_ref, version=version)
    if remembered is not None:
        return remembered.answers
    return open_answers(vault.cipher(conn, claim_ref), conn.execute(ANSWERS, [claim_ref, version]).fetchall())


def recall_interview(conn: Connection, claim_ref: str, *, version: int) -> Interview | None:
    """The interview of a version that this process has shown a while ago. That the claim has it, the caller reads."""
    remembered: Interview | None = conn.recall(claim_ref, version=version)
    return remembered


def remember_interview(conn: Connection, claim_ref: str, interview: Interview, *, version: int) -> None:
    """Keeps an interview at hand as it is committed: the answers of a version are never others."""
    conn.remember(claim_ref, interview, version=version)


def open_answers(cipher: ClaimCipher, rows: list[Row]) -> Answers:
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


def _sealed(cipher: ClaimCipher, version: int, changed: Answers, reason: str) -> dict[str, object]:
    def seal(name: str, part: str, value: JsonValue) -> bytes:
        return cipher.seal(value, field=f"{part}|{name}", version=version)

    forms = [
        None if answer.record_form is None else seal(name, "record_form", answer.record_form)
        for name, answer in changed.items()
    ]
    return {
        "names": list(changed),
        "values": [seal(name, "value", answer.value) for name, answer in changed.items()],
        "record_forms": forms if any(forms) else None,  # instead of a list of nothing, which is not written as fast
        "reasons": [seal(name, "reason", reason) for name in changed] if reason else None,
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
