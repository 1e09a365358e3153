-- Reads and updates whose cost does not grow with the number of claims.

-- Lists by office and state, and with a postcode: each page is read from an index, in the order of the list.
CREATE INDEX claims_of_office_by_state ON claims (office_code, state, first_contact_time DESC, claim_ref DESC)
    WHERE office_code IS NOT NULL;
CREATE INDEX claims_postcode ON claims (postcode_lookup, first_contact_time DESC, claim_ref DESC)
    WHERE postcode_lookup IS NOT NULL;

-- Whether a later call on the claim began, which settles a call-back. Only the open call-backs are in the index.
ALTER TABLE calls ADD COLUMN has_later_call boolean NOT NULL DEFAULT false;
UPDATE calls SET has_later_call = true
    WHERE EXISTS (SELECT 1 FROM calls AS later WHERE later.claim_ref = calls.claim_ref AND later.started > calls.started);
DROP INDEX calls_to_call_back;
CREATE INDEX calls_to_call_back ON calls (call_back_time, claim_ref, started)
    WHERE outcome = 'CALL_BACK' AND NOT has_later_call;
-- Nearly every call-back has a later call. Without this the planner expects many open ones, and reads the whole table.
CREATE STATISTICS calls_settled (mcv) ON outcome, has_later_call FROM calls;

-- A claim is updated with every save. Its page has room for the next versions, so that no index is touched (HOT).
-- Vacuum follows the number of changes, not the size of the table.
ALTER TABLE claims SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE calls SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE answers SET (autovacuum_vacuum_insert_scale_factor = 0.05);
