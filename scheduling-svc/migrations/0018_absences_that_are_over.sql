-- Absences and closures that are over are pruned: the reason of an illness is not kept for ever.
CREATE INDEX absences_by_time ON absences (end_time);
CREATE INDEX closures_by_time ON closures (end_time);
