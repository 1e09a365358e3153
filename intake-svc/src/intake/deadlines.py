"""The deadline and the owner of each state of a call or a claim. docs/states.md gives the reasons."""

from datetime import timedelta

from chassis.deadlines import Deadline, within
from intake.store.overdue import IDLE_DRAFTS, OPEN_CALL_BACKS, OPEN_CALLS

DEADLINES = (
    # The sweeper ends such a call: where one is overdue, it has stopped.
    Deadline(state="CALL_OPEN", owner="SUPPORT", cut_off=within(timedelta(hours=12)), query=OPEN_CALLS),
    Deadline(state="CALL_BACK", owner="OPERATOR", cut_off=within(timedelta(hours=1)), query=OPEN_CALL_BACKS),
    Deadline(state="DRAFT", owner="SERVICE_MANAGER", cut_off=within(timedelta(days=14)), query=IDLE_DRAFTS),
)
