-- When the claim's last cancelled interview was cancelled: a booking from before it counts no longer, whenever it is heard of.
ALTER TABLE assessments ADD COLUMN cancelled_time timestamptz;
