"""Claims that may be of one person: the sounds by which they are found, and what was decided of each pair."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Connection
from chassis.vault import ClaimCipher

MOST_DUPLICATES = 10
"""Possible duplicates that are kept of one claim: whoever has more has a question that no operator can answer in a call."""

# Of two claims that are given one person's name at the same moment, the second waits here and then finds the first.
LOCK_PERSON = "SELECT pg_advisory_xact_lock(hashtextextended(encode(%s, 'hex'), 0))"

FORGET_SOUNDS = "DELETE FROM claim_sounds WHERE claim_ref = %(claim_ref)s AND sound <> ALL(%(sounds)s)"

KEEP_SOUNDS = """
    INSERT INTO claim_sounds (claim_ref, sound) SELECT %(claim_ref)s, sound FROM unnest(%(sounds)s::bytea[]) AS given (sound)
    ON CONFLICT DO NOTHING
"""

# Drops the warnings, not decided yet, that an earlier form of the name, the birth date or the address gave.
FORGET_WARNINGS = """
    DELETE FROM possible_duplicates
    WHERE (claim_ref = %(claim_ref)s OR other_ref = %(claim_ref)s) AND verdict IS NULL
"""

# Finds open claims for one of the schemes that have one of the sounds. A few: a claim may be found by several sounds.
SAME_SOUND = """
    SELECT claim_ref FROM claim_sounds AS other
    WHERE sound = ANY(%(sounds)s) AND claim_ref <> %(claim_ref)s AND EXISTS (
        SELECT 1 FROM claim_schemes AS part
        WHERE part.claim_ref = other.claim_ref AND part.open AND part.scheme = ANY(%(schemes)s)
    )
    LIMIT %(limit)s
"""

# A pair is kept once, whichever of the two found the other; what was decided of it stays.
WARN = """
    INSERT INTO possible_duplicates (claim_ref, other_ref, found_time)
    SELECT %(claim_ref)s, other_ref, %(at)s FROM unnest(%(others)s::text[]) AS found (other_ref)
    WHERE NOT EXISTS (
        SELECT 1 FROM possible_duplicates AS known
        WHERE known.claim_ref = found.other_ref AND known.other_ref = %(claim_ref)s
    )
    ON CONFLICT DO NOTHING
"""

# The other claims, still open, that a claim may double and of which nobody has decided.
UNDECIDED = """
    SELECT other.claim_ref FROM (
        SELECT other_ref AS claim_ref FROM possible_duplicates WHERE claim_ref = %(claim_ref)s AND verdict IS NULL
        UNION SELECT claim_ref FROM possible_duplicates WHERE other_ref = %(claim_ref)s AND verdict IS NULL
    ) AS other
    WHERE EXISTS (SELECT 1 FROM claim_schemes AS part WHERE part.claim_ref = other.claim_ref AND part.open)
    ORDER BY other.claim_ref
"""

# The other claim cannot end until this one's decision is saved: else a person could be left with neither.
OTHER_IS_OPEN = "SELECT 1 FROM claim_schemes WHERE claim_ref = %s AND open FOR SHARE"

DECIDE = """
    UPDATE possible_duplicates SET verdict = %(verdict)s, decided_by = %(by)s, decided_time = %(at)s, reason = %(reason)s
    WHERE (claim_ref, other_ref) IN ((%(claim_ref)s, %(other_ref)s), (%(other_ref)s, %(claim_ref)s)) AND verdict IS NULL
"""


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """The HMACs of a claim's sounds, and that of the birth date and postcode which all of them share."""

    person: bytes
    sounds: frozenset[bytes]


def keep_sounds(
    conn: Connection, claim_ref: str, sounds: Sounds | None, *, schemes: Collection[str], at: datetime
) -> None:
    """Keeps the sounds of a claim and warns of the open claims, for one of the schemes, that have one of them.

    Warnings that its earlier sounds gave are dropped, unless somebody has decided of them.
    """
    place = {"claim_ref": claim_ref, "sounds": sorted(sounds.sounds) if sounds else []}
    conn.execute(FORGET_SOUNDS, place)
    conn.execute(FORGET_WARNINGS, place)
    if sounds is None:
        return
    conn.execute(LOCK_PERSON, [sounds.person])
    conn.execute(KEEP_SOUNDS, place)
    limit = MOST_DUPLICATES * len(sounds.sounds)
    found = conn.execute(SAME_SOUND, place | {"schemes": list(schemes), "limit": limit})
    others = list(dict.fromkeys(row["claim_ref"] for row in found))[:MOST_DUPLICATES]
    if others:
        conn.execute(WARN, {"claim_ref": claim_ref, "others": others, "at": at})


def undecided_duplicates(conn: Connection, claim_ref: str) -> tuple[str, ...]:
    """The references of the open claims that this one may double, of which nobody has decided."""
    return tuple(row["claim_ref"] for row in conn.execute(UNDECIDED, {"claim_ref": claim_ref}))


def save_verdict(
    conn: Connection, cipher: ClaimCipher, other_ref: str, *, verdict: str, by: str, at: datetime, reason: str
) -> bool:
    """Records whether two claims are of one person, with the reason, sealed.

    False where no such warning is open, or the other claim has ended.
    """
    if conn.execute(OTHER_IS_OPEN, [other_ref]).fetchone() is None:
        return False
    sealed = cipher.seal(reason, field=f"duplicate|{other_ref}", version=1)
    parameters = {"claim_ref": cipher.claim_ref, "other_ref": other_ref, "verdict": verdict, "by": by, "at": at}
    return conn.execute(DECIDE, parameters | {"reason": sealed}).rowcount > 0
