"""Queries for waiting calls and claims: reference and the time since when. `chassis.deadlines` adds the deadline."""

from typing import LiteralString

OPEN_CALLS: LiteralString = "SELECT claim_ref AS reference, started AS since FROM calls WHERE ended IS NULL"

# Call-backs that no later call has settled. `has_later_call` keeps the settled ones out of the index; the query
# still looks for a later call, because two calls that begin at the same moment do not see each other.
_OPEN_CALL_BACKS: LiteralString = """
    SELECT claim_ref AS reference, COALESCE(letter_due_time, call_back_due, call_back_time) AS since FROM calls
    WHERE outcome = 'CALL_BACK' AND NOT has_later_call AND letter_sent_time IS NULL AND NOT EXISTS (
        SELECT 1 FROM calls AS later WHERE later.claim_ref = calls.claim_ref AND later.started > calls.started
    )
"""
OPEN_CALL_BACKS: LiteralString = _OPEN_CALL_BACKS + " AND letter_due_time IS NULL"

# Letters that take the place of a call-back, and are still to be written.
OPEN_LETTERS: LiteralString = _OPEN_CALL_BACKS + " AND letter_due_time IS NOT NULL"

# Calls on hold.
HELD_CALLS: LiteralString = """
    SELECT claim_ref AS reference, held_since AS since FROM calls WHERE ended IS NULL AND held_since IS NOT NULL
"""

# Calls whose operator has not said that the next one may come.
WRAP_UPS: LiteralString = """
    SELECT claim_ref AS reference, ended AS since FROM calls WHERE ended IS NOT NULL AND wrap_up_ended IS NULL
"""

# Drafts that nobody is working on in a call.
IDLE_DRAFTS: LiteralString = """
    SELECT claim_ref AS reference, first_contact_time AS since FROM claims
    WHERE state = 'DRAFT' AND NOT EXISTS (
        SELECT 1 FROM calls WHERE calls.claim_ref = claims.claim_ref AND calls.ended IS NULL
    )
"""
