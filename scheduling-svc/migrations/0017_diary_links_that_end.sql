-- Links that have expired are pruned, also those of assessors who make no others.
CREATE INDEX diary_links_ending ON diary_links (expire_time);
