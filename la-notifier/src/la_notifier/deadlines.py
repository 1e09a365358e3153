"""The deadline and owner of every open state: docs/interfaces/local-authority.md, "How it is told"."""

from datetime import timedelta
from typing import LiteralString

from chassis.bank_holidays import Nation
from chassis.deadlines import Deadline, within, within_working_days
from la_notifier.domain.channels import LIMITS, Channel, Within
from la_notifier.store import overdue, overdue_messages


def _late(state: str, owner: str, query: LiteralString, limit: Within) -> tuple[Deadline, ...]:
    """The deadlines of one state. Those in working days are by each authority's nation; Wales has England's."""
    if not limit.working_days:
        return (_within(state, owner, query, limit.length),)
    scottish, other = (within_working_days(limit.working_days, nation) for nation in (Nation.SCOTLAND, Nation.ENGLAND))
    return (
        Deadline(state=state, owner=owner, cut_off=scottish, query=overdue.of_scotland(query)),
        Deadline(state=state, owner=owner, cut_off=other, query=overdue.of_other_nations(query)),
    )


def _within(state: str, owner: str, query: LiteralString, length: timedelta) -> Deadline:
    return Deadline(state=state, owner=owner, cut_off=within(length), query=query)


_SUPPORT, _OFFICER = "SUPPORT", "PROCESSING_OFFICER"
_API, _SFTP, _POST = LIMITS[Channel.API], LIMITS[Channel.SFTP], LIMITS[Channel.POST]

OF_NOTICES = (
    *_late("WAITING_API", _SUPPORT, overdue.waiting("API"), _API.to_send),
    *_late("WAITING_SFTP", _SUPPORT, overdue.waiting("SFTP"), _SFTP.to_send),
    *_late("WAITING_POST", _OFFICER, overdue.waiting("POST"), _POST.to_send),
    *_late("SENT_API", _SUPPORT, overdue.sent("API"), _API.to_receive),
    *_late("SENT_SFTP", _SUPPORT, overdue.sent("SFTP"), _SFTP.to_receive),
    *_late("SENT_POST", _OFFICER, overdue.sent("POST"), _POST.to_receive),
    _within("DISPUTED", _OFFICER, overdue.DISPUTED, timedelta(hours=4)),
    # Only the API knows the state between the receipt and LOADED.
    *_late("RECEIVED", _OFFICER, overdue.RECEIVED, _API.to_load),
    _within("REFUSED", _OFFICER, overdue.REFUSED, timedelta(days=1)),
)
"""Versions of notices. One that passes such a deadline is late, which is told."""

DEADLINES = (
    _within("REVIEW_DUE", _SUPPORT, overdue.REVIEW_DUE, timedelta(minutes=10)),
    *OF_NOTICES,
    *_late("REFERRED", _OFFICER, overdue.REFERRED, Within(working_days=1)),
    # The reference is the authority's code.
    _within("AUTHORITY_AWAY", _SUPPORT, overdue.AUTHORITY_AWAY, timedelta(hours=1)),
    # It is counted from the deadline that the work item has.
    _within("WORK_ITEM", _OFFICER, overdue.WORK_ITEM, timedelta()),
    *_late("FILE_BUILT", _SUPPORT, overdue.FILE_BUILT, _SFTP.to_send),
    *_late("FILE_SENT", _SUPPORT, overdue.FILE_SENT, _SFTP.to_receive),
    Deadline(
        state="LETTER_WAITING",
        owner=_OFFICER,
        cut_off=within_working_days(1, Nation.ENGLAND),
        query=overdue.LETTER_WAITING,
    ),
    _within("MESSAGE_DUE", _SUPPORT, overdue_messages.TO_WRITE, timedelta(minutes=10)),
    _within("MESSAGE_WAITING", _SUPPORT, overdue_messages.TO_SEND, timedelta(hours=1)),
    _within("MESSAGE_SENDING", _SUPPORT, overdue_messages.UNKNOWN, timedelta(hours=1)),
    # Notify tries to deliver a text for three days.
    _within("MESSAGE_SENT", _SUPPORT, overdue_messages.AT_NOTIFY, timedelta(days=4)),
    _within("MESSAGE_UNREACHABLE", _OFFICER, overdue_messages.UNREACHABLE, timedelta(hours=4)),
)
