"""How long a notice may stay as it is, and who sees to it then: docs/interfaces/local-authority.md, "How it is told"."""

from datetime import UTC, datetime, time, timedelta
from typing import LiteralString

from chassis.clock import LONDON
from chassis.deadlines import CutOff, Deadline, within
from la_notifier.bank_holidays import BankHolidays

_DAY = timedelta(days=1)
_SATURDAY = 5


def within_working_days(number: int, bank_holidays: BankHolidays) -> CutOff:
    """So many working days of 24 hours each, weekends and these bank holidays not counted. Days are London's."""

    def cut_off(now: datetime) -> datetime:
        remaining, end = number * _DAY, now
        while True:
            day = (end - timedelta(microseconds=1)).astimezone(LONDON).date()
            begin = datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)
            works = day.weekday() < _SATURDAY and not bank_holidays.hold(day)
            if works and end - begin >= remaining:
                return end - remaining
            remaining -= end - begin if works else timedelta()
            end = begin

    return cut_off


def _versions(channel: LiteralString, state: LiteralString, since: LiteralString) -> LiteralString:
    return f"""
        SELECT notices.claim_ref AS reference, version.{since} AS since, notices.authority_code
        FROM notice_versions AS version JOIN notices USING (notice_id)
        WHERE version.state = '{state}' AND notices.channel = '{channel}'
    """  # noqa: S608 - of literals alone


def _of_each_nation(state: str, owner: str, *, working_days: int, query: LiteralString) -> tuple[Deadline, Deadline]:
    """The deadline by each nation's working days; `query` gives `authority_code` as well."""
    in_scotland: LiteralString = "left(authority_code, 1) = 'S'"
    return (
        Deadline(
            state=state,
            owner=owner,
            cut_off=within_working_days(working_days, BankHolidays.SCOTLAND),
            query=f"SELECT * FROM ({query}) AS found WHERE {in_scotland}",  # noqa: S608 - of literals alone
        ),
        Deadline(
            state=state,
            owner=owner,
            cut_off=within_working_days(working_days, BankHolidays.ENGLAND_AND_WALES),
            query=f"SELECT * FROM ({query}) AS found WHERE NOT {in_scotland}",  # noqa: S608 - of literals alone
        ),
    )


DEADLINES = (
    Deadline(
        state="HEARD",
        owner="SUPPORT",
        cut_off=within(timedelta(minutes=10)),
        query="SELECT claim_ref AS reference, min(occurred_time) AS since FROM heard_events GROUP BY claim_ref",
    ),
    Deadline(
        state="WAITING_API",
        owner="SUPPORT",
        cut_off=within(timedelta(seconds=60)),
        query=_versions("API", "WAITING", "created"),
    ),
    Deadline(
        state="WAITING_SFTP",
        owner="SUPPORT",
        cut_off=within(timedelta(minutes=30)),
        query=_versions("SFTP", "WAITING", "created"),
    ),
    *_of_each_nation(
        "WAITING_POST", "PROCESSING_OFFICER", working_days=1, query=_versions("POST", "WAITING", "created")
    ),
    Deadline(
        state="SENT_API",
        owner="SUPPORT",
        cut_off=within(timedelta(hours=4)),
        query=_versions("API", "SENT", "sent"),
    ),
    *_of_each_nation("SENT_SFTP", "SUPPORT", working_days=1, query=_versions("SFTP", "SENT", "sent")),
    *_of_each_nation("SENT_POST", "PROCESSING_OFFICER", working_days=5, query=_versions("POST", "SENT", "sent")),
    Deadline(
        state="RECEIVED",
        owner="PROCESSING_OFFICER",
        cut_off=within(_DAY),
        query="SELECT claim_ref AS reference, version.sent AS since"
        " FROM notice_versions AS version JOIN notices USING (notice_id) WHERE version.state = 'RECEIVED'",
    ),
    Deadline(
        state="REFUSED",
        owner="PROCESSING_OFFICER",
        cut_off=within(_DAY),
        # Not a join: PostgreSQL cannot know how few refused versions are not followed, and would read all notices.
        query="SELECT (SELECT claim_ref FROM notices WHERE notices.notice_id = version.notice_id) AS reference,"
        " version.created AS since FROM notice_versions AS version WHERE version.state = 'REFUSED' AND NOT version.followed",
    ),
    *_of_each_nation(
        "NOT_TOLD",
        "PROCESSING_OFFICER",
        working_days=1,
        query="SELECT claim_ref AS reference, since, authority_code FROM not_told",
    ),
)
