"""Times and dates: the contract's messages to Python's values and back.

pb.Notice(sent=timestamp(notice.sent), first_contact_on=date_message(notice.first_contact_on))
since = time_of(request.since, field="since") if request.HasField("since") else None
seen_on = day_of(request.seen_on, field="seen_on")
"""

from datetime import UTC, date, datetime
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis.errors import InvalidArgument, Violation


@overload
def timestamp(moment: datetime) -> Timestamp: ...
@overload
def timestamp(moment: None) -> None: ...
@overload
def timestamp(moment: datetime | None) -> Timestamp | None: ...
def timestamp(moment: datetime | None) -> Timestamp | None:
    """Returns the message of a time, which has a time zone. None, which leaves a field unset, stays None."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def time_of(message: Timestamp, *, field: str) -> datetime:
    """Returns the time of a message, in UTC. Raises InvalidArgument naming `field` if no calendar has it."""
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument.of(Violation(field=field, description="is not a time of the calendar")) from None


def date_message(day: date) -> date_pb2.Date:
    """Returns the message of a day."""
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def day_of(message: date_pb2.Date, *, field: str) -> date:
    """Returns the day of a message. Raises InvalidArgument naming `field` if no calendar has it."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError:
        raise InvalidArgument.of(Violation(field=field, description="is not a day of the calendar")) from None
