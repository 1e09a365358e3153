-- A claim whose answers were taken back since first contact, so that no notice can be made until they are there again.

ALTER TABLE not_told DROP CONSTRAINT not_told_reason_check;
ALTER TABLE not_told ADD CONSTRAINT not_told_reason_check CHECK (
    reason IN (
        'NORTHERN_IRELAND', 'POSTCODE_UNKNOWN', 'AUTHORITY_UNKNOWN', 'MOVED_AWAY', 'NO_LONGER_SOUGHT', 'FACTS_MISSING'
    )
);
