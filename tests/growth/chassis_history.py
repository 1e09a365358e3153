"""The history of the tables that every service has: what is done with, and a little that is open."""

from typing import Any

from tests.growth.subject import Subject

PAST = "statement_timestamp() - interval '10 days' - make_interval(secs => n * 2)"
"""When the claim of number n was taken: all that is history lies ten days back and more, so that it may be pruned."""
ID = "lpad(to_hex(n), 32, '0')::uuid"
"""An id of the claim of number n: ids in order are written many times faster than random ones."""
CLAIM = "reference(n)"
"""The reference of the claim of number n."""

_FINISHED = f"""
    INSERT INTO outbox (event_id, type, claim_ref, version, payload, heard_by, receipted, occurred_time, traceparent,
        created, publish_after, attempts, finished_time)
    SELECT {ID}, 'T', {CLAIM}, 1, ''::bytea, ARRAY['a-svc'], ARRAY['a-svc'], {PAST}, '', {PAST},
        {PAST}, 1, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_HEARD = f"""
    INSERT INTO inbox (event_id, source, created)
    SELECT {ID}, (%(sources)s::text[])[1 + n %% cardinality(%(sources)s::text[])], {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_ASKED = f"""
    INSERT INTO requests (subject, method, request_id, body_hmac, response, created)
    SELECT 'OP' || lpad((n %% 1000)::text, 6, '0'), '/cms.x.v1.X/M', {ID}, ''::bytea, ''::bytea, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_SHOWN = f"""
    INSERT INTO access_log (at, subject, roles, method, claim_ref, purpose, outcome, traceparent, place, hash)
    SELECT {PAST}, 'OP000001', ARRAY['OPERATOR'], '/cms.x.v1.X/M', {CLAIM}, 'call', 'SHOWN', '', -n, ''::bytea
    FROM generate_series(%(first)s, %(last)s, 5) AS n
"""
# In places before the first: those that are sealed while it is measured come behind them.
_SEALED = f"""
    INSERT INTO access_log_seals (number, last_place, head, read_time, complete, previous, key_id, signature)
    SELECT -n, -n, ''::bytea, {PAST}, true, ''::bytea, '', ''::bytea FROM generate_series(%(first)s, %(last)s, 5) AS n
"""
_FORGOTTEN = """
    INSERT INTO erased_claims (claim_ref) SELECT 'erased ' || n FROM generate_series(%(first)s, %(last)s) AS n
"""
_KEYS = f"""
    INSERT INTO data_keys (claim_ref, key_id, wrapped)
    SELECT {CLAIM}, '1', ''::bytea FROM generate_series(%(first)s, %(last)s) AS n
"""
_DIED = f"""
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, reason, tries, died_time, replayed_time)
    SELECT {ID}, 'a-svc', 'T', {CLAIM}, ''::bytea, 'UNKNOWN_TYPE', 3, {PAST},
        CASE WHEN n > 200 THEN {PAST} END
    FROM generate_series(%(first)s, %(last)s, 10) AS n
"""
_TRIED = f"""
    INSERT INTO inbox_tries (event_id, tries, last_time)
    SELECT {ID}, 1, {PAST} FROM generate_series(%(first)s, %(last)s, 10) AS n
"""


def fill(subject: Subject, first: int, last: int, *, sources: list[str]) -> None:
    """The history of these claims: of each an event sent, one heard from one of these sources, a request and a data key."""
    values: dict[str, Any] = {"first": first, "last": last}
    subject.sql(_FINISHED, **values)
    subject.sql(_ASKED, **values)
    subject.sql(_SHOWN, **values)
    subject.sql(_SEALED, **values)
    subject.sql(_FORGOTTEN, **values)
    subject.sql(_KEYS, **values)
    subject.sql(_DIED, **values)
    subject.sql(_TRIED, **values)
    if sources:
        subject.sql(_HEARD, **values, sources=sources)
