"""The limits after which an acknowledged claim is late when no outside system holds it.

The limits are those of an undisturbed way. The claimant waits, whatever holds the claim up and whoever sees to it: so a
claim may be late here while its state is within its own deadline (docs/states.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.bank_holidays import Nation
from chassis.deadlines import within, within_working_days

Way = tuple[str, str]
"""The channel to an authority (API, SFTP or POST), and the authority's GSS code."""

_RECORD = within(timedelta(hours=1))
"""The time that a transfer may wait for a sender."""
_BY_API = within(timedelta(days=1))
_CYCLE = timedelta(minutes=30)
_PRINTED, _RECEIPTED = 1, 5


def record_is_late(confirmed: datetime, *, now: datetime) -> bool:
    """Whether a claim that was confirmed then is late when its paying system does not hold it whole."""
    return confirmed < _RECORD(now)


def notice_is_late(submitted: datetime, way: Callable[[], Way], *, now: datetime) -> bool:
    """Whether a notice is late when its authority has not loaded it: docs/interfaces/local-authority.md, "How it is told".

    `way` is asked only after the shortest limit, which is that of the API.
    """
    return submitted < _BY_API(now) and submitted < _notice_cut_off(*way())(now)


def _notice_cut_off(channel: str, authority_code: str) -> Callable[[datetime], datetime]:
    nation = Nation.of_code(authority_code)
    if channel == "SFTP":
        return lambda now: within_working_days(1, nation)(now) - _CYCLE
    if channel == "POST":
        return within_working_days(_PRINTED + _RECEIPTED, nation)
    return _BY_API
