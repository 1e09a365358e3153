"""How long a transfer may stay in each state, and who acts after that. docs/states.md gives the reasons."""

from collections.abc import Mapping
from datetime import timedelta
from typing import LiteralString

from chassis.deadlines import Deadline, within, within_real
from legacy_gateway.domain import DifferenceState, State
from legacy_gateway.domain.ledger import STAYS

OF_DIFFERENCES: Mapping[DifferenceState, Deadline] = {
    DifferenceState.ASKING: Deadline(
        state="DIFFERENCE_ASKING",  # the system is asked about a transfer that it does not list
        owner="SUPPORT",
        cut_off=within(timedelta(days=1)),
        query="SELECT claim_ref AS reference, since FROM differences WHERE state = 'ASKING'",
    ),
    DifferenceState.OPEN: Deadline(
        state="DIFFERENCE_OPEN",
        owner="PROCESSING_OFFICER",
        cut_off=within(timedelta(days=1)),
        query="SELECT claim_ref AS reference, since FROM differences WHERE state = 'OPEN'",
    ),
}


def _stay(state: State, *, query: LiteralString) -> Deadline:
    """The deadline of a transfer's state, by the ledger's table."""
    stay = STAYS[state]
    cut_off = within_real(stay.deadline) if stay.by_real_time else within(stay.deadline)
    return Deadline(state=state, owner=stay.owner, cut_off=cut_off, query=query)


DEADLINES = (
    *OF_DIFFERENCES.values(),
    Deadline(
        state="DAY_NOT_BALANCED",  # it names no claim
        owner="SUPPORT",
        cut_off=within(timedelta(days=1)),
        query="""
            SELECT '' AS reference, scheduled_time AS since FROM reconciliation_days
            WHERE scheduled_time IS NOT NULL AND done_time IS NULL
        """,
    ),
    _stay(
        State.WAITING,  # a later phase whose turn has not come waits for the one before it
        query="""
            SELECT claim_ref AS reference, transfer_id, created AS since FROM transfers
            WHERE state = 'WAITING' AND (next_attempt_time IS NOT NULL OR payload IS NOT NULL)
        """,
    ),
    _stay(
        State.SENDING,
        query="""
            SELECT claim_ref AS reference, transfer_id, updated AS since FROM transfers
            WHERE state = 'SENDING' AND batch IS NULL
        """,
    ),
    Deadline(
        state="IN_FILE",  # in a file that its system has not answered: a cycle takes half an hour by day
        owner="SUPPORT",
        cut_off=within(timedelta(hours=2)),
        query="""
            SELECT claim_ref AS reference, transfer_id, updated AS since FROM transfers
            WHERE state = 'SENDING' AND batch IS NOT NULL
        """,
    ),
    Deadline(
        state="FILE_IN_FAULT",  # in a file that was refused, or whose response is not to be believed
        owner="SUPPORT",
        cut_off=within(timedelta(minutes=15)),
        query="""
            SELECT claim_ref AS reference, transfer_id, fault_since AS since
            FROM batches JOIN transfers ON transfers.system = batches.system AND batch = number
            WHERE batches.state <> 'ANSWERED' AND fault_since IS NOT NULL AND transfers.state = 'SENDING'
        """,
    ),
    _stay(
        State.UNKNOWN,
        query="""
            SELECT claim_ref AS reference, transfer_id, connection_closed_time AS since FROM transfers
            WHERE state = 'UNKNOWN'
        """,
    ),
    _stay(
        State.HELD,
        query="SELECT claim_ref AS reference, transfer_id, created AS since FROM transfers WHERE state = 'HELD'",
    ),
    _stay(
        State.REJECTED,
        query="""
            SELECT claim_ref AS reference, transfer_id, updated AS since FROM transfers
            WHERE state = 'REJECTED' AND NOT corrected
        """,
    ),
    _stay(
        State.CLERICAL,
        query="SELECT claim_ref AS reference, transfer_id, updated AS since FROM transfers WHERE state = 'CLERICAL'",
    ),
    Deadline(
        state="FIRST_PHASE",  # a system is asked to give up a first phase that will not be completed
        owner="PROCESSING_OFFICER",
        cut_off=within(timedelta(hours=1)),
        query="SELECT claim_ref AS reference, since FROM first_phase_withdrawals WHERE done_time IS NULL",
    ),
    Deadline(
        state="SYSTEM_HELD",  # nothing is sent to a system until somebody ends the hold
        owner="SUPPORT",
        cut_off=within(timedelta(days=1)),
        query="""
            SELECT system AS reference, greatest(since, until) AS since FROM system_holds WHERE released_time IS NULL
        """,
    ),
    Deadline(
        state="UNDECIDED",  # a system holds the claim whole; each scheme has its own target, in data/decision_targets.toml
        owner="PROCESSING_OFFICER",
        cut_off=within(timedelta(0)),
        query="SELECT claim_ref AS reference, deadline_time AS since FROM undecided",
    ),
    Deadline(
        state="NO_SYSTEM",  # a confirmed scheme that no system carries yet
        owner="SUPPORT",
        cut_off=within(timedelta(days=1)),
        query="SELECT claim_ref AS reference, confirmed_time AS since FROM uncarried_schemes",
    ),
    Deadline(
        state="WITHDRAWN_UNSETTLED",  # a record of a withdrawn claim may still be accepted
        owner="SUPPORT",
        cut_off=within(timedelta(hours=1)),
        query="SELECT claim_ref AS reference, withdraw_time AS since FROM withdrawals WHERE settled_time IS NULL",
    ),
    Deadline(
        state="WITHDRAWN_HELD",  # a system holds a withdrawn claim: there is no record that ends it
        owner="PROCESSING_OFFICER",
        cut_off=within(timedelta(days=1)),
        query="""
            SELECT claim_ref AS reference, since FROM withdrawn_records WHERE removed_time IS NULL AND NOT half
        """,
    ),
    Deadline(
        state="WITHDRAWN_HALF",  # a system holds the first phase of a withdrawn claim
        owner="PROCESSING_OFFICER",
        cut_off=within(timedelta(days=1)),
        query="SELECT claim_ref AS reference, since FROM withdrawn_records WHERE removed_time IS NULL AND half",
    ),
)

_STALLS = {"WAITING", "SENDING", "IN_FILE", "FILE_IN_FAULT", "UNKNOWN", "HELD", "REJECTED", "CLERICAL"}
OF_TRANSFERS = tuple(deadline for deadline in DEADLINES if deadline.state in _STALLS)
"""The deadlines of transfers: beyond one, a transfer stalls. Their queries give `transfer_id` too."""
