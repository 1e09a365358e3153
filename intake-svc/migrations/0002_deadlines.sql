-- By these the calls that are overdue are found.
CREATE INDEX calls_of_claim ON calls (claim_ref, started);
CREATE INDEX calls_to_call_back ON calls (call_back_time) WHERE outcome = 'CALL_BACK';
CREATE INDEX calls_forgotten ON calls (started) WHERE ended IS NULL;
