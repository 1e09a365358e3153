-- Work is taken by channel: what waits for channels without a worker must not be read each time.
ALTER TABLE notice_versions ADD COLUMN channel text CHECK (channel IN ('API', 'SFTP', 'POST'));
UPDATE notice_versions SET channel = notices.channel FROM notices WHERE notices.notice_id = notice_versions.notice_id;

-- The last release does not know the column. The trigger fills it until that release is gone, and goes with the next one.
CREATE FUNCTION channel_of_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.channel := coalesce(NEW.channel, (SELECT channel FROM notices WHERE notice_id = NEW.notice_id));
    RETURN NEW;
END
$$;
CREATE TRIGGER channel_of_notice BEFORE INSERT ON notice_versions FOR EACH ROW EXECUTE FUNCTION channel_of_notice();
ALTER TABLE notice_versions ALTER COLUMN channel SET NOT NULL;

-- Taking, counting and listing read open versions by channel, or an hour of ended ones, from the index alone.
DROP INDEX notice_versions_to_send, notice_versions_to_ask, notice_versions_open, notice_versions_loaded,
    notice_versions_superseded;
CREATE INDEX notice_versions_to_send ON notice_versions (channel, next_attempt_time) WHERE state = 'WAITING';
CREATE INDEX notice_versions_to_ask ON notice_versions (channel, next_attempt_time) WHERE state IN ('SENT', 'RECEIVED');
CREATE INDEX notice_versions_open ON notice_versions (state, channel, created)
WHERE state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed);
CREATE INDEX notice_versions_loaded ON notice_versions (loaded, channel) WHERE state = 'LOADED';
CREATE INDEX notice_versions_superseded ON notice_versions (superseded, channel) WHERE state = 'SUPERSEDED';
CREATE INDEX notice_versions_disputed ON notice_versions (disputed) WHERE disputed IS NOT NULL;
CREATE INDEX not_told_by_reason ON not_told (reason);
CREATE INDEX not_told_since ON not_told (since);
CREATE INDEX heard_events_occurred ON heard_events (occurred_time);

-- A version is updated some six times, a review twice before it is deleted. Room on the page keeps a lease from touching the
-- indexes, and a vacuum after some thousand rows keeps the front of the queues short.
ALTER TABLE notice_versions SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE notices SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE looks SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000
);
ALTER TABLE heard_events SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000
);
