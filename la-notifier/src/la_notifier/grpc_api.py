"""The notifier's methods: message to domain and back."""

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis import call
from chassis.database import Row
from chassis.postcodes import Postcodes
from cms.notifier.v1 import notifier_pb2
from la_notifier.service import places
from la_notifier.store import claims as claim_store
from la_notifier.store import notices as notice_store


class LaNotifierApi:
    """Serves LaNotifierService. A notice is shown without what it tells: that stays sealed."""

    def __init__(self, postcodes: Postcodes) -> None:
        self._postcodes = postcodes

    def GetNotices(self, request: notifier_pb2.GetNoticesRequest) -> notifier_pb2.GetNoticesResponse:
        """Every version of a claim's notices; none where no authority was to be told."""
        with call.current().database.transaction() as conn:
            notices = notice_store.notices_to_show(conn, request.claim_ref)
            not_told = claim_store.not_told_of(conn, request.claim_ref)
        return notifier_pb2.GetNoticesResponse(
            notices=[_notice(row) for row in notices], not_told=[_not_told(row) for row in not_told]
        )

    def FindAuthority(self, request: notifier_pb2.FindAuthorityRequest) -> notifier_pb2.FindAuthorityResponse:
        """The authority of a postcode today."""
        found = places.find_authority(self._postcodes, request.postcode)
        authority = notifier_pb2.Authority(code=found.code, name=found.name, channel=_channel(found.channel.name))
        return notifier_pb2.FindAuthorityResponse(authority=authority)


def _channel(name: str) -> notifier_pb2.NoticeChannel.ValueType:
    return notifier_pb2.NoticeChannel.Value(f"NOTICE_CHANNEL_{name}")


def _notice(row: Row) -> notifier_pb2.Notice:
    return notifier_pb2.Notice(
        notice_id=str(row["notice_id"]),
        version=row["version"],
        kind=notifier_pb2.NoticeKind.Value(f"NOTICE_KIND_{row['kind']}"),
        authority_code=row["authority_code"],
        authority_name=row["authority_name"],
        channel=_channel(row["channel"]),
        state=notifier_pb2.NoticeState.Value(f"NOTICE_STATE_{row['state']}"),
        first_contact_on=_date(row["first_contact_on"]),
        proof_due_on=_date(row["proof_due_on"]),
        sent=_time(row["sent"]),
        received=_time(row["received"]),
        loaded=_time(row["loaded"]),
        attempts=row["attempts"],
        next_attempt_time=_time(row["next_attempt_time"]),
        refused_fields=row["refused_fields"],
    )


def _not_told(row: Row) -> notifier_pb2.NotTold:
    return notifier_pb2.NotTold(
        reason=notifier_pb2.NotToldReason.Value(f"NOT_TOLD_REASON_{row['reason']}"),
        authority_code=row["authority_code"],
        since=_time(row["since"]),
    )


def _date(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _time(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
