-- The access log is chained by hash and sealed. See docs/adr/0082-the-access-log-is-sealed.md.

-- The database's own time of the row: the role that runs the service has no right to give it. Absent where an earlier release
-- wrote the row. `at` is the platform's time, which tests and demonstrations move.
ALTER TABLE access_log ADD COLUMN written_time timestamptz;
ALTER TABLE access_log ALTER COLUMN written_time SET DEFAULT clock_timestamp();

-- The row's place in the chain, from 1 without a gap, and the hash over the row and the hash before it. Both are given a
-- moment after the row was committed, so that no read waits for another.
ALTER TABLE access_log ADD COLUMN place bigint;
ALTER TABLE access_log ADD COLUMN hash bytea;
CREATE UNIQUE INDEX access_log_place ON access_log (place) WHERE place IS NOT NULL;
CREATE INDEX access_log_unsealed ON access_log (access_id) WHERE place IS NULL;
ALTER TABLE access_log SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- Each seal signs the chain as far as `last_place`, and the seal before it.
CREATE TABLE access_log_seals (
    number bigint PRIMARY KEY,
    last_place bigint NOT NULL,
    head bytea NOT NULL,
    read_time timestamptz NOT NULL,
    complete boolean NOT NULL,
    previous bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL
);

-- By these alone the role that runs the service gets at rows: at those that have no place yet, and only to give them one.
CREATE FUNCTION access_log_to_seal(most integer) RETURNS SETOF access_log
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT * FROM public.access_log WHERE place IS NULL ORDER BY access_id LIMIT most
$$;

CREATE FUNCTION access_log_give_places(ids bigint[], first bigint, hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE public.access_log AS log SET place = first + given.number - 1, hash = given.hash
    FROM unnest(ids, hashes) WITH ORDINALITY AS given (access_id, hash, number)
    WHERE log.access_id = given.access_id AND log.place IS NULL
$$;

REVOKE ALL ON FUNCTION access_log_to_seal, access_log_give_places FROM PUBLIC;
