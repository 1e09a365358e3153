-- Searches for a person, noted before they are made. See docs/adr/0085-nobody-guesses-by-trying.md. Kept for a year.
CREATE TABLE searches (
    search_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Real time: nobody who moves the platform's clock moves it.
    searched_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    -- The HMACs of what was typed: who knows a claim can tell who looked for it.
    nino_lookup bytea,
    surname_lookup bytea,
    person_lookup bytea,
    postcode_lookup bytea
);
CREATE INDEX searches_of_subject ON searches (subject, searched_time);
CREATE INDEX searches_time ON searches (searched_time);
