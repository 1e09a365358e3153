"""When what a client was told has to be held outside: while it is not, it is late from then on.

The limits are those of an undisturbed way. Whatever holds a claim up longer, and whoever is to see to it, the claimant
waits: so a claim may be late here whose state is within its own deadline (docs/states.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.deadlines import CutOff, within
from la_notifier.bank_holidays import BankHolidays
from la_notifier.deadlines import within_working_days

Way = tuple[str, str]
"""How an authority is told (API, SFTP or POST), and its GSS code."""

_RECORD = within(timedelta(hours=1))
"""As long as a transfer may wait for a sender."""
_BY_API = within(timedelta(days=1))
_CYCLE = timedelta(minutes=30)
_PRINTED, _RECEIPTED = 1, 5


def record_is_late(confirmed: datetime, *, now: datetime) -> bool:
    """Whether the paying system has to hold the whole record of a claim that was confirmed then."""
    return confirmed < _RECORD(now)


def notice_is_late(submitted: datetime, way: Callable[[], Way], *, now: datetime) -> bool:
    """Whether the authority has to have loaded the notice: docs/interfaces/local-authority.md, "How it is told".

    `way` is asked only where it matters: the API's is the shortest.
    """
    return submitted < _BY_API(now) and submitted < _notice_cut_off(*way())(now)


def _notice_cut_off(channel: str, authority_code: str) -> CutOff:
    nation = BankHolidays.of(authority_code)
    if channel == "SFTP":
        return lambda now: within_working_days(1, nation)(now) - _CYCLE
    if channel == "POST":
        return within_working_days(_PRINTED + _RECEIPTED, nation)
    return _BY_API
