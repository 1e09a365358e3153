"""The deadline and owner of every open state: docs/interfaces/local-authority.md, "How it is told"."""

from datetime import timedelta
from typing import LiteralString

from chassis.bank_holidays import Nation
from chassis.deadlines import Deadline, within, within_working_days
from la_notifier.store import overdue


def _in_working_days(state: str, owner: str, query: LiteralString, *, days: int) -> tuple[Deadline, Deadline]:
    """The deadlines of one state, by the working days of each authority's nation. Wales has England's."""
    scottish, other = within_working_days(days, Nation.SCOTLAND), within_working_days(days, Nation.ENGLAND)
    return (
        Deadline(state=state, owner=owner, cut_off=scottish, query=overdue.of_scotland(query)),
        Deadline(state=state, owner=owner, cut_off=other, query=overdue.of_other_nations(query)),
    )


def _within(state: str, owner: str, query: LiteralString, length: timedelta) -> Deadline:
    return Deadline(state=state, owner=owner, cut_off=within(length), query=query)


_SUPPORT, _OFFICER = "SUPPORT", "PROCESSING_OFFICER"

DEADLINES = (
    _within("REVIEW_DUE", _SUPPORT, overdue.REVIEW_DUE, timedelta(minutes=10)),
    _within("WAITING_API", _SUPPORT, overdue.waiting("API"), timedelta(seconds=60)),
    _within("WAITING_SFTP", _SUPPORT, overdue.waiting("SFTP"), timedelta(minutes=30)),
    *_in_working_days("WAITING_POST", _OFFICER, overdue.waiting("POST"), days=1),
    _within("SENT_API", _SUPPORT, overdue.sent("API"), timedelta(hours=4)),
    *_in_working_days("SENT_SFTP", _SUPPORT, overdue.sent("SFTP"), days=1),
    *_in_working_days("SENT_POST", _OFFICER, overdue.sent("POST"), days=5),
    _within("DISPUTED", _OFFICER, overdue.DISPUTED, timedelta(hours=4)),
    _within("RECEIVED", _OFFICER, overdue.RECEIVED, timedelta(days=1)),
    _within("REFUSED", _OFFICER, overdue.REFUSED, timedelta(days=1)),
    *_in_working_days("REFERRED", _OFFICER, overdue.REFERRED, days=1),
)
