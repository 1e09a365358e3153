-- Cost that does not grow with history. See docs/adr/0026-cost-that-does-not-grow.md.

-- Dead letters that wait for a person, and those that somebody asked to have replayed.
CREATE INDEX dead_letters_waiting ON dead_letters (died_time) WHERE replayed_time IS NULL;
CREATE INDEX dead_letters_to_replay ON dead_letters (died_time) WHERE replay_wanted AND replayed_time IS NULL;

-- Vacuum follows what changes and not the size of the table: an event is updated twice and deleted once, a request updated
-- once and deleted once, and by default a fifth of the table would have to be dead first.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE inbox SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE inbox_tries SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE requests SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE data_keys SET (autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE access_log SET (autovacuum_vacuum_insert_scale_factor = 0.05);

-- A request's row is written first and gets its response at the end of its transaction. With a third of the page left free
-- both versions lie on one page, and no index is touched.
ALTER TABLE requests SET (fillfactor = 70);
