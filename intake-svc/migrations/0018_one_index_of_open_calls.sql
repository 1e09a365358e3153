-- Statistics are of samples, in which no call may be open: then this index looked empty, and every call that is open anywhere
-- was read by it for the one of a claim. The few who look for forgotten calls read the open ones by calls_open.
DROP INDEX calls_forgotten;
