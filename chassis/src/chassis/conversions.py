"""Times, dates and UUIDs: the contract's messages to Python's values and back.

pb.Notice(sent=timestamp(notice.sent), first_contact_on=date_message(notice.first_contact_on))
since = time_of(request.since, field="since") if request.HasField("since") else None
seen_on = day_of(request.seen_on, field="seen_on")
call_id = uuid_of(request.call_id, field="call_id")
"""

import re
from datetime import UTC, date, datetime
from typing import overload
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis.errors import InvalidArgument, Text, Violation

NOT_A_TIME = Text(en="is not a time of the calendar", cy="nid yw'n amser ar y calendr")
_NOT_A_DAY = Text(en="is not a day of the calendar", cy="nid yw'n ddiwrnod ar y calendr")
_NOT_A_UUID = Text(
    en="must be a UUID in its usual form, other than the nil UUID",
    cy="rhaid iddo fod yn UUID yn ei ffurf arferol, heblaw'r UUID sero",
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NANOSECONDS = 1_000_000_000


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
    if not is_time(message):
        raise InvalidArgument.of(Violation.of(field, NOT_A_TIME))
    return message.ToDatetime(UTC)


def is_time(message: Timestamp) -> bool:
    """Whether the message is a time of the calendar: from the year 1 to 9999, less than a second in nanoseconds."""
    try:
        message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        return False
    return 0 <= message.nanos < _NANOSECONDS


def date_message(day: date) -> date_pb2.Date:
    """Returns the message of a day."""
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def day_of(message: date_pb2.Date, *, field: str) -> date:
    """Returns the day of a message. Raises InvalidArgument naming `field` if no calendar has it."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError:
        raise InvalidArgument.of(Violation.of(field, _NOT_A_DAY)) from None


def uuid_of(text: str, *, field: str) -> UUID:
    """Returns a UUID of any version, written as RFC 9562 does (8-4-4-4-12 hexadecimal digits, in either case).

    Raises InvalidArgument naming `field` for any other form, and for the nil UUID, which stands for none (AIP-155).
    """
    if not is_uuid(text):
        raise InvalidArgument.of(Violation.of(field, _NOT_A_UUID))
    return UUID(text)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as `uuid_of` takes it."""
    return _UUID.fullmatch(text) is not None and UUID(text).int != 0
