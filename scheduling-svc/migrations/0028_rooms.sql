-- An assessor who interviews at an office has one of its rooms for the whole shift. So an office never holds more interviews at
-- once than it has rooms, and neither a search nor a booking need count them.

ALTER TABLE shifts ADD COLUMN room integer CHECK (room > 0);

-- Shifts that were published before: each assessor of an office gets another room.
UPDATE shifts SET room = ranked.room
FROM (
    SELECT assessor_id, start_time, dense_rank() OVER (PARTITION BY office_code ORDER BY assessor_id) AS room
    FROM shifts WHERE channel = 'OFFICE'
) AS ranked
WHERE ranked.assessor_id = shifts.assessor_id AND ranked.start_time = shifts.start_time;

ALTER TABLE shifts ADD CONSTRAINT shifts_of_a_room_do_not_overlap
EXCLUDE USING gist (office_code WITH =, room WITH =, tstzrange(start_time, end_time) WITH &&) WHERE (room IS NOT NULL);
