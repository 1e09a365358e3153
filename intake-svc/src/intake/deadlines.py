"""The deadline and the owner of each state of a call or a claim. docs/states.md gives the reasons."""

from datetime import timedelta

from chassis.bank_holidays import Nation
from chassis.deadlines import Deadline, within, within_working_days
from intake.store.overdue import HELD_CALLS, IDLE_DRAFTS, OPEN_CALL_BACKS, OPEN_CALLS, OPEN_LETTERS, WRAP_UPS

DEADLINES = (
    # The sweeper ends such a call: where one is overdue, it has stopped.
    Deadline(state="CALL_OPEN", owner="SUPPORT", cut_off=within(timedelta(hours=12)), query=OPEN_CALLS),
    Deadline(state="CALL_ON_HOLD", owner="OPERATOR", cut_off=within(timedelta(minutes=30)), query=HELD_CALLS),
    # The sweeper ends a wrap-up too.
    Deadline(state="CALL_WRAP_UP", owner="SUPPORT", cut_off=within(timedelta(hours=1)), query=WRAP_UPS),
    Deadline(state="CALL_BACK", owner="OPERATOR", cut_off=within(timedelta(hours=1)), query=OPEN_CALL_BACKS),
    Deadline(state="LETTER_DUE", owner="OPERATOR", cut_off=within_working_days(1, Nation.ENGLAND), query=OPEN_LETTERS),
    Deadline(state="DRAFT", owner="SERVICE_MANAGER", cut_off=within(timedelta(days=14)), query=IDLE_DRAFTS),
)
