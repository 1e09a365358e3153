"""Queries of `la_notifier.deadlines` about messages to claimants. Each gives `reference`, the claim, and `since`."""

# What waits for Notify is written anew every ten minutes, so it is counted from the time that it was due.
TO_WRITE = "SELECT claim_ref AS reference, due_time AS since FROM messages WHERE state = 'DUE'"
TO_SEND = "SELECT claim_ref AS reference, due_time AS since FROM messages WHERE state = 'WAITING'"
UNKNOWN = "SELECT claim_ref AS reference, due_time AS since FROM messages WHERE state = 'SENDING'"
AT_NOTIFY = "SELECT claim_ref AS reference, sent AS since FROM messages WHERE state = 'SENT'"
UNREACHABLE = "SELECT claim_ref AS reference, due_time AS since FROM messages WHERE state = 'UNREACHABLE'"
