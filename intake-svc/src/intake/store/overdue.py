"""Calls and claims that wait, by reference and since when. Each query is a part of one that asks for what is overdue."""

from typing import LiteralString

OPEN_CALLS: LiteralString = "SELECT claim_ref AS reference, started AS since FROM calls WHERE ended IS NULL"

# Call-backs that no later call has settled. `has_later_call` keeps the settled ones out of the index; the later call
# is asked for as well, because one that begins at the same moment as another does not see it.
OPEN_CALL_BACKS: LiteralString = """
    SELECT claim_ref AS reference, call_back_time AS since FROM calls
    WHERE outcome = 'CALL_BACK' AND NOT has_later_call AND NOT EXISTS (
        SELECT 1 FROM calls AS later WHERE later.claim_ref = calls.claim_ref AND later.started > calls.started
    )
"""

# Drafts that nobody is working on in a call.
IDLE_DRAFTS: LiteralString = """
    SELECT claim_ref AS reference, first_contact_time AS since FROM claims
    WHERE state = 'DRAFT' AND NOT EXISTS (
        SELECT 1 FROM calls WHERE calls.claim_ref = claims.claim_ref AND calls.ended IS NULL
    )
"""
