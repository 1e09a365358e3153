-- Links by which calendar programs read an assessor's diary. A link that is revoked is removed.

CREATE TABLE diary_links (
    link_id uuid PRIMARY KEY,
    assessor_id text NOT NULL,
    -- Which of the assessor's links it is, so that there are never more than five.
    place smallint NOT NULL CHECK (place BETWEEN 1 AND 5),
    -- The token itself is nowhere.
    token_hash bytea NOT NULL UNIQUE,
    create_time timestamptz NOT NULL DEFAULT now(),
    expire_time timestamptz NOT NULL,
    read_time timestamptz,
    -- How often it was read since then.
    reads_since timestamptz NOT NULL DEFAULT now(),
    reads integer NOT NULL DEFAULT 0,
    CONSTRAINT diary_links_few_for_an_assessor UNIQUE (assessor_id, place)
);
