-- The office that holds the claim's interview, as scheduling told last; none before its first appointment.
ALTER TABLE claims
    ADD COLUMN office_code text,
    ADD COLUMN appointment_id text,
    ADD COLUMN booked_time timestamptz,
    ADD CONSTRAINT claims_booking_is_whole CHECK (num_nulls(office_code, appointment_id, booked_time) IN (0, 3));
CREATE INDEX claims_of_office ON claims (office_code, first_contact_time DESC, claim_ref DESC)
    WHERE office_code IS NOT NULL;
