"""Messages to claimants."""

from chassis import call, clock
from chassis.conversions import timestamp
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.notifier.v1 import messages_pb2 as pb
from la_notifier.messages.domain.message import MessageSummary
from la_notifier.messages.service.showing import messages_of_claim

_NONE = "UNSPECIFIED"


class MessageMethods:
    """A message is shown without what it says, which stays sealed."""

    def GetMessages(self, request: pb.GetMessagesRequest) -> pb.GetMessagesResponse:
        """The messages to the claimant of a claim; none where there was nothing to tell."""
        with call.current().database.transaction() as conn:
            found = messages_of_claim(conn, request.claim_ref)
        return pb.GetMessagesResponse(messages=map(_message, found))


def _message(message: MessageSummary) -> pb.ClaimantMessage:
    return pb.ClaimantMessage(
        message_id=str(message.message_id),
        kind=number_of(pb.MessageKind, message.kind),
        state=number_of(pb.MessageState, message.state),
        medium=number_of(pb.MessageMedium, message.medium or _NONE),
        language=number_of(common_pb2.Language, message.language or _NONE),
        discreet=bool(message.discreet),
        reason=number_of(pb.MessageReason, message.reason or _NONE),
        due_time=timestamp(message.due_time),
        sent=timestamp(message.sent),
        ended=timestamp(message.ended),
        printed=timestamp(message.printed),
        attempts=message.attempts,
        next_attempt_time=timestamp(clock.as_shown(message.next_attempt_time)),
    )
