-- Gauges and lists read what is recent or open, however many interviews there were.

-- The ratio within target is read from the index alone. The last release writes no value: its bookings do not count.
ALTER TABLE appointments ADD COLUMN within_target boolean;
CREATE INDEX appointments_booked_within ON appointments (booked_time) INCLUDE (within_target);
DROP INDEX appointments_booked;

-- Every release since the last one marks what is booked: nobody looks at the appointments for it any more.
UPDATE first_contacts SET booked = true
WHERE NOT booked AND EXISTS (SELECT 1 FROM appointments WHERE appointments.claim_ref = first_contacts.claim_ref);

-- Vacuum after 2 per cent of a table has changed; the default of 20 per cent is most of a day on a large table.
ALTER TABLE slots SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE appointments SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE first_contacts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
