-- An appointment has its place and time itself. Its slot in the diary keeps others away, as long as it is live.

ALTER TABLE appointments
ADD COLUMN office_code text,
ADD COLUMN assessor_id text,
ADD COLUMN start_time timestamptz,
ADD COLUMN end_time timestamptz,
ADD COLUMN channel text;

UPDATE appointments
SET office_code = slots.office_code, assessor_id = slots.assessor_id, start_time = slots.start_time,
    end_time = slots.end_time, channel = slots.channel
FROM slots WHERE slots.slot_id = appointments.slot_id;

-- Live appointments go to the diary; the job that prunes it takes out what is over by the platform's clock.
INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, appointment_id)
SELECT assessor_id, claim_ref, start_time, end_time, appointment_id
FROM appointments WHERE state IN ('BOOKED', 'MOVED');

ALTER TABLE appointments
ALTER COLUMN office_code SET NOT NULL,
ALTER COLUMN assessor_id SET NOT NULL,
ALTER COLUMN start_time SET NOT NULL,
ALTER COLUMN end_time SET NOT NULL,
ALTER COLUMN channel SET NOT NULL,
ADD CONSTRAINT appointments_channel_check CHECK (channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT')),
-- With the column goes the index that allowed one live appointment for a slot: the diary's constraint takes its place. A
-- replica of the last release that still runs fails from now on, and books nothing past that constraint.
DROP COLUMN slot_id;

CREATE INDEX appointments_of_an_assessor ON appointments (assessor_id, start_time);
CREATE INDEX appointments_of_an_office ON appointments (office_code, start_time);
-- For those that are pruned.
CREATE INDEX appointments_by_time ON appointments (end_time);

-- The shifts to come, as far as the slots tell of them. The rotas that are published next replace them.
INSERT INTO shifts (assessor_id, office_code, start_time, end_time, channel)
SELECT assessor_id, office_code, start_time, end_time, channel FROM slots WHERE end_time > now();

DROP TABLE slots;
