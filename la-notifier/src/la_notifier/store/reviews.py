"""Claims that are due for review, and the events that made them so.

The tables keep the names `looks` (reviews) and `heard_events`: the last release's code must run on the new schema.
"""

from datetime import date
from uuid import UUID

from chassis.database import Connection
from la_notifier.domain.reviews import HeardEvent, Review
from la_notifier.store import redirects

HEAR = """
    -- Keeps an event until the review that takes it in.
    INSERT INTO heard_events (event_id, claim_ref, version, occurred_time) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

WANT_REVIEW = """
    -- Makes a claim due for review; a review that is under way keeps its lease.
    INSERT INTO looks (claim_ref) VALUES (%s)
    ON CONFLICT (claim_ref) DO UPDATE SET due = statement_timestamp(), attempts = 0
"""

WANT_REVIEW_OF_KNOWN = """
    -- Makes a claim due for review, unless nothing of it was heard from intake: only that tells when the intention was.
    INSERT INTO looks (claim_ref)
    SELECT %(claim_ref)s WHERE EXISTS (SELECT 1 FROM notices WHERE claim_ref = %(claim_ref)s)
        OR EXISTS (SELECT 1 FROM not_told WHERE claim_ref = %(claim_ref)s)
        OR EXISTS (SELECT 1 FROM looks WHERE claim_ref = %(claim_ref)s)
    ON CONFLICT (claim_ref) DO UPDATE SET due = statement_timestamp(), attempts = 0
"""

TAKE_REVIEW = """
    -- Leases the claim that is due for longest, with the day of the intention where an earlier review found it.
    UPDATE looks
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        leased_until = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE claim_ref = (
        SELECT claim_ref FROM looks
        WHERE due <= statement_timestamp() AND (leased_until IS NULL OR leased_until <= statement_timestamp())
        ORDER BY due LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING claim_ref, lease, attempts, (
        SELECT min(known.intention_on) FROM (
            SELECT intention_on FROM notices WHERE notices.claim_ref = looks.claim_ref
            UNION ALL SELECT intention_on FROM not_told WHERE not_told.claim_ref = looks.claim_ref
        ) AS known
    ) AS intention_on, EXISTS (SELECT 1 FROM decided_claims AS decided WHERE decided.claim_ref = looks.claim_ref) AS is_decided
"""

HEAR_DECISION = """
    -- Remembers that a claim was decided.
    INSERT INTO decided_claims (claim_ref) VALUES (%s) ON CONFLICT DO NOTHING
"""

HEAR_CLOSING = """
    -- Remembers that a scheme of a claim ended without a decision.
    INSERT INTO closed_schemes (claim_ref, scheme, closed_on) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

CLOSED_OF_CLAIM = """
    -- The schemes of a claim that ended without a decision.
    SELECT scheme, closed_on FROM closed_schemes WHERE claim_ref = %s ORDER BY scheme
"""

HEARD_OF_CLAIM = """
    -- The events of a claim that no review has taken in.
    SELECT event_id, version, occurred_time FROM heard_events WHERE claim_ref = %s ORDER BY version, occurred_time
"""

HOLD_REVIEW = """
    -- Locks a review that is still leased by this worker.
    SELECT 1 FROM looks WHERE claim_ref = %s AND lease = %s FOR UPDATE
"""

PUT_OFF = """
    -- Ends the lease and makes the claim due again later; at once where an event came while the review went on, which has
    -- set `attempts` back.
    UPDATE looks
    SET lease = NULL, leased_until = NULL,
        due = CASE WHEN attempts = 0 THEN due ELSE statement_timestamp() + make_interval(secs => %s) END
    WHERE claim_ref = %s AND lease = %s
"""

FORGET_HEARD = """
    -- Drops the events that a review has taken in.
    DELETE FROM heard_events WHERE event_id = ANY(%s)
"""

FINISH_REVIEW = """
    -- Ends a review, unless an event came while it went on, or something else that set `attempts` back.
    DELETE FROM looks WHERE claim_ref = %(claim_ref)s AND attempts > 0
    AND NOT EXISTS (SELECT 1 FROM heard_events WHERE claim_ref = %(claim_ref)s)
"""

REVIEW_AGAIN = """
    -- Ends the lease of a claim that stays due: an event came while the review went on.
    UPDATE looks SET lease = NULL, leased_until = NULL WHERE claim_ref = %s
"""


def want_review(conn: Connection, *, claim_ref: str, heard: HeardEvent) -> None:
    """Keeps the event and makes the claim due for review."""
    conn.execute(HEAR, [heard.event_id, claim_ref, heard.version, heard.occurred_time])
    conn.execute(WANT_REVIEW, [claim_ref])


def hear_closing(conn: Connection, claim_ref: str, scheme: str, closed_on: date) -> None:
    """Remembers that a scheme of the claim ended on that day without a decision."""
    conn.execute(HEAR_CLOSING, [claim_ref, scheme, closed_on])


def want_review_of_known(conn: Connection, claim_ref: str) -> None:
    """Makes the claim due for review, if it was reviewed before or is due: else intake's events bring its first review."""
    conn.execute(WANT_REVIEW_OF_KNOWN, {"claim_ref": claim_ref})


def hear_decision(conn: Connection, claim_ref: str) -> None:
    """Remembers that the claim was decided, for every review from now on."""
    conn.execute(HEAR_DECISION, [claim_ref])


def take_review(conn: Connection, *, seconds: float) -> Review | None:
    """The claim that is due for longest, leased for so many seconds; None when none is due."""
    row = conn.execute(TAKE_REVIEW, {"seconds": seconds}).fetchone()
    if row is None:
        return None
    heard = tuple(HeardEvent(**found) for found in conn.execute(HEARD_OF_CLAIM, [row["claim_ref"]]))
    ended = conn.execute(CLOSED_OF_CLAIM, [row["claim_ref"]]).fetchall()
    return Review(
        **row,
        heard=heard,
        redirect=redirects.redirect_of(conn, row["claim_ref"]),
        ended=tuple((one["scheme"], one["closed_on"]) for one in ended),
    )


def hold(conn: Connection, review: Review) -> bool:
    """Whether the review is still this worker's; if so, it is nobody else's until the transaction ends."""
    return conn.execute(HOLD_REVIEW, [review.claim_ref, review.lease]).fetchone() is not None


def put_off(conn: Connection, review: Review, *, seconds: float) -> None:
    """Makes the claim due again after so many seconds, or at once where an event came meanwhile."""
    conn.execute(PUT_OFF, [seconds, review.claim_ref, review.lease])


def forget_heard(conn: Connection, review: Review) -> None:
    """Drops the events that the review has taken in. Call it under `hold`."""
    events: list[UUID] = [heard.event_id for heard in review.heard]
    conn.execute(FORGET_HEARD, [events])


def finish(conn: Connection, review: Review) -> None:
    """Ends the review; an event that came in the meantime makes the next. Call it under `hold`."""
    forget_heard(conn, review)
    if conn.execute(FINISH_REVIEW, {"claim_ref": review.claim_ref}).rowcount == 0:
        conn.execute(REVIEW_AGAIN, [review.claim_ref])
